"""What routers say of a network, by its records."""

import pytest
from msgspec.structs import replace

from netplane.agent.answers.advert import Advert, PrefixFlag, Says
from netplane.agent.answers.link import LIFETIME, PLATFORM_MAC, Link, adverts, changed
from netplane.base.addresses import pack_address, pack_mac
from netplane.model import DhcpOption, Port, Router, Subnet
from netplane.model.network import DHCPV6_STATEFUL, DHCPV6_STATELESS, SLAAC
from tests.unit.agent.ipv6 import AUTOMATIC, DNS, DUAL, STATEFUL, STATELESS, interface, subnet
from tests.unit.agent.records import INTERFACE, NETWORK, ROUTER, SUBNET

ROUTERS_MAC = pack_mac(INTERFACE.mac_address)


def spoken(subnets: list[Subnet], interfaces: list[Port], port: Port = DUAL, router: Router = ROUTER) -> list[Advert]:
    return list(adverts(Link(NETWORK, subnets, interfaces, {router.id: router}), port))


@pytest.mark.parametrize(
    ("mode", "says", "autonomous"),
    [
        (SLAAC, Says(0), PrefixFlag.AUTONOMOUS),
        (DHCPV6_STATELESS, Says.OTHER, PrefixFlag.AUTONOMOUS),
        (DHCPV6_STATEFUL, Says.MANAGED, PrefixFlag(0)),
    ],
)
def test_modes(mode: str, says: Says, autonomous: PrefixFlag) -> None:
    only = subnet("only", "2001:db8:9", mode)
    (advert,) = spoken([SUBNET, only], [interface(only)])
    assert (advert.mac, advert.says, advert.lifetime, advert.mtu) == (ROUTERS_MAC, says, LIFETIME, 1400)
    (prefix,) = advert.prefixes
    assert (prefix.network, prefix.length) == (pack_address("2001:db8:9::"), 64)
    assert prefix.flags == PrefixFlag.ON_LINK | autonomous
    assert advert.resolvers == (DNS,)


def test_one_router_says_all_of_its_subnets() -> None:
    everything = [AUTOMATIC, STATELESS, STATEFUL]
    (advert,) = spoken(everything, [interface(*everything)])
    assert advert.says == Says.MANAGED | Says.OTHER
    assert len(advert.prefixes) == 3
    assert advert.resolvers == (DNS,)


def test_nothing_is_said_where_another_speaks() -> None:
    assert spoken([SUBNET, subnet("none", "2001:db8:9", None)], []) == []
    others = subnet("others", "2001:db8:9", None, ipv6_address_mode=SLAAC)
    assert spoken([others], [interface(others)]) == []


def test_without_a_router_the_platform_speaks_and_is_none() -> None:
    (advert,) = spoken([AUTOMATIC, STATEFUL], [])
    assert (advert.mac, advert.lifetime, len(advert.prefixes)) == (PLATFORM_MAC, 0, 2)


def test_each_speaks_of_its_own() -> None:
    routers, platforms = spoken([AUTOMATIC, STATEFUL], [interface(STATEFUL)])
    assert (routers.mac, routers.lifetime, routers.says) == (ROUTERS_MAC, LIFETIME, Says.MANAGED)
    assert (platforms.mac, platforms.lifetime, platforms.says) == (PLATFORM_MAC, 0, Says(0))


def test_a_router_that_is_down_or_no_gateway_is_no_default_router() -> None:
    (down,) = spoken([AUTOMATIC], [interface(AUTOMATIC)], router=replace(ROUTER, admin_state_up=False))
    assert (down.mac, down.lifetime) == (ROUTERS_MAC, 0)
    (beside,) = spoken([replace(AUTOMATIC, gateway_ip="2001:db8:a::2")], [interface(AUTOMATIC)])
    assert (beside.mac, beside.lifetime) == (ROUTERS_MAC, 0)


def test_a_ports_own_options_replace_the_resolvers() -> None:
    options = (
        DhcpOption("dns-server", "2001:db8::1,2001:db8::2", 6),
        DhcpOption("domain-search", "a.example", 6),
        DhcpOption("sip-server", "nonsense", 6),
        DhcpOption("domain-search", "b.example", 4),
    )
    (advert,) = spoken([AUTOMATIC], [], replace(DUAL, extra_dhcp_opts=options))
    assert advert.resolvers == (pack_address("2001:db8::1"), pack_address("2001:db8::2"))
    assert advert.search == (b"\1a\7example\0",)


def test_the_networks_domain_is_where_names_are_looked_for() -> None:
    network = replace(NETWORK, dns_domain="blue.example.")
    (advert,) = adverts(Link(network, [AUTOMATIC], [], {}), DUAL)
    assert advert.search == (b"\4blue\7example\0",)


def test_a_router_that_has_gone_says_farewell() -> None:
    before = spoken([AUTOMATIC], [interface(AUTOMATIC)])
    after = spoken([AUTOMATIC], [])
    farewell, platforms = changed(before, after)
    assert (farewell.mac, farewell.lifetime, farewell.prefixes, farewell.told) == (ROUTERS_MAC, 0, (), 0)
    assert (platforms,) == tuple(after)


def test_a_prefix_that_has_gone_is_taken_back() -> None:
    before = spoken([AUTOMATIC, STATELESS], [interface(AUTOMATIC, STATELESS)])
    (news,) = changed(before, spoken([AUTOMATIC], [interface(AUTOMATIC)]))
    holds, gone = news.prefixes
    assert (holds.network, holds.valid > 0) == (pack_address("2001:db8:a::"), True)
    assert (gone.network, gone.valid, gone.preferred) == (pack_address("2001:db8:b::"), 0, 0)
    (farewell,) = changed(before, [])
    assert [prefix.valid for prefix in farewell.prefixes] == [0, 0]


def test_what_is_new_is_said_as_it_is() -> None:
    after = spoken([AUTOMATIC], [interface(AUTOMATIC)])
    assert list(changed((), after)) == after
