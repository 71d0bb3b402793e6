"""The same small slice with IPv6: a subnet of each mode on the network, and one machine's addresses in them."""

from msgspec.structs import replace

from netplane.base.addresses import eui64, pack_address, pack_mac, unpack_address
from netplane.model import FixedIP, Port, Subnet
from netplane.model.network import DHCPV6_STATEFUL, DHCPV6_STATELESS, SLAAC
from tests.unit.agent.records import INTERFACE, PORT

MAC = pack_mac(PORT.mac_address)
DNS = pack_address("2001:db8:53::1")


def subnet(id: str, prefix: str, mode: str | None, **fields: object) -> Subnet:
    """A /64 whose gateway is its first address."""
    return Subnet(
        id=id,
        network_id="net",
        ip_version=6,
        cidr=f"{prefix}::/64",
        gateway_ip=f"{prefix}::1",
        dns_nameservers=("2001:db8:53::1",),
        **{"ipv6_ra_mode": mode, "ipv6_address_mode": mode} | fields,  # type: ignore[arg-type]
    )


AUTOMATIC = subnet("auto", "2001:db8:a", SLAAC)
STATELESS = subnet("less", "2001:db8:b", DHCPV6_STATELESS)
STATEFUL = subnet("full", "2001:db8:c", DHCPV6_STATEFUL)
GIVEN = "2001:db8:c::77"


def own(prefix: str) -> str:
    """The address that the machine makes itself."""
    return unpack_address(eui64(pack_address(f"{prefix}::"), MAC))


DUAL = replace(
    PORT,
    fixed_ips=(
        *PORT.fixed_ips,
        FixedIP("auto", own("2001:db8:a")),
        FixedIP("less", own("2001:db8:b")),
        FixedIP("full", GIVEN),
    ),
)


def interface(*subnets: Subnet) -> Port:
    """The router's, by the gateways of subnets."""
    return replace(INTERFACE, fixed_ips=tuple(FixedIP(one.id, one.gateway_ip or "") for one in subnets))
