"""Stages, verdicts, reasons and the other numbers that the datapath and the control plane share."""

from collections.abc import Mapping
from enum import IntEnum
from typing import NamedTuple


class Stage(IntEnum):
    """The stages of a packet's way; a number, once given, stays, so those from 11 on stand somewhere in between."""

    PORT = 1
    PARSE = 2
    ANTI_SPOOF = 3
    LOCAL_ANSWER = 4
    SOURCE = 5
    ROUTING = 6
    CONNECTION = 7
    POLICY_OUT = 8
    POLICY_IN = 9
    DELIVERY = 10
    FLOOD = 11
    """In the place of ROUTING and what follows it, for what goes to a group or to all of a network."""
    SERVICE = 12
    """The same for what goes to the host's services."""
    FIREWALL = 13
    """Between POLICY_IN and DELIVERY, where a packet crosses a router's port that has a firewall."""


class Verdict(IntEnum):
    """What became of a packet."""

    DROP = 0
    DELIVER = 1
    """Handed to a machine on this host."""
    TUNNEL = 2
    """Sent to another host."""
    ANSWER = 3
    """Turned into an answer to the machine that sent it."""
    PUNT = 4
    """Handed to the agent."""
    FLOOD = 5
    """Copied: each copy is a step of DELIVERY."""
    SERVE = 6
    """Handed to the host's services: names and metadata."""


class Reason(IntEnum):
    """Why: 0 for packets that went where they were meant to go; all others name the drop or the ICMP error."""

    NONE = 0
    NO_PORT = 1
    MALFORMED = 2
    UNSUPPORTED = 3
    SPOOFED_MAC = 4
    SPOOFED_ARP = 5
    SPOOFED_ADDRESS = 6
    ARP_UNKNOWN = 7
    ARP_NOT_ASKED = 8
    ROGUE_DHCP = 9
    MULTICAST = 10
    FRAGMENT = 11
    """A later fragment whose first has not passed lately, or any of a request to the agent."""
    UNKNOWN_DESTINATION = 12
    NO_ROUTE = 13
    NO_ENDPOINT = 14
    TTL_EXCEEDED = 15
    ROUTER_CLOSED = 16
    POLICY_OUT = 17
    POLICY_IN = 18
    NO_CONNECTION = 19
    REVOKED = 20
    CONNECTIONS_FULL = 21
    NO_HOST = 22
    NO_DEVICE = 23
    FORGED_SOURCE = 24
    FORGED_HOST = 25
    NOT_HERE = 26
    FROM_TUNNEL = 27
    PUNT_OFF = 28
    PUNT_LIMIT = 29
    SHARE_USED_UP = 30
    NO_PROGRAM = 31
    """One of the programs that go on with it was missing."""
    ROGUE_ROUTER = 32
    ND_UNKNOWN = 33
    ND_NOT_ASKED = 34
    ROUTING_HEADER = 35
    LINK_LOCAL = 36
    TOO_LONG = 37
    """Longer than the sender's own network carries."""
    FRAGMENTATION_NEEDED = 38
    """Longer than the network carries that a router would send it to. Routers cut nothing, whoever allows it."""
    STORM = 39
    """The machine has sent more copies than it may."""
    TOO_MANY = 40
    """A copy that was not made: a network has more machines or hosts than one packet is copied to."""
    ROGUE_QUERIER = 41
    """IGMP or MLD other than reports: the platform asks who listens, nobody else."""
    SERVICE_OFF = 42
    NO_CLIENT = 43
    """A machine that the host's services do not know by this address, or an answer of theirs to nobody."""
    TOO_MANY_ROUTERS = 44
    FIREWALL = 45
    FIREWALL_REJECTED = 46
    PROJECT_SHARE_USED_UP = 47


class Class(IntEnum):
    """What a counter counts: a class of traffic, or drops for a reason (`DROPPED + reason`)."""

    SAME_NETWORK = 0
    ROUTED = 1
    SERVICE = 2
    GROUP = 3
    """To a group, or to all of a network; counted once where it was sent, and for each machine that got a copy."""
    DROPPED = 64


class Direction(IntEnum):
    """As the machine sees it; also the direction of security group rules."""

    EGRESS = 0
    INGRESS = 1


class Family(IntEnum):
    """Of packets and addresses."""

    IPV4 = 0
    IPV6 = 1


class Remote(IntEnum):
    """What the `remote` of a policy entry is. Rules are about one family; a prefix is of one."""

    ANY = 0
    """Anybody, by IPv4."""
    IDENTITY = 1
    """By IPv4."""
    PREFIX = 2
    ANY_IPV6 = 3
    IDENTITY_IPV6 = 4


class PortFlag(IntEnum):
    """Flags of a `port` entry."""

    DHCP = 1
    """The platform's DHCP serves the port: its requests are punted and answers of its own are dropped."""
    DHCP6 = 2
    """The platform configures the port for IPv6: the same of DHCPv6, and its router solicitations are punted."""
    OPEN = 4
    """It has no port security: it may answer DHCP itself."""
    STATIONS = 8
    """It may use MAC addresses besides its own, which `station` tells."""
    ANNOUNCES = 16
    """It may have addresses that others may have too: the agent hears which it says it has."""


class EndpointFlag(IntEnum):
    """Flags of an `endpoint` entry."""

    ROUTER = 1
    """The address is a router's."""
    STATELESS = 2
    """Each packet of its owner is judged by itself, replies too; no connection is kept for it."""
    OPEN = 4
    """Its owner has no port security: no rule judges its packets."""
    SHARED = 8
    """The address is of an address pair, not its owner's alone: others may send from it."""
    ANNOUNCED = 16
    """Its owner has said that it has the address."""
    VIRTUAL = 32
    """The MAC address is another than the owner's own, which `pair` tells."""


class DeviceFlag(IntEnum):
    """Flags of a `device` entry."""

    PEER = 1
    """Packets are handed to the other end of a veth pair at once."""
    LOG_DROPS = 2
    """What is dropped on its way from or to the machine is written to the ring `decision`."""
    LOG_ACCEPTS = 4
    """So are the connections that its rules let pass."""
    OPEN = 8
    """Its port has no port security: no rule judges what it gets."""


class Action(IntEnum):
    """What a firewall's rule does with a connection that it speaks of."""

    ALLOW = 1
    DENY = 2
    REJECT = 3
    """As DENY, and the sender is told."""


class Punt(IntEnum):
    """Kinds of packets handed to the agent."""

    DHCP = 1
    ROUTER_SOLICITATION = 2
    DHCP6 = 3
    REPORT = 4
    """Which groups a machine listens to, by IGMP or MLD."""
    SERVICE = 5
    """By a device of its own, to the host's services."""
    ANNOUNCEMENT = 6
    """That a machine has an address which others may have too."""


class Cost(IntEnum):
    """What has a pace besides the kinds of `Punt`."""

    COPIES = 0
    """Copies, on each host that makes any, of what goes to a group or to all of a network."""


class Limit(IntEnum):
    """What one machine may take of what all machines of a host share."""

    CONNECTIONS = 65_536
    """Entries of `connection` that it opened: an eighth of the table, on each host that it talks to."""
    PROJECT_CONNECTIONS = 262_144
    """Entries of `connection` on a host that have a project's machine of that host at an end: half of the table."""
    FIREWALL_RULES = 200
    """Rules of a firewall that are asked about a connection in one direction, one by one."""
    LOG_PAUSE = 50_000_000
    """ns between two decisions about a port that are written down, in the long run."""
    LOG_BURST = 5_000_000_000
    """ns by which they may come ahead of that: a hundred at once."""
    FRAGMENTS = 256
    """Packets in fragments of which it may send the rest: a newer one with the same id modulo this replaces one."""
    COPIES = 4096
    """Machines, and hosts, of one network that a packet is copied to; the others get none."""
    FRAGMENT_SECONDS = 30
    """Seconds after a first fragment in which the rest of its packet may follow, as Linux waits (ipfrag_time)."""
    EXTENSIONS = 6
    """Extension headers of an IPv6 packet: as many as RFC 8200, section 4.1, has, and one more."""
    HEADER = 512
    """Bytes of an IPv6 packet's header together with its extension headers."""
    ROUTERS = 8
    """Routers that one packet passes."""
    NEXT_HOPS = 16
    """Next hops of one route."""
    NOWHERE = 255
    """In their place: there is no way, whatever shorter prefixes say."""


class Pace(NamedTuple):
    """How often a machine may do something that costs others: a generic cell rate algorithm (ITU-T I.371)."""

    pause: int
    """ns between two of them, in the long run."""
    burst: int
    """ns by which they may come ahead of that."""


PACES: Mapping[int, Pace] = {
    # Twenty at once, ten a second: a client asks a few times an hour.
    **dict.fromkeys((Punt.DHCP, Punt.ROUTER_SOLICITATION, Punt.DHCP6), Pace(100_000_000, 2_000_000_000)),
    # Two a second, each of which all hosts of a domain may have to hear of; as many at once as one machine may have.
    Punt.ANNOUNCEMENT: Pace(500_000_000, 32_000_000_000),
    # A hundred at once: a machine that listens to as many groups may tell of each by itself.
    Punt.REPORT: Pace(50_000_000, 5_000_000_000),
    # 50,000 a second, 10,000 at once: some 25 broadcasts a second where they reach two thousand.
    Cost.COPIES: Pace(20_000, 200_000_000),
    # A thousand packets at once, five hundred a second: a machine that resolves names for others asks that often.
    Punt.SERVICE: Pace(2_000_000, 2_000_000_000),
}
"""By `Punt` and `Cost`: what a machine takes of one kind it loses of no other, nor does any other machine."""


class Service(IntEnum):
    """Where machines find the host's services: names (RFC 1035) and metadata."""

    ADDRESS = 0xA9FEA9FE
    """169.254.169.254, on every network and by every gateway; by IPv6 fe80::a9fe:a9fe, the same in its last bytes."""
    MAC = 0x026E70000002
    """Of that address, and of the device that the services listen on."""
    DNS = 53
    """Also at the resolvers of a network's subnets."""
    METADATA = 80


class ConnectionState(IntEnum):
    """The state of a connection."""

    NEW = 0
    """Seen from the initiator only."""
    ESTABLISHED = 1
    """Answered."""
    CLOSING = 2
    """TCP: one side has said FIN."""
    CLOSED = 3
    """TCP: both sides have said FIN, or one RST."""
    REVOKED = 4
    """Its permission is gone."""


class ConnectionFlag(IntEnum):
    """Flags of a `connection` entry. The low side is the one whose (vni, address bytes, port number) is smaller."""

    INITIATOR_HIGH = 1
    """The high side sent the first packet."""
    FIN_LOW = 2
    FIN_HIGH = 4


SHARED = (
    Stage,
    Verdict,
    Reason,
    Class,
    Direction,
    Family,
    Remote,
    PortFlag,
    EndpointFlag,
    DeviceFlag,
    Action,
    Punt,
    Cost,
    Limit,
    Service,
    ConnectionState,
    ConnectionFlag,
)
"""What the C header repeats."""

TIMEOUTS = {
    # (protocol, state): seconds, as Linux has them (Documentation/networking/nf_conntrack-sysctl.rst).
    (6, ConnectionState.NEW): 120,
    (6, ConnectionState.ESTABLISHED): 432_000,
    (6, ConnectionState.CLOSING): 120,
    (6, ConnectionState.CLOSED): 10,
    (6, ConnectionState.REVOKED): 30,
    (17, ConnectionState.NEW): 30,
    (17, ConnectionState.ESTABLISHED): 120,
    (17, ConnectionState.REVOKED): 30,
    (1, ConnectionState.NEW): 30,
    (1, ConnectionState.ESTABLISHED): 30,
    (1, ConnectionState.REVOKED): 30,
    (58, ConnectionState.NEW): 30,
    (58, ConnectionState.ESTABLISHED): 30,
    (58, ConnectionState.REVOKED): 30,
    (0, ConnectionState.NEW): 600,
    (0, ConnectionState.ESTABLISHED): 600,
    (0, ConnectionState.REVOKED): 30,
}
"""When a connection without packets ends; protocol 0 stands for all others."""
