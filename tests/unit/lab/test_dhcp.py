"""What the lab reads of a lease."""

import pytest

from netplane.lab.dhcp import Lease, parse_lease, parse_routes


@pytest.mark.parametrize(
    ("numbers", "wanted"),
    [
        ("", []),
        ("0 10 0 1 1", [("0.0.0.0/0", "10.0.1.1")]),
        ("24 198 51 100 10 0 1 254 0 10 0 1 1", [("198.51.100.0/24", "10.0.1.254"), ("0.0.0.0/0", "10.0.1.1")]),
        ("32 192 0 2 1 10 0 1 1", [("192.0.2.1/32", "10.0.1.1")]),
        ("9 10 128 10 0 1 1", [("10.128.0.0/9", "10.0.1.1")]),
    ],
)
def test_classless_routes(numbers: str, wanted: list[tuple[str, str]]) -> None:
    assert parse_routes(numbers) == wanted


def test_lease() -> None:
    text = (
        "reason=BOUND\naddress=10.0.1.11/255.255.255.0\nmtu=1450\nrouters=10.0.1.1\ndns=192.0.2.53\n"
        "routes=0 10 0 1 1\nserver=10.0.1.1\nseconds=86400\n"
    )
    lease = parse_lease(text)
    assert lease == Lease(
        "BOUND", "10.0.1.11/255.255.255.0", "1450", "10.0.1.1", "192.0.2.53", "0 10 0 1 1", "10.0.1.1", "86400"
    )
    assert lease.ip == "10.0.1.11"
    assert parse_lease("") is None
