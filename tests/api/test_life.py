"""Everything goes up and down: in the end no record is left, in whichever order it goes."""

from itertools import permutations

from tests.api.support import World
from tests.api.test_routers import add, remove


def build(world: World, token: str) -> dict[str, list[str]]:
    """Two networks, a router between them, groups that name each other, ports in several."""
    networks = [world.make("network", token, name=name)["id"] for name in ("a", "b")]
    subnets = [
        world.make("subnet", token, network_id=network, cidr=f"10.0.{index}.0/24")["id"]
        for index, network in enumerate(networks)
    ]
    router = world.make("router", token)["id"]
    groups = [world.make("security_group", token, name=name)["id"] for name in ("web", "db")]
    for group, remote in permutations(groups):
        world.make("security_group_rule", token, security_group_id=group, direction="ingress", remote_group_id=remote)
    wishes: list[dict[str, list[str]]] = [{}, {"security_groups": groups}, {"security_groups": []}]
    ports = [world.make("port", token, network_id=network, **more)["id"] for network in networks for more in wishes]
    return {"port": ports, "router": [router], "subnet": subnets, "network": networks, "security_group": groups}


def test_up_and_down(world: World) -> None:
    built = build(world, "blue")
    for subnet in built["subnet"]:
        add(world, built["router"][0], subnet_id=subnet)
    up = world.counts()
    assert up == {
        "network": 2,
        "subnet": 2,
        "router": 1,
        "port": 8,
        "security_group": 3,
        "security_group_rule": 4 + 4 + 2,
        "identity": 2,
    }
    for subnet in built["subnet"]:
        remove(world, built["router"][0], subnet_id=subnet)
    for kind, ids in built.items():
        for id in ids:
            world.remove(kind, id)
    assert world.counts() == {"security_group": 1, "security_group_rule": 4}
    for group in world.get("security-groups", "admin")["security_groups"]:
        world.remove("security_group", group["id"], "admin")
    assert world.counts() == {}
    check_tables_are_empty(world)


def test_projects_do_not_touch(world: World) -> None:
    built = build(world, "blue")
    before = world.counts()
    other = build(world, "red")
    for kind, ids in other.items():
        for id in ids:
            world.remove(kind, id, "red")
    left = world.counts()
    assert left == before | {
        "security_group": before["security_group"] + 1,
        "security_group_rule": before["security_group_rule"] + 4,
    }
    for kind, ids in built.items():
        collection = f"{kind}s".replace("_", "-")
        assert all(world.ask("GET", f"/v2.0/{collection}/{id}").status == 200 for id in ids)


def check_tables_are_empty(world: World) -> None:
    """Nothing stays behind what the records themselves are."""
    with world.store.read() as reader:
        for space in ("vni", "router", "identity", "default-group"):
            assert reader.taken(space, ["1", "2", "3", "blue"]) == set()
    built = [change.id for change in world.store.changes(0)]
    with world.store.read() as reader:
        assert not any(reader.held_by(id) or reader.followers(id) for id in built)
        assert reader.present(built) == set()
