"""Who may do what, cell by cell, through the API: as the table says, and as OpenStack Networking has it.

Most things here belong to `blue`. Its port is on a network of `green`; its network is shared with `red`, and so are
its firewalls; `grey` has nothing to do with any of it.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

import pytest

from netplane.api.context import Context, roles
from netplane.api.personas import Persona
from netplane.api.policy.compiled import compiled
from netplane.api.policy.table import ASKED, TABLE
from netplane.api.rules import COMPUTED, RULES
from netplane.model import Port, Record, kind_of
from tests.api.support import Json, World, collection_of


def caller(name: str, project: str, *named: str, is_system: bool = False) -> Context:
    return Context(project, roles(named), name, is_system=is_system)


CALLERS: Mapping[str, Context] = {
    one.actor: one
    for one in (
        caller("admin@ops", "ops", "admin"),
        caller("admin@system", "", "admin", is_system=True),
        caller("reader@system", "", "reader", is_system=True),
        caller("service@services", "services", "service"),
        caller("manager@blue", "blue", "manager"),
        caller("member@blue", "blue", "member"),
        caller("reader@blue", "blue", "reader"),
        caller("none@blue", "blue"),
        caller("member@green", "green", "member"),
        caller("reader@green", "green", "reader"),
        caller("member@red", "red", "member"),
        caller("none@red", "red"),
        caller("member@grey", "grey", "member"),
        caller("unscoped", "", "member"),
    )
}
KINDS = {kind_of(rules.kind): rules.kind for rules in RULES if rules.create is not None}
SHARED_WITH_RED = {"network", "subnet", "security_group", "address_group"}
SHARED_WITH_ALL = {"firewall_rule", "firewall_policy", "firewall_group", "subnetpool", "address_scope"}
NOBODYS = {kind_of(rules.kind) for rules in RULES if not rules.kind.is_owned}
"""What administrators alone make, and what belongs to no project."""
WRITTEN = {"create", "update", "delete"}
CALLS = {kind_of(rules.kind): (*rules.actions, *rules.questions) for rules in RULES}


class Place(NamedTuple):
    """A world, and what is there by name."""

    world: World
    ids: dict[str, str]

    def body(self, kind: str) -> Json:
        """What makes one more of a kind."""
        self.tick()
        return {name: self.fill(value) for name, value in BODIES[kind].items()}

    def tick(self) -> None:
        """What must be another each time."""
        number = int(self.ids.get("count", "20")) + 1
        high, low = divmod(number, 200)
        self.ids.update(count=str(number), high=str(high), low=str(low + 20), mac=f"{high:02x}:{low:02x}")

    def fill(self, value: Json) -> Json:
        if isinstance(value, str):
            return value.format_map(self.ids)
        if isinstance(value, list):
            return [self.fill(one) for one in value]
        if isinstance(value, dict):
            return {name: self.fill(one) for name, one in value.items()}
        return value

    def one(self, kind: str) -> str:
        """A resource of `blue`'s, made anew if it is gone."""
        known = self.ids.get(f"one {kind}")
        path = f"/v2.0/{collection_of(kind)}"
        if known is None or self.world.ask("GET", f"{path}/{known}", token="admin").status == 404:
            body = self.body(kind) | {"project_id": "blue"}
            reply = self.world.ask(
                "POST", path, {kind: body}, "admin" if "shared" in body or kind in NOBODYS else "member@blue"
            )
            assert reply.status == 201, reply
            self.ids[f"one {kind}"] = known = reply.json[kind]["id"]
            if kind in SHARED_WITH_RED - {"subnet"}:
                share(self.world, kind, known, "red")
        return known


BODIES: Mapping[str, Json] = {
    "network": {},
    "subnet": {"network_id": "{own}", "cidr": "10.{high}.{low}.0/24"},
    "port": {"network_id": "{lent}", "security_groups": []},
    "router": {},
    "security_group": {"name": "g"},
    "security_group_rule": {
        "security_group_id": "{group}", "direction": "ingress", "protocol": "tcp", "port_range_min": "{count}",
        "port_range_max": "{count}",
    },
    "address_group": {},
    "rbac_policy": {
        "object_type": "network", "object_id": "{spare}", "action": "access_as_shared", "target_tenant": "t{count}"
    },
    "log": {"resource_type": "security_group"},
    "firewall_rule": {"shared": True},
    "firewall_policy": {"shared": True},
    "firewall_group": {"shared": True, "name": "f"},
    "trunk": {"port_id": "{parent}"},
    "subnetpool": {"prefixes": ["10.{high}.{low}.0/24"], "shared": True},
    "address_scope": {"ip_version": 4, "shared": True},
    "default_security_group_rule": {
        "direction": "ingress", "protocol": "tcp", "port_range_min": "{count}", "port_range_max": "{count}"
    },
    "service_profile": {"driver": "netplane"},
    "flavor": {"service_type": "L3_ROUTER_NAT"},
}  # fmt: skip

GIVEN: Mapping[str, Json] = {
    "shared": True,
    "is_default": True,
    "mac_address": "02:00:00:00:{mac}",
    "port_security_enabled": False,
    "allowed_address_pairs": [{"ip_address": "10.9.9.9"}],
    "binding:host_id": "h1",
    "binding:profile": {"a": "b"},
    "fixed_ips:ip_address": [{"ip_address": "10.254.0.{low}"}],
    "device_owner:network": "network:dhcp",
    "target_tenant:*": "*",
}
"""What fields are given where a line is about them."""


def share(world: World, kind: str, id: str, target: str) -> None:
    body = {"object_type": kind, "object_id": id, "action": "access_as_shared", "target_tenant": target}
    assert world.ask("POST", "/v2.0/rbac-policies", {"rbac_policy": body}, "admin").status == 201


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    world = World(Path(tmp_path_factory.mktemp("policy")), callers=CALLERS)
    own = world.make("network", "member@blue")["id"]
    spare = world.make("network", "member@blue")["id"]
    lent = world.make("network", "member@green")["id"]
    world.make("subnet", "member@green", network_id=lent, cidr="10.254.0.0/16")
    share(world, "network", own, "red")
    share(world, "network", lent, "blue")
    group = world.make("security_group", "member@blue")["id"]
    yield Place(world, {"own": own, "spare": spare, "lent": lent, "group": group})
    world.close()


def personas(name: str, kind: str, *, of: str = "blue") -> Persona:
    """What a caller is to something of `blue`'s (or of its own project's, to be made)."""
    context, found = CALLERS[name], Persona(0)
    standing = context.standing
    found |= Persona(standing.everywhere)
    if context.project == of:
        found |= Persona(standing.own)
    if context.project == ("green" if kind == "port" else "blue"):
        found |= Persona(standing.network)
    if kind in SHARED_WITH_ALL or (context.project == "red" and kind in SHARED_WITH_RED):
        found |= Persona(standing.shared)
    return found


def status(place: Place, method: str, path: str, body: Json, name: str) -> int:
    """The status of a call; one that is refused for who asks writes nothing."""
    before = place.world.store.revision
    reply = place.world.ask(method, f"/v2.0/{path}", body, name)
    if reply.status in (403, 404):
        assert place.world.store.revision == before
        assert reply.error[0] == reply.status
    return reply.status


def ask(place: Place, kind: str, action: str, name: str) -> int:
    """Do an action to something of `blue`'s."""
    path = f"{collection_of(kind)}/{place.one(kind)}"
    match action:
        case "show":
            return status(place, "GET", path, None, name)
        case "update":
            return status(place, "PUT", path, {kind: {"description": "d"}}, name)
        case "delete":
            return status(place, "DELETE", path, None, name)
        case "get_subports" | "next_providers":
            return status(place, "GET", f"{path}/{action}", None, name)
    return status(place, "PUT", f"{path}/{action}", {}, name)


def prepare(place: Place, kind: str) -> None:
    """A trunk needs a port that is in none."""
    if kind == "trunk":
        place.ids["parent"] = place.world.make("port", "member@blue", network_id=place.ids["spare"])["id"]


def create(place: Place, kind: str, name: str, more: Json | None = None) -> int:
    """Make one more: in the caller's project, or in `blue` if it is in none."""
    prepare(place, kind)
    context = CALLERS[name]
    body = {key: value for key, value in place.body(kind).items() if key != "shared"} | (more or {})
    if not context.project:
        body |= {"project_id": "blue"}
    return status(place, "POST", collection_of(kind), {kind: body}, name)


ACTIONS = [(kind, action) for kind in KINDS for action in ("show", "update", "delete", *CALLS[kind])]


@pytest.mark.parametrize(("kind", "action"), ACTIONS)
def test_actions_are_as_the_table_says(place: Place, kind: str, action: str) -> None:
    prepare(place, kind)
    lines = TABLE[KINDS[kind]]
    for name in CALLERS:
        who = personas(name, kind)
        got = ask(place, kind, action, name)
        if not who & lines["show"]:
            assert got == 404, name
        elif not who & lines[action]:
            assert got == 403, name
        else:
            assert got not in (401, 403), name


@pytest.mark.parametrize("kind", KINDS)
def test_making_is_as_the_table_says(place: Place, kind: str) -> None:
    line = TABLE[KINDS[kind]]["create"]
    for name, context in CALLERS.items():
        may = bool(personas(name, kind, of=context.project) & line) and name != "unscoped"
        got = create(place, kind, name)
        is_at_home = context.project in ("blue", "") or Persona.ADMIN in personas(name, kind)
        if may:
            assert got == 201 if is_at_home else got not in (401, 403), name
        elif name == "unscoped":
            assert got in (400, 403), name
        else:
            assert got == 403 or (got == 404 and not is_at_home), name


FIELDS = [
    (kind, *line.split(":", 1))
    for kind, record in KINDS.items()
    for line in TABLE[record]
    if line.startswith(("create:", "update:")) and "default" not in line
]


@pytest.mark.parametrize(("kind", "verb", "field"), FIELDS)
def test_fields_are_given_as_the_table_says(place: Place, kind: str, verb: str, field: str) -> None:
    lines = TABLE[KINDS[kind]]
    for name in CALLERS:
        key = field.split(":", maxsplit=1)[0] if f"{verb}:{field}" in ASKED else field
        place.tick()
        more = {key: place.fill(GIVEN[field])}
        home = CALLERS[name].project
        who = personas(name, kind, of="blue" if verb == "update" else home)
        if name == "unscoped" or not who & lines[verb]:
            continue
        if verb == "create":
            got = create(place, kind, name, more)
        else:
            got = status(place, "PUT", f"{collection_of(kind)}/{place.one(kind)}", {kind: more}, name)
        if who & lines[f"{verb}:{field}"]:
            assert got not in (401, 403), name
        else:
            assert got == 403 or (got == 404 and home not in ("blue", "green")), name
    place.ids.pop(f"one {kind}", None)


OWNERS = {"netplane:metadata", "trunk_details"}
"""Fields that nobody sees of another's."""
SEEN = [
    (kind, line[5:])
    for kind, record in KINDS.items()
    for line in TABLE[record]
    if line.startswith("show:") and line[5:] not in OWNERS
]


@pytest.mark.parametrize(("kind", "field"), SEEN)
def test_fields_are_seen_as_the_table_says(place: Place, kind: str, field: str) -> None:
    collection, id = collection_of(kind), place.one(kind)
    for name in CALLERS:
        who = personas(name, kind)
        if not who & TABLE[KINDS[kind]]["show"]:
            continue
        sees = bool(who & TABLE[KINDS[kind]][f"show:{field}"])
        shown = place.world.get(f"{collection}/{id}?fields=id&fields={field}", name)[kind]
        [listed] = place.world.get(f"{collection}?id={id}", name)[collection]
        assert (field in shown) == (field in listed) == sees, name
        got = place.world.ask("GET", f"/v2.0/{collection}?{field}=x", token=name).status
        assert got == (200 if sees else 400), name
        if not sees:
            assert place.world.ask("GET", f"/v2.0/{collection}?sort_key={field}", token=name).status == 400


def test_fields_of_its_owner(place: Place) -> None:
    """Who owns a network sees the ports on it, but not what their machines read about themselves, or carry besides."""
    told = {"user_data": "cGFzc3dvcmQ=", "public_keys": {"k": "ssh-rsa"}, "meta": {}}
    lent = place.ids["lent"]
    port = place.world.make("port", "member@blue", network_id=lent, **{"netplane:metadata": told})["id"]
    place.world.make("trunk", "member@blue", port_id=port)
    with place.world.store.read() as reader:
        record = reader.get(Port, port)
    assert record is not None
    for name in CALLERS:
        who = personas(name, "port")
        if not who & TABLE[Port]["show"]:
            continue
        for field in OWNERS:
            sees = bool(who & TABLE[Port][f"show:{field}"])
            shown = place.world.get(f"ports/{port}", name)["port"]
            for query in (f"?id={port}", f"?network_id={lent}", "", "?limit=900"):
                [listed] = [one for one in place.world.get(f"ports{query}", name)["ports"] if one["id"] == port]
                assert (field in shown) == (field in listed) == sees, (name, query)
        query = urlencode({"netplane:metadata": str(record.metadata)})
        sees = bool(who & TABLE[Port]["show:netplane:metadata"])
        reply = place.world.ask("GET", f"/v2.0/ports?{query}", token=name)
        found = [one["id"] for one in reply.json["ports"]] if reply.status == 200 else []
        assert found == ([port] if sees else []), name


@pytest.mark.parametrize("kind", KINDS)
def test_lists_hold_what_one_sees(place: Place, kind: str) -> None:
    prepare(place, kind)
    id, collection = place.one(kind), collection_of(kind)
    key = collection.rpartition("/")[2].replace("-", "_")
    for name in CALLERS:
        sees = bool(personas(name, kind) & TABLE[KINDS[kind]]["show"])
        for query in ("", "?limit=900", f"?id={id}"):
            listed = {one["id"] for one in place.world.get(f"{collection}{query}", name)[key]}
            assert (id in listed) == sees, (name, query)


def test_without_a_token_nothing_is_there(place: Place) -> None:
    for kind in KINDS:
        assert place.world.ask("GET", f"/v2.0/{collection_of(kind)}", token="wrong").status == 401
        assert place.world.ask("POST", f"/v2.0/{collection_of(kind)}", {}, token=None).status == 401


ADMINS = "admin@ops admin@system"
BLUE = "manager@blue member@blue"
ALL_SEE = f"{ADMINS} reader@system"
OWN = {"show": f"{ALL_SEE} {BLUE} reader@blue", "update": f"{ADMINS} {BLUE}", "delete": f"{ADMINS} {BLUE}"}

EXPECTED: Mapping[str, Mapping[str, str]] = {
    "network": OWN | {"show": f"{OWN['show']} service@services member@red"},
    "subnet": OWN | {"show": f"{OWN['show']} service@services member@red"},
    "port": {
        "show": f"{OWN['show']} service@services member@green reader@green",
        "update": f"{OWN['update']} service@services",
        "delete": f"{OWN['delete']} service@services member@green",
    },
    "router": OWN,
    "security_group": OWN | {"show": f"{OWN['show']} member@red"},
    "security_group_rule": OWN,
    "address_group": OWN | {"show": f"{OWN['show']} member@red"},
    "rbac_policy": OWN,
    "trunk": OWN,
    "default_security_group_rule": {"show": " ".join(CALLERS), "update": ADMINS, "delete": ADMINS},
    "service_profile": {"show": ALL_SEE, "update": ADMINS, "delete": ADMINS},
    "flavor": {"show": " ".join(CALLERS), "update": ADMINS, "delete": ADMINS},
}
"""By hand, from neutron/conf/policies: who gets through. The rest gets 403 for what it sees, and else 404."""


@pytest.mark.parametrize(("kind", "action"), [(kind, action) for kind, lines in EXPECTED.items() for action in lines])
def test_what_openstack_networking_lets_pass(place: Place, kind: str, action: str) -> None:
    prepare(place, kind)
    for name in CALLERS:
        passes = name in EXPECTED[kind][action].split()
        sees = name in EXPECTED[kind]["show"].split()
        wanted = (204 if action == "delete" else 200) if passes else 403 if sees else 404
        assert ask(place, kind, action, name) == wanted, name
        prepare(place, kind)


MAKERS: Mapping[str, str] = {
    "network": f"{ADMINS} {BLUE}",
    "subnet": f"{ADMINS} {BLUE}",
    "router": f"{ADMINS} {BLUE}",
    "security_group": f"{ADMINS} {BLUE}",
    "security_group_rule": f"{ADMINS} {BLUE}",
    "port": f"{ADMINS} {BLUE} service@services",
    "trunk": f"{ADMINS} {BLUE}",
    "service_profile": ADMINS,
    "flavor": ADMINS,
}


@pytest.mark.parametrize("kind", MAKERS)
def test_who_makes_by_the_defaults_of_openstack_networking(place: Place, kind: str) -> None:
    home = [name for name, one in CALLERS.items() if one.project in ("blue", "ops", "services") or one.is_system]
    for name in home:
        wanted = 201 if name in MAKERS[kind].split() else 403
        assert create(place, kind, name, {"project_id": "blue"} if name in MAKERS[kind].split() else None) == wanted


PORT_FIELDS: Mapping[str, str] = {
    "binding:host_id": f"{ADMINS} service@services",
    "mac_address": f"{ADMINS} service@services",
    "port_security_enabled": f"{ADMINS} service@services",
    "allowed_address_pairs": ADMINS,
}


@pytest.mark.parametrize("field", PORT_FIELDS)
def test_who_gives_a_port_on_anothers_network_what(place: Place, field: str) -> None:
    place.tick()
    wish = {field: place.fill(GIVEN[field])}
    for name in CALLERS:
        if name not in EXPECTED["port"]["update"].split():
            continue
        wanted = 200 if name in PORT_FIELDS[field].split() else 403
        assert status(place, "PUT", f"ports/{place.one('port')}", {"port": wish}, name) == wanted, name
    place.ids.pop("one port")


def test_who_says_what_a_flavor_stands_for(place: Place) -> None:
    profile, path = place.one("service_profile"), f"flavors/{place.one('flavor')}/service_profiles"
    for name in CALLERS:
        is_admin = name in ADMINS.split()
        body = {"service_profile": {"id": profile}}
        assert status(place, "POST", path, body, name) == (201 if is_admin else 403), name
        assert status(place, "GET", path, None, name) == 200, name
        assert status(place, "GET", f"{path}/{profile}", None, name) == (200 if is_admin else 404), name
        assert status(place, "DELETE", f"{path}/{profile}", None, name) == (204 if is_admin else 403), name
    for name in CALLERS:
        assert status(place, "GET", "service-providers", None, name) == 200, name


def test_who_sees_and_names_segments(place: Place) -> None:
    id = place.ids["own"]
    wish = {"network_id": id, "network_type": "vxlan", "segmentation_id": 7}
    for name in CALLERS:
        sees, writes = name in ALL_SEE.split(), name in ADMINS.split()
        listed = place.world.get(f"segments?network_id={id}", name)["segments"]
        assert [one["id"] for one in listed] == ([id] if sees else []), name
        assert status(place, "GET", f"segments/{id}", None, name) == (200 if sees else 404), name
        named = status(place, "PUT", f"segments/{id}", {"segment": {"name": "s"}}, name)
        assert named == (200 if writes else 403 if sees else 404), name
        gone = status(place, "DELETE", f"segments/{id}", None, name)
        assert gone == (409 if writes else 403 if sees else 404), name
        assert status(place, "POST", "segments", {"segment": wish}, name) == (409 if writes else 403), name


def test_a_project_is_needed(place: Place) -> None:
    assert place.world.refused("POST", "networks", {"network": {}}, "admin@system") == (400, "HTTPBadRequest")
    assert place.world.refused("POST", "networks", {"network": {}}, "unscoped") == (403, "PolicyNotAuthorized")
    wish = {"network": {"project_id": "red"}}
    assert place.world.refused("POST", "networks", wish, "member@blue") == (400, "HTTPBadRequest")


def test_a_refusal_names_the_line(place: Place) -> None:
    reply = place.world.ask("POST", "/v2.0/networks", {"network": {"shared": True}}, "member@blue")
    assert reply.json["NeutronError"]["message"] == "rule:create_network:shared is disallowed by policy"


def test_the_table_is_whole() -> None:
    assert {rules.kind for rules in RULES} | {computed.kind for computed in COMPUTED} == set(TABLE)
    for rules in RULES:
        own = {"show", "update", "delete"} | ({"create"} if rules.create else set())
        check_lines(rules.kind, {*own, *rules.actions, *rules.questions}, {extra.name for extra in rules.extras})
    for computed in COMPUTED:
        check_lines(computed.kind, {"show"} | (WRITTEN if computed.writing else set()), set())


def check_lines(kind: type[Record], calls: set[str], extras: set[str]) -> None:
    """Each line is a call's, a field's, or one that rules ask for; each call has one; each is an administrator's."""
    lines = TABLE[kind]
    assert calls <= lines.keys()
    known = calls | ASKED.keys()
    table = compiled(kind)
    for line, who in lines.items():
        assert Persona.ADMIN in who, line
        verb, _, field = line.partition(":")
        if line not in known:
            assert verb in ("create", "update", "show"), line
            assert field in {*extras, *GIVEN, *OWNERS} or field.startswith(("provider:", "binding:")), line
    told = {field for field in extras if field.startswith(("provider:", "binding:"))} - {"binding:vnic_type"}
    assert told <= table.seen.keys()
