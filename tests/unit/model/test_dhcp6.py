"""The DHCPv6 options of ports."""

import pytest

from netplane.model import DhcpOption
from netplane.model.dhcp6 import OPTIONS, RESERVED, code_of, encode_option


def test_names_and_numbers_are_the_same_options() -> None:
    for name, known in OPTIONS.items():
        assert code_of(name) == code_of(name.upper()) == code_of(str(known.code)) == known.code
        assert known.code not in RESERVED


@pytest.mark.parametrize("name", ["", "0", "65536", "-1", "3", "ia-na", "1x", "bootfile-name"])
def test_what_is_no_option_of_a_port(name: str) -> None:
    with pytest.raises(ValueError, match="DHCPv6 option"):
        code_of(name)


def test_values() -> None:
    assert encode_option(DhcpOption("bootfile-url", "http://[fd00::1]/b", 6)) == (59, b"http://[fd00::1]/b")
    assert encode_option(DhcpOption("999", "0x01", 6)) == (999, b"\1")
    with pytest.raises(ValueError, match="dns-server: "):
        encode_option(DhcpOption("dns-server", "10.0.0.1", 6))
