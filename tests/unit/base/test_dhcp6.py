"""Values of DHCPv6 options: what people write, and what is sent."""

import pytest

from netplane.base import dhcp6
from netplane.base.dhcp import Format

ONE = bytes.fromhex("20010db8000000000000000000000001")


@pytest.mark.parametrize(
    ("format", "text", "octets"),
    [
        (dhcp6.ADDRESSES, "2001:db8::1", ONE),
        (dhcp6.ADDRESSES, "[2001:db8::1], 2001:db8::1", ONE + ONE),
        (dhcp6.NAMES, "a.example,b", b"\1a\7example\0\1b\0"),
        (dhcp6.TIME, "2001:db8::1", b"\0\1\0\x10" + ONE),
        (dhcp6.TIME, "ff05::101,ntp.example", b"\0\2\0\x10\xff\5" + bytes(12) + b"\1\1\0\3\0\x0d\3ntp\7example\0"),
        (dhcp6.PARAMETERS, "root=/dev/x,ro", b"\0\x0broot=/dev/x\0\2ro"),
        (dhcp6.OCTETS, "0x0a0b", b"\x0a\x0b"),
        (dhcp6.OCTETS, "0a:0b", b"\x0a\x0b"),
        (dhcp6.OCTETS, "2001:db8::1", ONE),
        (dhcp6.OCTETS, "300", b"\1\x2c"),
        (dhcp6.OCTETS, '"300"', b"300"),
        (dhcp6.OCTETS, "words of mine", b"words of mine"),
    ],
)
def test_values(format: Format, text: str, octets: bytes) -> None:
    assert format.encode(text) == octets


@pytest.mark.parametrize(
    ("format", "text", "said"),
    [
        (dhcp6.ADDRESSES, "", "At least 3 parts|cannot be empty"),
        (dhcp6.ADDRESSES, "192.0.2.1", "At least 3 parts"),
        (dhcp6.ADDRESSES, "2001:db8::1,", "cannot be empty"),
        (dhcp6.NAMES, "a..b", "is not a domain name"),
        (dhcp6.NAMES, "-a", "is not a domain name"),
        (dhcp6.TIME, "ntp,", "is not a domain name"),
        (dhcp6.PARAMETERS, "a,,b", "printable"),
        (dhcp6.OCTETS, "0x", "no octets"),
        (dhcp6.OCTETS, "0xabc", "hexadecimal"),
        (dhcp6.OCTETS, "a\tb", "printable"),
    ],
)
def test_what_makes_no_sense(format: Format, text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        format.encode(text)
