"""Where hosts are told to find a controller."""

import pytest

from netplane.controller import whereabouts
from netplane.controller.whereabouts import advertised, introduced, reachable


@pytest.mark.parametrize(
    ("listens", "told"),
    [
        ("192.0.2.7:9697", "192.0.2.7:9697"),
        ("unix:///run/netplane/southbound", "unix:///run/netplane/southbound"),
        ("0.0.0.0:9697", ":9697"),
        ("[::]:9697", ":9697"),
    ],
)
def test_advertised(listens: str, told: str) -> None:
    assert advertised(listens) == told


FAR = ["one:9697", "192.0.2.7:9697", "[2001:db8::1]:9697", "127.example:1"]
NEAR = ["unix:///run/netplane/southbound", "127.0.0.1:9697", "127.0.0.9:1", "[::1]:9697", "localhost:9697"]


@pytest.mark.parametrize("near", NEAR)
def test_what_only_one_machine_reaches_is_told_there_alone(near: str) -> None:
    assert introduced(["one:9697"], [*FAR, near]) == sorted(FAR)
    assert introduced(["one:9697", near], [*FAR, *NEAR]) == sorted([*FAR, *NEAR])
    assert introduced([near], ["two:9697"]) == sorted([near, "two:9697"])
    assert introduced([], [near]) == []


def test_what_is_whole_stays() -> None:
    assert reachable(["one:9697", "unix:///s"]) == ("one:9697", "unix:///s")


def test_a_port_alone_gets_an_address_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for family in whereabouts.NOWHERE:
        monkeypatch.setitem(whereabouts.NOWHERE, family, "127.0.0.1")
    assert reachable([":9697", "two:1"]) == ("127.0.0.1:9697", "two:1")


def test_a_port_alone_is_left_out_without_a_way_to_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for family in whereabouts.NOWHERE:
        monkeypatch.setitem(whereabouts.NOWHERE, family, "no address")
    assert reachable([":9697", "two:1"]) == ("two:1",)
