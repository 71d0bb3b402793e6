"""Addresses that interfaces make themselves."""

from netplane.base.addresses import eui64, link_local, pack_address, pack_mac, unpack_address

MAC = pack_mac("fa:16:3e:01:02:03")


def test_an_address_is_made_of_a_prefix_and_a_mac() -> None:
    """The universal bit is turned (RFC 4291, appendix A)."""
    assert unpack_address(eui64(pack_address("2001:db8:1:2::"), MAC)) == "2001:db8:1:2:f816:3eff:fe01:203"
    assert (
        unpack_address(eui64(pack_address("2001:db8::"), pack_mac("00:16:3e:01:02:03")))
        == "2001:db8::216:3eff:fe01:203"
    )


def test_the_address_on_the_link() -> None:
    assert unpack_address(link_local(MAC)) == "fe80::f816:3eff:fe01:203"
