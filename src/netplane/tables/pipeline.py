"""All tables of the datapath, in the order in which a patch writes them (what is referred to comes first).

Entries of one domain are the same on every host: hosts have global numbers, an endpoint names its host. Only `settings`
differs, and what is about the machines here: `device`, `port`, `crowd`, `member`, `peer`, `client` and `station`.
"""

from netplane.tables.schema import Field, FieldType, Kind, Table, Writer

U8, U16, U32, U64 = FieldType.U8, FieldType.U16, FieldType.U32, FieldType.U64
BE16, MAC, ADDRESS, U32X16 = FieldType.BE16, FieldType.MAC, FieldType.ADDRESS, FieldType.U32X16

VLAN = Field("vlan", U16, "The VLAN id that the port's frames have at its device; 0 for no tag.")

SETTINGS = Table(
    "settings",
    "One entry, at 0: what the programs must know of their host.",
    Kind.ARRAY,
    key=(Field("index", U32, "Always 0."),),
    value=(
        Field("host", U32, "This host's number; 0 before it is known: nothing is delivered or sent."),
        Field("tunnel", U32, "The ifindex of the VXLAN device."),
        Field("punt", U32, "The ifindex of the punt device; 0 for none."),
        Field("service", U32, "The ifindex of the device to the host's services; 0 for none."),
    ),
    capacity=1,
)
HOST = Table(
    "host",
    "Where the tunnels to a host end.",
    Kind.HASH,
    key=(Field("number", U32, "The host's number."),),
    value=(Field("address", ADDRESS, "Its underlay address."),),
    capacity=65_536,
    room=4096,
)
DEVICE = Table(
    "device",
    "The devices of the ports that this host carries.",
    Kind.HASH,
    key=(Field("vni", U32, "The port's network."), Field("mac", MAC, "The port's MAC address."), Field("pad", U16)),
    value=(
        Field("ifindex", U32, "The device."),
        Field("flags", U16, "DeviceFlag."),
        VLAN,
        Field("identity", U32, "The number of the port's identity; 0 for none."),
        Field("project", U32, "The number of the port's project; 0 for none."),
    ),
    capacity=65_536,
    room=2048,
)
SPREAD = Table(
    "spread",
    "The hosts that carry machines of each network, this one too, as a list.",
    Kind.HASH,
    key=(Field("vni", U32, "The network."), Field("index", U32, "From 0, without a gap.")),
    value=(Field("host", U32X16, "The numbers of hosts, up to the first 0; the next entry goes on, if there is one."),),
    capacity=262_144,
    room=2048,
)
CROWD = Table(
    "crowd",
    "The machines of each network that have a device on this host, as a list.",
    Kind.HASH,
    key=(Field("vni", U32, "The network."), Field("index", U32, "From 0, without a gap.")),
    value=(Field("mac", MAC, "A port's MAC address."), Field("pad", U16)),
    capacity=65_536,
    room=2048,
)
MEMBER = Table(
    "member",
    "The machines on this host that listen to each group, as lists: what they have said by IGMP or MLD.",
    Kind.HASH,
    key=(
        Field("vni", U32, "The network."),
        Field("address", ADDRESS, "The group."),
        Field("index", U32, "From 0, without a gap."),
    ),
    value=(Field("mac", MAC, "A port's MAC address."), Field("pad", U16)),
    capacity=262_144,
    room=2048,
    writer=Writer.SNOOPING,
)
BROADCAST = Table(
    "broadcast",
    "The addresses that mean all machines of a subnet.",
    Kind.HASH,
    key=(Field("vni", U32, "The network."), Field("address", ADDRESS, "The last address of a subnet.")),
    value=(Field("pad", U32),),
    capacity=65_536,
    room=4096,
)
ENDPOINT = Table(
    "endpoint",
    "Every address of the domains that this host takes part in: whose it is and where it lives.",
    Kind.HASH,
    key=(Field("vni", U32, "The network."), Field("address", ADDRESS, "The address.")),
    value=(
        Field("mac", MAC, "Its owner's MAC address."),
        Field("flags", U16, "EndpointFlag."),
        Field("host", U32, "The number of the host that carries it; 0 for a router: it is everywhere."),
        Field("identity", U32, "The number of its owner's identity; 0 for none."),
    ),
    capacity=2_097_152,
    room=32_768,
)
HOP = Table(
    "hop",
    "The next hops of routes that have any: each route's from 0 on.",
    Kind.HASH,
    key=(
        Field("router", U32, "The router's number."),
        Field("address", ADDRESS, "The route's prefix."),
        Field("length", U8, "Its length in 128 bits."),
        Field("index", U8, "From 0, below the route's `hops`."),
        Field("pad", U16),
    ),
    value=(
        Field("via", ADDRESS, "The next hop."),
        Field("vni", U32, "The network that it lies on."),
        Field("mac", MAC, "The MAC address of the router's interface there."),
        Field("mtu", U16, "The largest IP packet that goes there, in bytes; 0 for any."),
        Field("pad", U32),
        Field("firewall", U64, "What guards the router's interface there, as in `firewall`; 0 if nothing does."),
    ),
    capacity=262_144,
    room=1024,
)
FIREWALL = Table(
    "firewall",
    "The rules of each firewall, in order: the first that matches decides, and what none matches is denied.",
    Kind.HASH,
    key=(
        Field("firewall", U64, "A fingerprint of all its rules: others have another one."),
        Field("direction", U32, "Direction, as the networks behind the interface see it."),
        Field("index", U32, "The rule's place, from 0."),
    ),
    value=(
        Field("source", ADDRESS, "Where connections come from, under `source_mask`."),
        Field("source_mask", ADDRESS),
        Field("destination", ADDRESS, "Where they go, under `destination_mask`."),
        Field("destination_mask", ADDRESS),
        Field("source_first", U16, "The ports that they come from."),
        Field("source_last", U16),
        Field("destination_first", U16, "The ports that they go to."),
        Field("destination_last", U16),
        Field("protocol", U8, "The IP protocol; 0 for any."),
        Field("family", U8, "Family."),
        Field("action", U8, "Action."),
        Field("pad", U8),
        Field("rule", U32, "The first 4 bytes of the rule's id, as a number."),
    ),
    capacity=262_144,
    room=4096,
)
PAIR = Table(
    "pair",
    "What machines send from and are reached at besides their own addresses: pairs of a MAC address and a range.",
    Kind.LPM,
    key=(
        Field("bits", U32, "96 + the prefix's length in 128 bits."),
        Field("vni", U32, "The network."),
        Field("mac", MAC, "The MAC address in the frame."),
        Field("family", U16, "Family."),
        Field("address", ADDRESS, "The prefix."),
    ),
    value=(
        Field("mac", MAC, "The own MAC address of the port whose pair it is."),
        Field("flags", U16, "EndpointFlag."),
        Field("host", U32, "The number of the host that carries the port."),
        Field("identity", U32, "The number of the port's identity; 0 for none."),
    ),
    capacity=1_048_576,
)
RANGE = Table(
    "range",
    "Where to find the addresses of pairs' ranges that are in no `endpoint` entry.",
    Kind.LPM,
    key=(
        Field("bits", U32, "64 + the prefix's length in 128 bits."),
        Field("vni", U32, "The network."),
        Field("family", U32, "Family."),
        Field("address", ADDRESS, "The prefix."),
    ),
    value=(
        Field("mac", MAC, "The pair's MAC address."),
        Field("flags", U16, "EndpointFlag."),
        Field("host", U32, "The number of the host that carries the port."),
        Field("identity", U32, "The number of the port's identity; 0 for none."),
    ),
    capacity=262_144,
)
STATION = Table(
    "station",
    "The MAC addresses besides its own that a port of this host may use.",
    Kind.HASH,
    key=(Field("ifindex", U32, "The port's device."), Field("mac", MAC), VLAN),
    value=(Field("pad", U32),),
    capacity=65_536,
    room=1024,
)
ROUTE = Table(
    "route",
    "The routes of each router.",
    Kind.LPM,
    key=(
        Field("bits", U32, "32 + the prefix's length in 128 bits."),
        Field("router", U32, "The router's number."),
        Field("address", ADDRESS, "The prefix."),
    ),
    value=(
        Field("vni", U32, "The network that the prefix lies on; 0 if the route has next hops."),
        Field("mac", MAC, "The MAC address of the router's interface there; 0 if the route has next hops."),
        Field("mtu", U16, "The largest IP packet that goes there, in bytes; 0 for any, or if it has next hops."),
        Field("hops", U8, "How many next hops it has in `hop`; 0: its network is connected; 255: there is no way."),
        Field("length", U8, "With next hops: the prefix's length in 128 bits; otherwise 0."),
        Field("pad", U16),
        Field("firewall", U64, "What guards the router's interface there, as in `firewall`; 0 if nothing does."),
    ),
    capacity=262_144,
)
GATEWAY = Table(
    "gateway",
    "The MAC addresses that routers answer to, once for each family in which the interface has an address.",
    Kind.HASH,
    key=(
        Field("vni", U32, "The network."),
        Field("mac", MAC, "The interface's MAC address."),
        Field("family", U16, "Family."),
    ),
    value=(
        Field("router", U32, "The router's number."),
        Field("address", ADDRESS, "The interface's address, from which the router speaks ICMP."),
        Field("pad", U32),
        Field("firewall", U64, "What guards the interface, as in `firewall`; 0 if nothing does."),
    ),
    capacity=262_144,
    room=4096,
)
PREFIX = Table(
    "prefix",
    "The longest prefix named in an identity's rules that an address lies in.",
    Kind.LPM,
    key=(
        Field("bits", U32, "64 + the prefix's length in 128 bits."),
        Field("profile", U32, "The identity whose rules name it."),
        Field("direction", U32, "Direction."),
        Field("address", ADDRESS, "The prefix."),
    ),
    value=(Field("address", ADDRESS, "The prefix."), Field("length", U32, "Its length in 128 bits.")),
    capacity=262_144,
)
POLICY = Table(
    "policy",
    "What an identity's rules allow; there is an entry for each, and none for what is dropped. "
    "The key is a prefix too: an entry for any protocol ends after `remote`, one for a range of ports within `port`.",
    Kind.LPM,
    key=(
        Field("bits", U32, "192 for any protocol, 208 for any port of one, up to 224 for one port."),
        Field("profile", U32, "The identity whose rules these are."),
        Field("direction", U8, "Direction."),
        Field("kind", U8, "Remote: what `remote` is."),
        Field("length", U8, "With PREFIX: its length in 128 bits; otherwise 0."),
        Field("pad", U8),
        Field("remote", ADDRESS, "The prefix; or the identity's number in the first 4 bytes, big endian; or zero."),
        Field("protocol", U16, "The IP protocol."),
        Field("port", BE16, "The destination port, or ICMP type and code."),
    ),
    value=(Field("rule", U32, "The first 4 bytes of the id of the rule that allows it, as a number."),),
    capacity=1_048_576,
)
PROFILE = Table(
    "profile",
    "A fingerprint of each identity's rules; connections made under another one are judged again.",
    Kind.HASH,
    key=(Field("profile", U32, "The identity."),),
    value=(Field("stamp", U64, "Changes whenever its policy or prefix entries do."),),
    capacity=65_536,
    room=4096,
    seal=True,
)
RESOLVER = Table(
    "resolver",
    "The resolvers of each network's subnets: what machines ask them, the host's services hear.",
    Kind.HASH,
    key=(Field("vni", U32, "The network."), Field("address", ADDRESS, "The resolver's address.")),
    value=(Field("flags", U32, "Always 0."),),
    capacity=262_144,
    room=4096,
)
PEER = Table(
    "peer",
    "Which machine each address stands for that the host's services see.",
    Kind.HASH,
    key=(Field("peer", ADDRESS, "As the services see it."),),
    value=(
        Field("address", ADDRESS, "The machine's own address."),
        Field("ifindex", U32, "Its device."),
        Field("flags", U16, "DeviceFlag."),
        VLAN,
        Field("vni", U32, "Its network."),
        Field("mac", MAC, "Its MAC address."),
        Field("pad", U16),
    ),
    capacity=262_144,
    room=2048,
)
CLIENT = Table(
    "client",
    "As whom the host's services see each address of the machine behind a device.",
    Kind.HASH,
    key=(Field("ifindex", U32, "The device."), VLAN, Field("pad", U16), Field("address", ADDRESS, "Its own.")),
    value=(Field("peer", ADDRESS, "As the services see it: no other machine of the host is seen so."),),
    capacity=262_144,
    room=2048,
)
PORT = Table(
    "port",
    "What is plugged into each device. Written last: it opens the door.",
    Kind.HASH,
    key=(Field("ifindex", U32, "The device."), VLAN, Field("pad", U16)),
    value=(
        Field("vni", U32, "The port's network."),
        Field("mac", MAC, "The port's MAC address."),
        Field("flags", U16, "PortFlag."),
        Field("mtu", U16, "The largest IP packet that its network carries, in bytes; 0 for any."),
        Field("pad", U16),
    ),
    capacity=65_536,
    room=2048,
)
CONNECTION = Table(
    "connection",
    "Connections that were allowed on this host, one entry each.",
    Kind.HASH,
    key=(
        Field("vni_low", U32, "The network of the low side."),
        Field("vni_high", U32, "The network of the high side."),
        Field("address_low", ADDRESS),
        Field("address_high", ADDRESS),
        Field("port_low", BE16, "The low side's port, or the ICMP echo identifier."),
        Field("port_high", BE16, "The high side's port, or the ICMP echo identifier."),
        Field("protocol", U32, "The IP protocol; 256 more for ICMP echo when the high side asks."),
    ),
    value=(
        Field("stamp", U64, "What it was allowed under."),
        Field("seen", U64, "When its last packet passed, in ns of CLOCK_MONOTONIC."),
        Field("packets_low", U64, "Packets from the low side."),
        Field("bytes_low", U64, "Bytes from the low side."),
        Field("packets_high", U64, "Packets from the high side."),
        Field("bytes_high", U64, "Bytes from the high side."),
        Field("state", U16, "ConnectionState."),
        Field("flags", U16, "ConnectionFlag."),
        Field("pad", U32),
    ),
    capacity=524_288,
    writer=Writer.DATAPATH,
)
COUNTER = Table(
    "counter",
    "What each port sent and received, by class of traffic and reason of drops; vni and mac are 0 for the tunnel.",
    Kind.PERCPU_HASH,
    key=(
        Field("vni", U32, "The port's network."),
        Field("mac", MAC, "The port's MAC address."),
        Field("direction", U8, "Direction."),
        Field("class", U8, "Class, or DROPPED + Reason."),
    ),
    value=(Field("packets", U64), Field("bytes", U64, "Bytes of Ethernet frames, as each packet would be on a wire.")),
    capacity=131_072,
    writer=Writer.DATAPATH,
)
BUDGET = Table(
    "budget",
    "What each machine, here or elsewhere, has taken of what all share on this host; the agent counts anew.",
    Kind.HASH,
    key=(Field("vni", U32, "The port's network."), Field("mac", MAC, "The port's MAC address."), Field("pad", U16)),
    value=(Field("connections", U64, "Connections that it has opened."),),
    capacity=262_144,
    room=8192,
    writer=Writer.DATAPATH,
)
PROJECT = Table(
    "project",
    "What each project's machines on this host have taken of what all share there; the agent counts anew.",
    Kind.HASH,
    key=(Field("project", U32, "The project's number."),),
    value=(Field("connections", U64), Field("refused", U64, "Packets that would have begun one more than may be.")),
    capacity=65_536,
    room=1024,
    writer=Writer.DATAPATH,
)
PACE = Table(
    "pace",
    "How far each machine has used up the rate at which it may do what costs others, by kind.",
    Kind.HASH,
    key=(
        Field("vni", U32, "The port's network."),
        Field("mac", MAC, "The port's MAC address."),
        Field("kind", U16, "Punt."),
    ),
    value=(Field("until", U64, "Until when it has used up its rate, in ns of CLOCK_MONOTONIC."),),
    capacity=262_144,
    room=8192,
    writer=Writer.DATAPATH,
)
LOGGING = Table(
    "logging",
    "How much has been written down about each port that logs what is decided.",
    Kind.HASH,
    key=(Field("vni", U32, "The port's network."), Field("mac", MAC, "The port's MAC address."), Field("pad", U16)),
    value=(
        Field("paid", U64, "Until when its decisions have used up their rate, in ns of CLOCK_MONOTONIC."),
        Field("unlogged", U64, "Decisions that were not written down, because of that or for want of room."),
    ),
    capacity=65_536,
    room=1024,
    writer=Writer.DATAPATH,
)
FRAGMENT = Table(
    "fragment",
    "The packets of which a first fragment has passed, so that the rest may: no ports stand in a later fragment. "
    "Each machine has places of its own, so that none pushes out another's.",
    Kind.HASH,
    key=(
        Field("vni", U32, "The sender's network."),
        Field("mac", MAC, "The sender's MAC address."),
        Field("place", U16, "The packet's id modulo Limit.FRAGMENTS."),
    ),
    value=(
        Field("source", ADDRESS),
        Field("destination", ADDRESS),
        Field("seen", U64, "When the first fragment passed, in ns of CLOCK_MONOTONIC."),
        Field("number", U32, "The packet's identification."),
        Field("end", U16, "IPv6: where the first fragment ends, in units of 8 bytes; none may begin before."),
        Field("protocol", U16, "The IP protocol."),
        Field("source_port", BE16, "As in a connection: the source port, or the ICMP echo identifier."),
        Field("destination_port", BE16, "The destination port, or the ICMP echo identifier."),
        Field("service", BE16, "What rules speak of: the destination port, or ICMP type and code."),
        Field("pad", U16),
    ),
    capacity=262_144,
    room=65_536,
    writer=Writer.DATAPATH,
)
TRACE = Table(
    "trace",
    "The steps of the last synthetic packet on each CPU.",
    Kind.PERCPU_ARRAY,
    key=(Field("index", U32, "The step, from 0."),),
    value=(
        Field("stage", U16, "Stage."),
        Field("reason", U16, "Reason."),
        Field("a", U32, "What the stage found; `decisions` says what, by stage."),
        Field("b", U32),
        Field("c", U32),
    ),
    capacity=128,
    writer=Writer.DATAPATH,
)

TABLES: tuple[Table, ...] = (
    SETTINGS,
    HOST,
    SPREAD,
    CROWD,
    MEMBER,
    BROADCAST,
    PREFIX,
    POLICY,
    PROFILE,
    ENDPOINT,
    PAIR,
    RANGE,
    STATION,
    FIREWALL,
    HOP,
    ROUTE,
    GATEWAY,
    DEVICE,
    RESOLVER,
    PEER,
    CLIENT,
    PORT,
    CONNECTION,
    COUNTER,
    BUDGET,
    PROJECT,
    PACE,
    LOGGING,
    FRAGMENT,
    TRACE,
)

BY_NAME = {table.name: table for table in TABLES}
ROOMS = {table.name: table.room for table in TABLES}
AGENT_TABLES = tuple(table for table in TABLES if table.writer is Writer.AGENT)
