"""CONNECTION, POLICY_OUT and POLICY_IN: which packets belong to a connection, and which connections may be.

Policy is judged once a connection, for the direction in which it was opened, by the host of each end. What it was
judged under is kept as a stamp; when the rules of a local end have changed, the next packet has it judged again. For
an end that is stateless nothing is kept: its rules are asked about each packet, in the direction in which it goes.
"""

from typing import NamedTuple

from netplane.base.addresses import MAPPED_BITS, NO_ADDRESS, is_ipv4
from netplane.tables import connection as connections
from netplane.tables import lookup
from netplane.tables.connection import Connection, Side
from netplane.tables.decisions import ConnectionState, Direction, EndpointFlag, Limit, Reason, Remote, Stage, Verdict
from netplane.tables.family import parse_quote
from netplane.tables.lookup import EndpointValue, Entries
from netplane.tables.packet import ECHO_REQUEST, ECHO_REQUEST_V6, TCP, Packet
from netplane.tables.pipeline import BUDGET, PROJECT
from netplane.tables.run import End, Run
from netplane.tables.walls import NO_WALLS, Walls, judge_walls

RELATED = 3
"""What the step CONNECTION says of an ICMP error about a packet of a connection."""
ALONE = 4
"""What the same step says of a packet that no connection is kept for."""
HIGH_ASKS = 256
"""Added to ICMP in the key of a connection if the high side sends the requests."""


class Pair(NamedTuple):
    """A packet between two machines, and which of them this host answers for."""

    source: EndpointValue
    destination: EndpointValue
    source_local: bool
    destination_local: bool
    sides: tuple[Side, Side]
    destination_is_behind: bool = False
    """Whether the destination only leads to whoever has the address: nothing is known of that one's identity."""
    source_is_behind: bool = False
    walls: Walls = NO_WALLS

    @property
    def who(self) -> int:
        """The identity that the destination's rules are asked about."""
        return 0 if self.source_is_behind else self.source.identity

    @property
    def whom(self) -> int:
        """The identity that the source's rules are asked about."""
        return 0 if self.destination_is_behind else self.destination.identity

    @property
    def source_keeps(self) -> bool:
        """Whether this host keeps connections for the source, and judges it by them."""
        return self.source_local and keeps(self.source)

    @property
    def destination_keeps(self) -> bool:
        """The same of the destination."""
        return self.destination_local and keeps(self.destination)

    def turned(self) -> "Pair":
        """The same, seen from the other end."""
        return Pair(
            self.destination,
            self.source,
            self.destination_local,
            self.source_local,
            (self.sides[1], self.sides[0]),
            self.source_is_behind,
            self.destination_is_behind,
            self.walls.turn(),
        )


def keeps(end: EndpointValue) -> bool:
    """Whether connections are kept for an end: it has rules, and replies need none."""
    return not end.flags & (EndpointFlag.STATELESS | EndpointFlag.OPEN)


def connect(run: Run, packet: Packet, pair: Pair) -> None:
    """CONNECTION: policy is judged once a connection, for the direction in which it was opened."""
    judge_alone(run, packet, pair)
    if not (pair.source_keeps or pair.destination_keeps or pair.walls.crossed):
        run.step(Stage.CONNECTION, Reason.NONE, ALONE)
        run.opened = packet.starts
        return
    if packet.is_icmp and not packet.is_echo:
        if is_related(run, packet, pair):
            return
        refused = judge(run, packet, pair, packet.service)
        if refused is not Reason.NONE:
            raise End(Verdict.DROP, refused)
        run.opened = True
        return
    from_high = pair.sides[0] > pair.sides[1]
    key = connections.connection_key(*pair.sides, key_protocol(packet, from_high=from_high))
    known = current(run, key, packet, from_high=from_high)
    if known is None:
        open_connection(run, key, packet, pair, from_high=from_high)
    else:
        continue_connection(run, key, packet, pair, known, from_high=from_high)


def judge_alone(run: Run, packet: Packet, pair: Pair) -> None:
    """POLICY_OUT, POLICY_IN: the rules of local ends without connections must allow this very packet."""
    if pair.source_local and pair.source.flags & EndpointFlag.STATELESS:
        to, of = pair.sides[1].address, (pair.source.identity, pair.whom)
        if not allowed(run, Direction.EGRESS, *of, to, packet, packet.service):
            raise End(Verdict.DROP, Reason.POLICY_OUT)
    if pair.destination_local and pair.destination.flags & EndpointFlag.STATELESS:
        to, of = pair.sides[0].address, (pair.destination.identity, pair.who)
        if not allowed(run, Direction.INGRESS, *of, to, packet, packet.service):
            raise End(Verdict.DROP, Reason.POLICY_IN)


def is_related(run: Run, packet: Packet, pair: Pair) -> bool:
    """Whether it is an ICMP error about a packet that its receiver has sent to its sender in a connection that stands.

    It passes as part of that, and changes nothing of it: an error keeps no connection alive. The routers on a packet's
    way speak on the sender's own host, so nobody else has anything to say.
    """
    quote = parse_quote(run.frame, packet)
    if quote is None:
        return False
    back = pair.turned()._replace(sides=connections.sides(quote, pair.sides[1].vni, pair.sides[0].vni))
    from_high = back.sides[0] > back.sides[1]
    key = connections.connection_key(*back.sides, key_protocol(quote, from_high=from_high))
    value = run.entries["connection"].get(key)
    known = None if value is None else Connection.unpack(value)
    if known is None or known.state == ConnectionState.REVOKED:
        return False
    if not (known.packets_high if from_high else known.packets_low):
        return False
    if connections.expired(known, quote.protocol, run.now):
        return False
    opening = back if from_high == known.initiator_high else back.turned()
    if current_stamp(run, opening) != known.stamp and not still_allowed(run, quote, opening):
        return False
    run.step(Stage.CONNECTION, Reason.NONE, RELATED, known.state)
    return True


def key_protocol(packet: Packet, *, from_high: bool) -> int:
    """The protocol in a connection's key: pings of both sides may bear one identifier, so who asks is part of it."""
    asked_by_high = packet.is_icmp and from_high == packet.asks
    return packet.protocol + HIGH_ASKS if asked_by_high else packet.protocol


def current(run: Run, key: bytes, packet: Packet, *, from_high: bool) -> Connection | None:
    """The connection that a packet belongs to; None if there is none or the packet starts it anew."""
    value = run.entries["connection"].get(key)
    known = None if value is None else Connection.unpack(value)
    if known is None or connections.expired(known, packet.protocol, run.now):
        return None
    from_initiator = from_high == known.initiator_high
    if known.state == ConnectionState.REVOKED and packet.starts and from_initiator:
        return None
    over = known.state in (ConnectionState.CLOSING, ConnectionState.CLOSED)
    return None if over and packet.protocol == TCP and packet.starts else known


def open_connection(run: Run, key: bytes, packet: Packet, pair: Pair, *, from_high: bool) -> None:
    """A packet of no connection: it must be one that starts a connection, and be allowed."""
    if not packet.starts:
        run.drop(Stage.CONNECTION, Reason.NO_CONNECTION)
    refused = judge(run, packet, pair, packet.service)
    if refused is not Reason.NONE:
        run.drop(Stage.CONNECTION, refused)
    if key not in run.entries["connection"]:
        take_place(run, pair)
    run.step(Stage.CONNECTION)
    run.opened = True
    made = connections.opened(current_stamp(run, pair), run.now, packet, len(run.frame), from_high=from_high)
    run.connections[key] = made.pack()


def take_place(run: Run, pair: Pair) -> None:
    """An entry more, which counts for the machine that opens the connection, wherever that is, and for projects."""
    vni, mac = pair.sides[0].vni, pair.source.mac
    budget = lookup.budget(run.entries, vni, mac)
    if budget.connections >= Limit.CONNECTIONS:
        run.drop(Stage.CONNECTION, Reason.SHARE_USED_UP)
    taken = {number: lookup.project(run.entries, number) for number in projects(run, pair)}
    for number, of in taken.items():
        if of.connections >= Limit.PROJECT_CONNECTIONS:
            run.projects[PROJECT.pack_key(number)] = PROJECT.pack_value(of.connections, of.refused + 1)
            run.drop(Stage.CONNECTION, Reason.PROJECT_SHARE_USED_UP)
    if len(run.entries["connection"]) >= run.rooms["connection"]:
        run.drop(Stage.CONNECTION, Reason.CONNECTIONS_FULL)
    paid = budget._replace(connections=budget.connections + 1)
    run.budgets[BUDGET.pack_key(vni, mac)] = BUDGET.pack_value(*paid)
    for number, of in taken.items():
        run.projects[PROJECT.pack_key(number)] = PROJECT.pack_value(of.connections + 1, of.refused)


def projects(run: Run, pair: Pair) -> list[int]:
    """The numbers of the projects whose machines of this host are at an end, the source's first."""
    ends = ((pair.source_local, 0, pair.source.mac), (pair.destination_local, 1, pair.destination.mac))
    found = (lookup.device(run.entries, pair.sides[side].vni, mac) for local, side, mac in ends if local)
    return list(dict.fromkeys(device.project for device in found if device is not None and device.project))


def continue_connection(
    run: Run, key: bytes, packet: Packet, pair: Pair, known: Connection, *, from_high: bool
) -> None:
    """A packet of a connection: it passes as long as the rules under which it was opened stand."""
    if known.state == ConnectionState.REVOKED:
        run.drop(Stage.CONNECTION, Reason.REVOKED)
    opening = pair if from_high == known.initiator_high else pair.turned()
    stamp = current_stamp(run, opening)
    if stamp != known.stamp and not still_allowed(run, packet, opening):
        run.connections[key] = known._replace(state=ConnectionState.REVOKED).pack()
        run.drop(Stage.CONNECTION, Reason.REVOKED)
    run.step(Stage.CONNECTION, Reason.NONE, 1 if stamp == known.stamp else 2, known.state)
    moved = connections.advanced(known, packet, len(run.frame), run.now, from_high=from_high)
    run.connections[key] = moved._replace(stamp=stamp).pack()


def current_stamp(run: Run, pair: Pair) -> int:
    """What a connection opened by the source would be allowed under now."""
    initiator = lookup.profile_stamp(run.entries, pair.source.identity) if pair.source_keeps else 0
    responder = lookup.profile_stamp(run.entries, pair.destination.identity) if pair.destination_keeps else 0
    rules = connections.stamp_of((pair.who, initiator), (pair.whom, responder))
    return rules ^ pair.walls.stamp()


def still_allowed(run: Run, packet: Packet, opening: Pair) -> bool:
    """Whether a connection may go on: its opening is judged again, whichever side the packet comes from."""
    service = opening.sides[1].port
    if packet.is_icmp:
        service = (ECHO_REQUEST_V6 if packet.is_ipv6 else ECHO_REQUEST) << 8
    return judge(run, packet, opening, service) is Reason.NONE


def judge(run: Run, packet: Packet, pair: Pair, service: int) -> Reason:
    """POLICY_OUT, POLICY_IN, FIREWALL: each end that connections are kept for must allow it, and each firewall.

    Tells which one does not.
    """
    source, destination = pair.source.identity, pair.destination.identity
    to, of = pair.sides[1].address, pair.sides[0].address
    if pair.source_keeps and not allowed(run, Direction.EGRESS, source, pair.whom, to, packet, service):
        return Reason.POLICY_OUT
    if pair.destination_keeps and not allowed(run, Direction.INGRESS, destination, pair.who, of, packet, service):
        return Reason.POLICY_IN
    return judge_walls(run, pair.walls, packet, pair.sides, service)


def allowed(
    run: Run, direction: Direction, profile: int, identity: int, remote: bytes, packet: Packet, service: int
) -> bool:
    """Whether a profile's rules of one direction allow a remote side; `identity` is the remote's, 0 for none."""
    rule = matching_rule(run.entries, direction, profile, identity, remote, packet.protocol, service)
    stage, reason = (
        (Stage.POLICY_OUT, Reason.POLICY_OUT) if direction is Direction.EGRESS else (Stage.POLICY_IN, Reason.POLICY_IN)
    )
    run.step(stage, Reason.NONE if rule is not None else reason, rule or 0, profile, identity)
    run.rules[direction] = rule or 0
    return rule is not None


def matching_rule(
    entries: Entries, direction: Direction, profile: int, identity: int, remote: bytes, protocol: int, service: int
) -> int | None:
    """The rule that allows it: one for anybody, for the remote's identity, or for a prefix that it lies in."""
    if profile == 0:
        return None
    ipv6 = not is_ipv4(remote)
    remotes = [(Remote.ANY_IPV6 if ipv6 else Remote.ANY, 0, NO_ADDRESS)]
    if identity:
        known = Remote.IDENTITY_IPV6 if ipv6 else Remote.IDENTITY
        remotes.append((known, 0, identity.to_bytes(4, "big") + bytes(12)))
    prefix = lookup.prefix(entries, profile, direction, remote)
    # Every IPv4 address lies in some prefixes of IPv6, of which rules about IPv6 alone may speak.
    if prefix is not None and (ipv6 or prefix.length >= MAPPED_BITS):
        remotes.append((Remote.PREFIX, prefix.length, prefix.address))
    found = (lookup.policy(entries, profile, direction, wanted, protocol, service) for wanted in remotes)
    return next((rule for rule in found if rule is not None), None)
