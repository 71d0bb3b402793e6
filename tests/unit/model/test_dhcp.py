"""The names and numbers of DHCP options."""

import pytest

from netplane.model import DhcpOption, Port
from netplane.model.dhcp import NEXT_SERVER, OPTIONS, RESERVED, WITHHOLDABLE, code_of, encode_option
from netplane.store.codec import decode, encode


def test_each_option_has_one_name_and_none_is_the_protocols() -> None:
    codes = [known.code for known in OPTIONS.values()]
    assert len(set(codes)) == len(codes)
    assert RESERVED.isdisjoint(codes)
    assert WITHHOLDABLE.issubset(codes)


@pytest.mark.parametrize(
    ("name", "code"),
    [("bootfile-name", 67), ("67", 67), ("Router", 3), ("t1", 58), ("224", 224), ("server-ip-address", NEXT_SERVER)],
)
def test_codes(name: str, code: int) -> None:
    assert code_of(name) == code


@pytest.mark.parametrize("name", ["", "0", "256", "-1", "6_7", "none", "tag:x", "message-type", "53", "61", "99999999"])
def test_what_is_no_option(name: str) -> None:
    with pytest.raises(ValueError, match="DHCP option"):
        code_of(name)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("bootfile-name", "pxelinux.0", (67, b"pxelinux.0")),
        ("210", "/boot/", (210, b"/boot/")),
        ("26", "1400", (26, b"\5\x78")),
        ("router", "", (3, b"")),
        ("121", "", (121, b"")),
        ("224", "0x0102", (224, b"\1\2")),
        ("225", "hello", (225, b"hello")),
    ],
)
def test_encoded(name: str, value: str, told: tuple[int, bytes]) -> None:
    assert encode_option(DhcpOption(name, value)) == told


def test_what_is_wrong_is_told_with_its_name() -> None:
    with pytest.raises(ValueError, match="mtu: 'x' is not a number from 68 to 65535"):
        encode_option(DhcpOption("mtu", "x"))
    with pytest.raises(ValueError, match="bootfile-name"):
        encode_option(DhcpOption("bootfile-name", ""))


def test_ports_from_before_there_were_options_are_read() -> None:
    """Fields with their default are not written, so this is such a body."""
    old = Port(id="p", network_id="n", mac_address="02:00:00:00:00:01")
    assert b"extra_dhcp_opts" not in encode(old)
    assert decode(encode(old)) == old
    new = Port(id="p", network_id="n", mac_address="02:00:00:00:00:01", extra_dhcp_opts=(DhcpOption("67", "x", 6),))
    assert decode(encode(new)) == new
