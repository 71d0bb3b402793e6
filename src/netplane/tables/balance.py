"""Which of several equal ways a packet takes: always the same for packets of one flow, on every host that asks.

Each way gets a score from the flow and its next hop, and the highest wins (rendezvous hashing): when ways come or go,
only the flows of those that went, and the share of those that came, move. The order of the ways does not matter.
"""

from netplane.tables.packet import Packet

U64 = (1 << 64) - 1


def flow_of(packet: Packet) -> int:
    """A number of 64 bits for a packet's flow: addresses, protocol and ports, or an echo's identifier twice.

    Fragments have no ports, but for the first, so what belongs together goes by addresses and protocol alone.
    """
    sport, dport = (0, 0) if packet.more or packet.offset else packet.numbers
    words = *_words(packet.source), *_words(packet.destination), packet.protocol << 32 | sport << 16 | dport
    return _stirred(0, *words)


def score(flow: int, next_hop: bytes) -> int:
    """How well a flow and a next hop (16 bytes) go together, 64 bits."""
    return _stirred(flow, *_words(next_hop))


def _words(address: bytes) -> tuple[int, int]:
    return int.from_bytes(address[:8], "big"), int.from_bytes(address[8:], "big")


def _stirred(number: int, *words: int) -> int:
    for word in words:
        number = mixed(number ^ word)
    return number


def mixed(number: int) -> int:
    """64 bits, each of which depends on all those that came in: the finalizer of MurmurHash3 (A. Appleby)."""
    number = (number ^ number >> 33) * 0xFF51AFD7ED558CCD & U64
    number = (number ^ number >> 33) * 0xC4CEB9FE1A85EC53 & U64
    return number ^ number >> 33
