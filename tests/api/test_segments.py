"""Segments: each network has one, which comes and goes with it, and operators name it."""

from typing import Any

import pytest

from tests.api.support import World

Json = dict[str, Any]

ABSENT = "00000000-0000-4000-a000-000000000000"


def segments(world: World, query: str = "") -> list[Json]:
    found: list[Json] = world.get(f"segments{query}", "admin")["segments"]
    return found


def test_a_network_has_one(world: World) -> None:
    network = world.make("network")["id"]
    number = world.get(f"networks/{network}", "admin")["network"]["provider:segmentation_id"]
    segment = {
        "id": network,
        "network_id": network,
        "network_type": "vxlan",
        "physical_network": None,
        "segmentation_id": number,
        "name": None,
        "description": None,
    }
    assert segments(world) == [segment] == segments(world, f"?network_id={network}&network_type=vxlan")
    assert world.get(f"segments/{network}", "admin")["segment"] == segment
    assert segments(world, f"?segmentation_id={number}&fields=name") == [{"name": None}]
    assert segments(world, "?network_type=vlan") == segments(world, f"?network_id={ABSENT}") == []
    assert world.get(f"networks/{network}")["network"]["l2_adjacency"] is True
    world.remove("network", network)
    assert segments(world) == []
    assert world.refused("GET", f"segments/{network}", None, "admin") == (404, "SegmentNotFound")


def test_it_is_named(world: World) -> None:
    network, other = world.make("network")["id"], world.make("network")["id"]
    assert world.ask("PUT", f"/v2.0/segments/{other}", {"segment": {}}, "admin").status == 200
    assert "segment_label" not in world.counts()
    body = {"segment": {"name": "rack", "description": "left"}}
    reply = world.ask("PUT", f"/v2.0/segments/{network}", body, "admin")
    assert (reply.status, reply.json["segment"]["name"], reply.json["segment"]["network_id"]) == (200, "rack", network)
    assert [one["id"] for one in segments(world, "?name=rack")] == [network]
    assert {one["name"] for one in segments(world, "?sort_key=name")} == {"rack", None}
    unnamed = {"segment": {"name": None}}
    assert world.ask("PUT", f"/v2.0/segments/{network}", unnamed, "admin").json["segment"]["description"] == "left"
    assert [one["name"] for one in segments(world)] == [None, None]
    for id in (network, other):
        world.remove("network", id)
    assert "segment_label" not in world.counts()


def test_pages(world: World) -> None:
    ids = sorted(world.make("network")["id"] for _ in range(3))
    first = world.get("segments?limit=2", "admin")
    assert [one["id"] for one in first["segments"]] == ids[:2]
    assert first["segments_links"][0]["rel"] == "next"
    assert [one["id"] for one in segments(world, f"?limit=2&marker={ids[1]}")] == ids[2:]


WISH = {"network_type": "vxlan", "segmentation_id": 7}


@pytest.mark.parametrize(
    ("wish", "refusal"),
    [
        (WISH, (409, "NetworkSegmentExists")),
        (WISH | {"physical_network": "p", "name": "n", "network_type": "vlan"}, (409, "NetworkSegmentExists")),
        ({"network_type": "vxlan"}, (409, "NetworkSegmentExists")),
        (WISH | {"network_id": ABSENT}, (404, "NetworkNotFound")),
        (WISH | {"segmentation_id": "x"}, (400, "InvalidInput")),
        (WISH | {"colour": "red"}, (400, "HTTPBadRequest")),
    ],
)
def test_there_is_no_second(world: World, wish: Json, refusal: tuple[int, str]) -> None:
    network = world.make("network")["id"]
    body = {"network_id": network} | wish
    assert world.refused("POST", "segments", {"segment": body}, "admin") == refusal
    assert world.refused("POST", "segments", {"segments": [body, body]}, "admin") == refusal


def test_it_does_not_go_alone(world: World) -> None:
    network = world.make("network")["id"]
    path = f"segments/{network}"
    assert world.refused("DELETE", path, None, "admin") == (409, "SegmentInUse")
    for wish in ({"segmentation_id": 8}, {"network_type": "vlan"}, {"network_id": ABSENT}):
        assert world.refused("PUT", path, {"segment": wish}, "admin") == (400, "HTTPBadRequest")
    assert world.refused("PUT", path, {"segment": {"name": "n" * 256}}, "admin") == (400, "InvalidInput")
    assert world.refused("PUT", f"segments/{ABSENT}", {"segment": {"name": "n"}}, "admin") == (404, "SegmentNotFound")


def test_subnets_lie_on_all_of_their_network(world: World) -> None:
    network = world.make("network")["id"]
    subnet = world.make("subnet", network_id=network, cidr="10.0.0.0/24", segment_id=None)
    assert subnet["segment_id"] is None
    assert world.get("subnets?segment_id=")["subnets"] == [subnet]
    assert world.get(f"subnets?segment_id={network}")["subnets"] == []
    wish = {"network_id": network, "cidr": "10.0.1.0/24", "segment_id": network}
    assert world.refused("POST", "subnets", {"subnet": wish}) == (400, "InvalidInput")
    body = {"subnet": {"segment_id": None}}
    assert world.refused("PUT", f"subnets/{subnet['id']}", body) == (400, "HTTPBadRequest")
