"""Values of DHCP options: text to octets."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netplane.base import dhcp
from netplane.base.dhcp import Format, compress

TEN, NINE = b"\x0a\0\0\1", b"\x0a\0\0\x09"


@pytest.mark.parametrize(
    ("format", "text", "octets"),
    [
        (dhcp.ADDRESS, "10.0.0.1", TEN),
        (dhcp.ADDRESSES, "10.0.0.1, 10.0.0.9", TEN + NINE),
        (dhcp.PAIRS, "10.0.0.1,10.0.0.9", TEN + NINE),
        (dhcp.FLAG, "1", b"\1"),
        (dhcp.OFFSET, "-3600", b"\xff\xff\xf1\xf0"),
        (dhcp.MTU, "1450", b"\5\xaa"),
        (dhcp.LONG, "4294967295", b"\xff" * 4),
        (dhcp.SECONDS, "90", b"\0\0\0\x5a"),
        (dhcp.SECONDS, "2m", b"\0\0\0\x78"),
        (dhcp.SECONDS, "1h", b"\0\0\x0e\x10"),
        (dhcp.SECONDS, "infinite", b"\xff" * 4),
        (dhcp.TEXT, "pxelinux.0", b"pxelinux.0"),
        (dhcp.TEXT, "tftp://10.0.0.1/boot image", b"tftp://10.0.0.1/boot image"),
        (dhcp.DOMAIN, "blue.example.", b"blue.example"),
        (dhcp.DOMAINS, "eng.apple.com.,marketing.apple.com.", b"\3eng\5apple\3com\0\x09marketing\xc0\4"),
        (dhcp.SIP, "10.0.0.1", b"\1" + TEN),
        (dhcp.SIP, "a.example,b.example", b"\0\1a\7example\0\1b\7example\0"),
        (dhcp.ROUTES, "0.0.0.0/0,10.0.0.1", b"\0" + TEN),
        (
            dhcp.ROUTES,
            "10.229.0.128/25, 10.0.0.9, 10.0.0.0/8,10.0.0.1",
            b"\x19\x0a\xe5\0\x80" + NINE + b"\x08\x0a" + TEN,
        ),
        (dhcp.OCTETS, "0x00ff", b"\0\xff"),
        (dhcp.OCTETS, "0:ff:1", b"\0\xff\1"),
        (dhcp.OCTETS, '"0x00ff"', b"0x00ff"),
        (dhcp.OCTETS, "255", b"\xff"),
        (dhcp.OCTETS, "256", b"\1\0"),
        (dhcp.OCTETS, "65536", b"\0\1\0\0"),
        (dhcp.OCTETS, "4294967296", b"4294967296"),
        (dhcp.OCTETS, "10.0.0.1,10.0.0.9", TEN + NINE),
        (dhcp.OCTETS, "text, and more", b"text, and more"),
    ],
)
def test_written_and_told(format: Format, text: str, octets: bytes) -> None:
    """The domains are the example of RFC 3397, section 2; the routes of RFC 3442."""
    assert format.encode(text) == octets


@pytest.mark.parametrize(
    ("format", "text"),
    [
        *((dhcp.ADDRESS, text) for text in ("", "x", "10.0.0.1,10.0.0.2", "10.0.0.256", "fd00::1", "10.0.0.0/8")),
        *((dhcp.ADDRESSES, text) for text in ("", "10.0.0.1,", ",", "10.0.0.1 10.0.0.2", "name")),
        *((dhcp.PAIRS, text) for text in ("10.0.0.1", "10.0.0.1,10.0.0.2,10.0.0.3", "")),
        *((dhcp.FLAG, text) for text in ("", "2", "-1", "yes", "1_0", "\N{ARABIC-INDIC DIGIT ONE}", "1" * 5000)),
        *((dhcp.MTU, text) for text in ("67", "65536", "", "1450.0", "0x100", "+1450")),
        *((dhcp.SECONDS, text) for text in ("", "0", "m", "-1", "4294967296", "4294967295h", "1y", "1 h")),
        *((dhcp.TEXT, text) for text in ("", "a\nb", "\0", "\x7f", "\N{RIGHT-TO-LEFT OVERRIDE}")),
        *((dhcp.DOMAIN, text) for text in ("", ".", "a..b", "-a", "a-", "a b", "a" * 64, "a." * 130, "$(reboot)", "ä")),
        *((dhcp.DOMAINS, text) for text in ("", "a,", "a,,b", "a b")),
        *((dhcp.SIP, text) for text in ("", "a b")),
        *((dhcp.ROUTES, text) for text in ("", "10.0.0.0/8", "10.0.0.1/8,10.0.0.1", "10.0.0.0/33,10.0.0.1", "a,b")),
        *((dhcp.OCTETS, text) for text in ("", "0x", "0x0", "0xgg", '""', "a\n")),
    ],
)
def test_what_makes_no_sense(format: Format, text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        format.encode(text)


FORMATS = [value for value in vars(dhcp).values() if isinstance(value, Format)]


@given(st.sampled_from(FORMATS), st.text(max_size=300))
def test_nothing_but_value_errors(format: Format, text: str) -> None:
    with suppress(ValueError):
        assert format.encode(text)


LABEL = st.from_regex(rb"[a-z0-9]{1,12}", fullmatch=True)


def expand(octets: bytes) -> list[tuple[bytes, ...]]:
    """Names as a client reads them (RFC 1035, section 4.1.4)."""
    names, at = [], 0
    while at < len(octets):
        name, where, after = [], at, 0
        while octets[where]:
            if octets[where] >= 0xC0:
                after = after or where + 2
                where = int.from_bytes(octets[where : where + 2], "big") & 0x3FFF
                continue
            name.append(octets[where + 1 : where + 1 + octets[where]])
            where += 1 + octets[where]
        names.append(tuple(name))
        at = after or where + 1
    return names


@given(st.lists(st.lists(LABEL, min_size=1, max_size=4).map(tuple), max_size=8))
def test_compressed_names_can_be_read(names: list[tuple[bytes, ...]]) -> None:
    told = compress(names)
    assert expand(told) == names
    assert len(told) <= sum(sum(len(label) + 1 for label in name) + 1 for name in names)
