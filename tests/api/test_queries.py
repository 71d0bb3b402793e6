"""Filters, fields, sorting and pages."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.api.support import World


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Networks a to e of blue, one of red, and ports on the first."""
    made = World(Path(tmp_path_factory.mktemp("queries")))
    networks = [
        made.make("network", name=name, mtu=1400 + index, admin_state_up=index % 2 == 0)
        for index, name in enumerate("abcde")
    ]
    made.make("network", "red", name="a")
    subnet = made.make("subnet", network_id=networks[0]["id"], cidr="10.0.0.0/24")["id"]
    for index in range(3):
        wish = [{"subnet_id": subnet, "ip_address": f"10.0.0.{10 + index}"}]
        made.make("port", network_id=networks[0]["id"], name=f"p{index}", device_id="vm", fixed_ips=wish)
    made.make("port", network_id=networks[1]["id"], name="", security_groups=[])
    yield made
    made.close()


def names(world: World, query: str, token: str = "blue") -> str:
    """The names of the networks that a query finds, in their order."""
    return "".join(network["name"] for network in world.get(f"networks?{query}", token)["networks"])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "abcde"),
        ("name=b", "b"),
        ("name=b&name=d", "bd"),
        ("name=b&mtu=1403", ""),
        ("name=none", ""),
        ("mtu=1402&mtu=1403", "cd"),
        ("admin_state_up=True", "ace"),
        ("admin_state_up=false", "bd"),
        ("project_id=blue", "abcde"),
        ("tenant_id=red", ""),
        ("status=DOWN", "bd"),
        ("shared=True", ""),
        ("shared=False&name=c", "c"),
        ("router%3Aexternal=True", ""),
        ("description=", "abcde"),
        ("name=a&name=b&admin_state_up=1", "a"),
    ],
)
def test_filters(world: World, query: str, expected: str) -> None:
    assert "".join(sorted(names(world, query))) == expected


def test_filters_by_id(world: World) -> None:
    ids = [network["id"] for network in world.get("networks?name=a&name=c")["networks"]]
    assert sorted(names(world, f"id={ids[0]}&id={ids[1]}&id=none")) == ["a", "c"]
    assert names(world, f"id={ids[0]}&name=none") == ""


def test_administrators_list_everything(world: World) -> None:
    assert sorted(names(world, "", "admin")) == list("aabcde")
    assert names(world, "project_id=red", "admin") == "a"
    assert names(world, "", "red") == "a"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("network_id={network}", {"p0", "p1", "p2"}),
        ("network_id=none", set()),
        ("device_id=vm&name=p1", {"p1"}),
        ("name=", {""}),
        ("fixed_ips=ip_address%3D10.0.0.11", {"p1"}),
        ("fixed_ips=ip_address%3D10.0.0.11&fixed_ips=ip_address%3D10.0.0.12", {"p1", "p2"}),
        ("fixed_ips=ip_address_substr%3D.0.1", {"p0", "p1", "p2"}),
        ("fixed_ips=ip_address_substr%3D0.12&fixed_ips=subnet_id%3D{subnet}", {"p2"}),
        ("fixed_ips=ip_address_substr%3D192", set()),
        ("fixed_ips=subnet_id%3D{subnet}", {"p0", "p1", "p2"}),
        ("fixed_ips=subnet_id%3D{subnet}&fixed_ips=ip_address%3D10.0.0.10", {"p0"}),
        ("fixed_ips=subnet_id%3Dnone&fixed_ips=ip_address%3D10.0.0.10", set()),
        ("security_groups={group}", {"p0", "p1", "p2"}),
    ],
)
def test_filters_of_ports(world: World, query: str, expected: set[str]) -> None:
    ids = {
        "network": world.get("networks?name=a")["networks"][0]["id"],
        "subnet": world.get("subnets")["subnets"][0]["id"],
        "group": world.get("security-groups")["security_groups"][0]["id"],
    }
    assert {port["name"] for port in world.get(f"ports?{query.format(**ids)}")["ports"]} == expected


def test_filters_for_null(world: World) -> None:
    assert len(world.get("security-group-rules?remote_group_id=null")["security_group_rules"]) == 2


def test_fields(world: World) -> None:
    assert world.get("networks?name=b&fields=name&fields=mtu")["networks"] == [{"name": "b", "mtu": 1401}]
    id = world.get("networks?name=b")["networks"][0]["id"]
    assert world.get(f"networks/{id}?fields=status")["network"] == {"status": "DOWN"}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("sort_key=name", "abcde"),
        ("sort_key=name&sort_dir=desc", "edcba"),
        ("sort_key=mtu&sort_dir=desc", "edcba"),
        ("sort_key=admin_state_up&sort_key=name&sort_dir=desc&sort_dir=desc", "ecadb"),
        ("sort_key=admin_state_up&sort_dir=asc&sort_key=name", "bdace"),
    ],
)
def test_sorting(world: World, query: str, expected: str) -> None:
    assert names(world, query) == expected


def follow(world: World, path: str, rel: str) -> list[str]:
    """The names on each page, from a first one on."""
    pages = []
    while path:
        body = world.get(path)
        pages.append("".join(network["name"] for network in body["networks"]))
        links = {link["rel"]: urlsplit(link["href"]) for link in body.get("networks_links", [])}
        path = f"networks?{links[rel].query}" if rel in links else ""
    return pages


def test_pages_forwards(world: World) -> None:
    assert follow(world, "networks?limit=2&sort_key=name", "next") == ["ab", "cd", "e"]
    assert follow(world, "networks?limit=5&sort_key=name", "next") == ["abcde", ""]


def test_pages_backwards(world: World) -> None:
    last = world.get("networks?name=e")["networks"][0]["id"]
    start = f"networks?limit=2&sort_key=name&marker={last}&page_reverse=True"
    assert follow(world, start, "previous") == ["cd", "ab", ""]


def test_pages_of_what_needs_its_view(world: World) -> None:
    assert follow(world, "networks?limit=2&sort_key=name&status=ACTIVE", "next") == ["ac", "e"]


@pytest.mark.parametrize(("token", "count"), [("blue", 5), ("admin", 6), ("red", 1)])
def test_plain_pages(world: World, token: str, count: int) -> None:
    """By id, one by one, each once."""
    found: list[str] = []
    while page := world.get(f"networks?limit=1{f'&marker={found[-1]}' if found else ''}", token)["networks"]:
        found += [network["id"] for network in page]
    assert found == [network["id"] for network in world.get("networks", token)["networks"]]
    assert len(found) == count


def test_a_marker_of_another_project(world: World) -> None:
    id = world.get("networks", "red")["networks"][0]["id"]
    assert world.refused("GET", f"networks?limit=1&marker={id}") == (404, "NetworkNotFound")
    assert world.refused("GET", f"networks?limit=1&sort_key=name&marker={id}") == (404, "NetworkNotFound")


def test_no_limit_is_no_pages(world: World) -> None:
    assert set(world.get("networks?limit=0")) == {"networks"}
    assert set(world.get("networks")) == {"networks"}


@pytest.mark.parametrize("limit", ["9" * 19, "9" * 5_000, "0" * 5_000 + "9"])
def test_limits_beyond_all_there_is(world: World, limit: str) -> None:
    assert len(world.get(f"networks?limit={limit}")["networks"]) == 5


@pytest.mark.parametrize("query", ["subnets=none", "security_group_rules=none"])
def test_filters_of_what_a_view_lists(world: World, query: str) -> None:
    kind = "networks" if query.startswith("subnets") else "security-groups"
    assert world.get(f"{kind}?{query}")[kind.replace("-", "_")] == []


FILTERED = {
    "networks": ("", "name=a&", "name=b&name=d&", "project_id=blue&", "status=ACTIVE&", "status=DOWN&"),
    "subnets": ("", "name=a&", "network_id={network}&"),
    "ports": ("", "network_id={network}&", "network_id={network}&name=p1&", "device_id=vm&", "status=DOWN&"),
}


@pytest.mark.parametrize("token", ["blue", "red", "admin"])
@pytest.mark.parametrize("kind", FILTERED)
@pytest.mark.parametrize("limit", [1, 2, 3])
def test_pages_with_filters_are_the_whole_list(world: World, token: str, kind: str, limit: int) -> None:
    network = world.get("networks?name=a")["networks"][0]["id"]
    for query in (query.format(network=network) for query in FILTERED[kind]):
        whole = [one["id"] for one in world.get(f"{kind}?{query}", token)[kind]]
        paged: list[str] = []
        marker = ""
        while page := world.get(f"{kind}?{query}limit={limit}{marker}", token)[kind]:
            paged += [one["id"] for one in page]
            marker = f"&marker={paged[-1]}"
        assert paged == whole == sorted(whole), query
