"""Equal strings are kept once."""

from netplane.interest.sharing import share
from netplane.interest.world import World
from netplane.model import Binding, FixedIP, Host, Identity, Network, Port, Record, Subnet


def fresh(text: str) -> str:
    """An equal string in another place."""
    return "".join(list(text))


def test_a_port_names_others_by_their_own_strings() -> None:
    network, subnet = (
        Network(id="network", project_id="project", vni=1),
        Subnet(id="subnet", network_id="network", cidr=""),
    )
    identity, host = Identity(id="identity", number=1, groups=("a", "b")), Host(id="host", number=1, address="")
    port = Port(
        id="port",
        network_id=fresh("network"),
        project_id=fresh("project"),
        mac_address="02:00:00:00:00:01",
        fixed_ips=(FixedIP(fresh("subnet"), "10.0.0.1"), FixedIP("missing", "10.0.0.2")),
        identity_id=fresh("identity"),
        security_groups=(fresh("a"), fresh("b")),
        created_at="now",
        updated_at=fresh("now"),
    )
    binding = Binding(id=fresh("port"), host_id=fresh("host"))
    before = repr((port, binding))
    world = World()
    records: tuple[Record, ...] = (network, subnet, identity, host, port, binding)
    for record in records:
        world.fill(type(record), (record,))
    assert repr((port, binding)) == before, "it says what it said"
    pairs = (
        (port.network_id, network.id),
        (port.project_id, network.project_id),
        (port.fixed_ips[0].subnet_id, subnet.id),
        (port.identity_id, identity.id),
        (port.security_groups, identity.groups),
        (port.updated_at, port.created_at),
        (binding.id, port.id),
        (binding.host_id, host.id),
    )
    assert all(one is other for one, other in pairs)


def test_what_is_missing_stays_as_it_is() -> None:
    port = Port(id="p", network_id="missing", mac_address="", identity_id="missing", security_groups=("g",))
    before = repr(port)
    share(Port, (port,), World())
    assert repr(port) == before
