"""Quotas: what a project may have, how much of it is used, and that nobody ever exceeds it."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from threading import Barrier, Thread

import pytest

from netplane.api.limits import DEFAULTS, parse_limits
from netplane.api.policy.table import ADMIN, TABLE
from netplane.api.rules import RULES
from netplane.model import STORED, kind_of
from netplane.model.quota import UNLIMITED
from netplane.model.resource import Resource
from netplane.store import Store, Transaction
from tests.api.support import Json, World, collection_of
from tests.api.test_ports import make_network
from tests.api.test_routers import add

OVER = (409, "OverQuota")


def limit(world: World, project: str = "blue", /, **limits: int) -> Json:
    reply = world.ask("PUT", f"/v2.0/quotas/{project}", {"quota": limits}, "admin")
    assert reply.status == 200, reply
    return reply.json["quota"]


def used(world: World, kind: str, token: str = "blue") -> int:
    shown = world.get("quotas/blue/details.json", token)["quota"][kind]
    assert shown["reserved"] == 0
    return int(shown["used"])


def counted(store: Store) -> dict[tuple[str, str], int]:
    """What there is, counted one by one."""
    found: Counter[tuple[str, str]] = Counter()
    with store.read() as reader:
        for kind in STORED:
            if issubclass(kind, Resource):
                found.update((record.project_id, kind_of(kind)) for record in reader.list(kind))
    return dict(found)


def kept(store: Store, projects: set[str]) -> dict[tuple[str, str], int]:
    """What the store says that there is."""
    with store.read() as reader:
        numbers = {(project, kind): used for project in projects for kind, used in reader.used(project).items()}
    return {place: number for place, number in numbers.items() if number}


def test_every_limit_is_of_a_kind_that_there_is() -> None:
    assert DEFAULTS.keys() <= {kind_of(rules.kind) for rules in RULES}


def test_every_kind_that_projects_make_has_a_limit() -> None:
    made = {kind_of(rules.kind) for rules in RULES if rules.create is not None}
    operators = {kind_of(kind) for kind, lines in TABLE.items() if lines.get("create") == ADMIN}
    assert made - operators == DEFAULTS.keys()
    assert UNLIMITED not in DEFAULTS.values()


def test_a_project_without_a_quota_has_the_defaults(world: World) -> None:
    for path in ("quotas/blue", "quotas/blue/default", "quotas/blue.json"):
        assert world.get(path) == {"quota": dict(DEFAULTS)}
    assert world.get("quotas", "admin") == {"quotas": []}
    assert world.get("quotas/tenant") == {"tenant": {"tenant_id": "blue"}}
    assert world.get("quotas/project") == {"project": {"project_id": "blue"}}


def test_a_quota_comes_changes_and_goes(world: World) -> None:
    assert limit(world, network=1) == {**DEFAULTS, "network": 1}
    assert limit(world, port="7") == {**DEFAULTS, "network": 1, "port": 7}  # type: ignore[arg-type]
    assert world.get("quotas/blue")["quota"]["network"] == 1
    assert world.get("quotas/blue/default")["quota"]["network"] == 100
    [listed] = world.get("quotas", "admin")["quotas"]
    assert listed == {**DEFAULTS, "network": 1, "port": 7, "project_id": "blue", "tenant_id": "blue"}
    assert world.ask("DELETE", "/v2.0/quotas/blue", token="admin").status == 204
    assert world.get("quotas/blue") == {"quota": dict(DEFAULTS)}
    assert world.refused("DELETE", "quotas/blue", token="admin") == (404, "TenantQuotaNotFound")


@pytest.mark.parametrize(
    ("body", "type"),
    [
        ({"quota": {"network": -2}}, "InvalidInput"),
        ({"quota": {"network": 2**31}}, "InvalidInput"),
        ({"quota": {"network": "many"}}, "InvalidInput"),
        ({"quota": {"network": None}}, "InvalidInput"),
        ({"quota": {"dragon": 1}}, "InvalidInput"),
        ({"quota": {"tenant_id": "red"}}, "InvalidInput"),
        ({"quota": []}, "InvalidInput"),
        ({}, "InvalidInput"),
        (b"{", "HTTPBadRequest"),
    ],
)
def test_limits_that_make_no_sense(world: World, body: Json, type: str) -> None:
    assert world.refused("PUT", "quotas/blue", body, "admin") == (400, type)


def test_who_sees_and_changes_quotas(world: World) -> None:
    denied = (403, "PolicyNotAuthorized")
    for path in ("quotas", "quotas/red", "quotas/red/default", "quotas/red/details"):
        assert world.refused("GET", path) == denied
        world.get(path, "admin")
    assert world.refused("PUT", "quotas/blue", {"quota": {"network": 1}}) == denied
    assert world.refused("DELETE", "quotas/blue") == denied
    assert world.ask("POST", "/v2.0/quotas", {}, "admin").error == (405, "HTTPMethodNotAllowed")


def test_what_is_used_is_counted_up_and_down(world: World) -> None:
    network, (subnet,) = make_network(world, "10.0.0.0/24")
    assert (used(world, "network"), used(world, "subnet"), used(world, "port")) == (1, 1, 0)
    ports = [world.make("port", network_id=network)["id"] for _ in range(3)]
    router = world.make("router")["id"]
    add(world, router, subnet_id=subnet)
    assert (used(world, "port"), used(world, "router"), used(world, "security_group")) == (4, 1, 1)
    assert used(world, "security_group_rule") == 4
    world.remove("port", ports.pop())
    world.ask("PUT", f"/v2.0/routers/{router}/remove_router_interface", {"subnet_id": subnet})
    assert used(world, "port") == 2
    for port in ports:
        world.remove("port", port)
    world.remove("network", network)  # and the subnet with it
    world.remove("router", router)
    assert (used(world, "network"), used(world, "subnet"), used(world, "port"), used(world, "router")) == (0, 0, 0, 0)
    assert kept(world.store, {"blue", "red", "admin"}) == counted(world.store)


@pytest.mark.parametrize("kind", ["network", "router", "security_group", "port"])
def test_no_more_than_the_limit(world: World, kind: str) -> None:
    fields = {"network_id": make_network(world)[0]} if kind == "port" else {}
    world.make(kind, **fields)
    limit(world, **{kind: used(world, kind) + 1})
    world.make(kind, **fields)
    path = collection_of(kind)
    refusal = world.ask("POST", f"/v2.0/{path}", {kind: fields})
    assert refusal.error == OVER
    assert refusal.json["NeutronError"]["message"] == f"Quota exceeded for resources: ['{kind}']."
    assert world.refused("POST", path, {kind: fields}) == OVER
    limit(world, **{kind: -1})
    world.make(kind, **fields)
    limit(world, **{kind: 0})
    assert world.refused("POST", path, {kind: fields}) == OVER
    [one, *_] = world.get(path)[path.replace("-", "_")]
    if kind != "security_group":
        world.remove(kind, one["id"])
    assert world.refused("POST", path, {kind: fields}) == OVER


def test_a_list_counts_as_one(world: World) -> None:
    network, _ = make_network(world)
    limit(world, port=5)
    wish = {"ports": [{"network_id": network}] * 6}
    assert world.refused("POST", "ports", wish) == OVER
    assert used(world, "port") == 0
    assert world.ask("POST", "/v2.0/ports", {"ports": wish["ports"][:5]}).status == 201
    assert used(world, "port") == 5


def test_a_list_that_is_over_the_quota_is_refused_before_anything_is_made(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit(world, network=3)
    limit(world, "red", network=1)
    world.make("network")
    both = [{"project_id": project} for project in ("blue", "red", "red")]

    def make_nothing(_transaction: Transaction, record: Resource) -> Resource:
        raise AssertionError(f"{record} is made")

    with monkeypatch.context() as patched:
        patched.setattr(Transaction, "add", make_nothing)
        assert world.refused("POST", "networks", {"networks": [{}] * 3}) == OVER
        assert world.refused("POST", "networks", {"networks": both}, "admin") == OVER
    assert world.ask("POST", "/v2.0/networks", {"networks": both[:2]}, "admin").status == 201
    assert used(world, "network") == 2


def test_quotas_are_each_projects_own(world: World) -> None:
    limit(world, network=0)
    assert world.refused("POST", "networks", {"network": {}}) == OVER
    world.make("network", "red")
    # What counts is whose it becomes, not who makes it.
    assert world.refused("POST", "networks", {"network": {"project_id": "blue"}}, "admin") == OVER


def test_a_limit_may_be_set_below_what_is_used_unless_one_asks(world: World) -> None:
    make_network(world)
    wish = {"quota": {"network": 0, "check_limit": True}}
    assert world.refused("PUT", "quotas/blue", wish, "admin") == (400, "HTTPBadRequest")
    assert limit(world, network=1, check_limit=True)["network"] == 1
    assert limit(world, network=0, force=True)["network"] == 0


def test_what_comes_by_itself_is_not_refused(world: World) -> None:
    """The default group and its rules, and a router's own port, are counted, but nobody asked for them."""
    limit(world, security_group=0, security_group_rule=0, port=0)
    _, (subnet,) = make_network(world, "10.0.0.0/24")
    assert used(world, "security_group") == 1
    add(world, world.make("router")["id"], subnet_id=subnet)
    assert used(world, "port") == 1


def race(threads: int, work: Callable[[int], None]) -> None:
    start = Barrier(threads)

    def run(number: int) -> None:
        start.wait()
        work(number)

    running = [Thread(target=run, args=(number,)) for number in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()


def test_fifty_racing_clients_never_exceed_a_quota(world: World) -> None:
    network, _ = make_network(world)
    limit(world, port=20)
    statuses: list[int] = []

    def work(number: int) -> None:
        wish: Json = {"port": {"network_id": network}} if number % 2 else {"ports": [{"network_id": network}] * 2}
        statuses.append(world.ask("POST", "/v2.0/ports", wish).status)

    race(50, work)
    assert set(statuses) == {201, 409}
    assert used(world, "port") == len(world.get("ports")["ports"]) <= 20
    assert used(world, "port") >= 19
    assert kept(world.store, {"blue"}) == counted(world.store)


def test_limits_from_a_file(tmp_path: Path) -> None:
    assert parse_limits("") == DEFAULTS
    limits = parse_limits("network = 1\nport = -1")
    assert limits == {**DEFAULTS, "network": 1, "port": -1}
    world = World(tmp_path, limits=limits)
    world.make("network")
    assert world.refused("POST", "networks", {"network": {}}) == OVER
    assert world.get("quotas/blue/default")["quota"]["network"] == 1
    world.close()


@pytest.mark.parametrize("text", ["dragon = 1", "network = -2", "network = 'many'", "network = 1.5", "network", "[x]"])
def test_files_of_limits_that_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_limits(text)
