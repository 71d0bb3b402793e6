"""Random frames of IPv6 in the contract's small world, with nothing wrong but, now and then, what they say."""

from random import Random

from tests.contract import packets
from tests.contract.packets import BROADCAST, TCP, UDP, ethernet
from tests.contract.world import Machine
from tests.contract.world6 import ANN6, INNER6, MACHINES6, OUTER6, frame6, on_link
from tests.frames6 import icmp6, ipv6, random_chain, solicitation, solicited_node

ICMPV6 = 58
NOBODY = ("fd00:1::99", "fd00:2::99", "2001:db8::1", "fe80::99", "::1", "::ffff:10.0.1.6")
PLACES6 = (
    *MACHINES6,
    INNER6,
    OUTER6,
    *map(on_link, (*MACHINES6, INNER6)),
    *(ANN6._replace(address=text) for text in NOBODY),
)
FLAGS = (0x02, 0x12, 0x10, 0x11, 0x14, 0x04, 0x01, 0x06, 0x03, 0x00, 0x3F)


def payload6(random: Random, source: Machine, target: Machine, *, nested: bool) -> tuple[int, bytes]:
    """A protocol and its packet."""
    kind = random.choice(("udp", "tcp", "echo", "echo", "error", "other"))
    if kind == "udp":
        ports = random.choice((546, 547, 80, 4789)), random.choice((546, 547, 80, 22, 4789))
        return UDP, packets.udp(*ports, random.randbytes(random.randrange(40)))
    if kind == "tcp":
        return TCP, packets.tcp(random.randrange(3), random.choice((80, 22)), random.choice(FLAGS))
    if kind == "echo":
        number = bytes((0, random.randrange(3), 0, 1))
        return ICMPV6, icmp6(source.address, target.address, random.choice((128, 129)), 0, number, b"netplane")
    if kind == "error" and not nested:
        about = whole_frame6(random, target, nested=True)[14:]
        quote = about[: random.choice((48, 48, 60, 44, len(about)))]
        return ICMPV6, icmp6(source.address, target.address, random.choice((1, 1, 2, 3, 4, 5)), 0, bytes(4), quote)
    return random.choice((ICMPV6, 50, 1, 59, 255)), random.randbytes(random.randrange(24))


def whole_frame6(random: Random, source: Machine, *, nested: bool = False) -> bytes:
    """A frame of a machine of the small world."""
    target = random.choice(MACHINES6 if random.random() < 0.6 else PLACES6)
    if random.random() < 0.15 and not nested:
        return discovery(random, source, target)
    router = INNER6 if source.vni == INNER6.vni else OUTER6
    sender = random.choice((source, source, source, on_link(source), random.choice(PLACES6)))
    protocol, content = payload6(random, sender, target, nested=nested)
    chain = random_chain(random) if random.random() < 0.3 else ()
    frame = frame6(
        sender._replace(mac=source.mac), target, protocol, content, hops=random.choice((64, 255, 1, 0)), chain=chain
    )
    return random.choice((frame[:6], frame[:6], frame[:6], router.mac, BROADCAST)) + frame[6:]


def discovery(random: Random, source: Machine, target: Machine) -> bytes:
    """Neighbour discovery, mostly asking."""
    own = random.choice((source.address, on_link(source).address, "::", target.address))
    group, mac = random.choice((solicited_node(target.address), (target.address, target.mac)))
    message = solicitation(own, target.address, group, kind=random.choice((135, 135, 135, 133, 134, 136, 137)))
    return ethernet(source.mac, mac, 0x86DD, ipv6(message, ICMPV6, own, group, hops=random.choice((255, 255, 64))))
