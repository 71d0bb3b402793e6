"""Random frames, as machines, broken machines and evil machines send them. Everything comes from a `random.Random`."""

from collections.abc import Callable
from ipaddress import IPv4Address, ip_address, ip_network
from random import Random
from struct import pack

from netplane.model import AnyRecord, Device, Network, Port
from netplane.verify.world import addresses
from tests import frames6
from tests.worlds import GROUPS, GROUPS_V6, RESOLVERS

TCP_FLAGS = (0x02, 0x02, 0x02, 0x12, 0x10, 0x18, 0x11, 0x04, 0x14, 0x00, 0x3F, 0xC2)
ADDRESSES: tuple[str, ...] = (
    "10.0.0.9",
    "10.0.0.1",
    "10.0.1.1",
    "8.8.8.8",
    "224.0.0.1",
    "255.255.255.255",
    "127.0.0.1",
    "10.0.0.200",
    "169.254.169.254",
)
NUMBERS = (0, 53, 67, 68, 80, 81, 1000, 1001, 1002, 4096, 65535)

ENDS = ("10.0.0.255", "10.0.0.255", "10.0.1.255", "10.0.0.127", "10.0.0.191", "172.16.0.3")
"""The last addresses of the subnets of random worlds."""

TO_ALL = b"\xff" * 6
SERVICES_MAC = bytes.fromhex("026e70000002")
MORE = 0x2000
FRAGMENTS = (MORE, MORE, MORE, MORE, 0x4000, 0x8000, 0x0001, 0x0002, MORE | 1, MORE | 5, 0x1FFF)
"""What may stand in the field about fragments; mostly that of a first one."""

TELLING = (0, 12, 13, 14, 16, 17, 20, 21, 22, 23, 24, 25, 26, 30, 33, 34, 35, 37, 38, 39, 46, 47)
"""Where the headers of a frame say what the rest is."""


def internet_sum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    total = sum(int.from_bytes(data[i : i + 2].ljust(2, b"\0"), "big") for i in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def ipv4(
    payload: bytes,
    protocol: int,
    source: str,
    destination: str,
    *,
    ttl: int = 64,
    options: bytes = b"",
    fragment: int = 0,
    length: int | None = None,
) -> bytes:
    """An IPv4 packet."""
    size = 20 + len(options) + len(payload) if length is None else length
    first = 0x40 | (5 + len(options) // 4)
    header = pack("!BBHHHBBH", first, 0, size, 0x1234, fragment, ttl, protocol, 0)
    header += IPv4Address(source).packed + IPv4Address(destination).packed + options
    return header[:10] + pack("!H", internet_sum(header)) + header[12:] + payload


def ethernet(destination: bytes, source: bytes, kind: int, payload: bytes) -> bytes:
    """An Ethernet frame."""
    return destination + source + pack("!H", kind) + payload


def tcp(sport: int, dport: int, flags: int, data: bytes = b"", *, offset: int = 5) -> bytes:
    """A TCP segment; its checksum is not ours to check."""
    return pack("!HHIIBBHHH", sport, dport, 1, 2, offset << 4, flags, 4096, 0xBEEF, 0) + data


def udp(sport: int, dport: int, data: bytes = b"", *, length: int | None = None, checksum: int = 0) -> bytes:
    """A UDP datagram, mostly without a checksum; others are not ours to check."""
    return pack("!HHHH", sport, dport, 8 + len(data) if length is None else length, checksum) + data


def icmp(kind: int, code: int = 0, identifier: int = 7, data: bytes = b"ping") -> bytes:
    """An ICMP message."""
    message = pack("!BBHHH", kind, code, 0, identifier, 1) + data
    return message[:2] + pack("!H", internet_sum(message)) + message[4:]


def arp(operation: int, sender_mac: bytes, sender: str, target: str, *, head: bytes = b"\0\1\x08\0\6\4") -> bytes:
    """An ARP packet."""
    packed = IPv4Address(sender).packed, IPv4Address(target).packed
    return head + pack("!H", operation) + sender_mac + packed[0] + bytes(6) + packed[1]


class Sender:
    """Makes frames of one port, knowing the whole world."""

    def __init__(self, random: Random, records: list[AnyRecord], port: Port) -> None:
        self.random = random
        self.port = port
        self.mac = mac_of(port)
        self.pairs = pairs_of(random, port)
        self.paired_mac = b""
        """That of the pair whose address is the source, if it is one's."""
        self.ports = [record for record in records if isinstance(record, Port)]
        self.neighbours = [other for other in self.ports if other.network_id == port.network_id]
        joined = {port.network_id}
        while True:
            routers = {
                other.device_id for other in self.ports if other.is_router_interface and other.network_id in joined
            }
            wider = joined | {other.network_id for other in self.ports if other.device_id in routers}
            if wider == joined:
                break
            joined = wider
        networks = {record.id: record.mtu for record in records if isinstance(record, Network)}
        self.routers = {mac_of(other) for other in self.neighbours if other.is_router_interface}
        self.mtu = networks[port.network_id]
        self.mtus = [self.mtu, *sorted({networks[id] for id in joined if networks[id] < self.mtu})]
        """Of its own network, and of those behind routers that carry less."""
        self.routed = [other for other in self.ports if other.network_id in joined - {port.network_id}]

        self.vlan = next((record.vlan for record in records if isinstance(record, Device) and record.id == port.id), 0)

    def wire(self) -> bytes:
        """A frame of any kind as it is on the machine's device, mostly with the tag that the port has there."""
        vlan = self.random.choice((0, 1, 2, 3, 5, 0x1001, 4095)) if self.rarely(0.04) else self.vlan
        return tagged(self.frame(), vlan)

    def rarely(self, probability: float = 0.08) -> bool:
        """Whether something odd happens."""
        return self.random.random() < probability

    def frame(self) -> bytes:
        """A frame of any kind."""
        kinds: tuple[Callable[[], bytes], ...] = (self.packet,) * 20 + (self.to_many,) * 4 + (self.asking,) * 2
        kinds += self.question, self.dhcp, self.noise, self.report, self.announcement
        if any(":" in address for address in self.own()):
            kinds += (self.asking6,) * 2 + (self.solicitation,) * 3 + (self.dhcp6, self.report6) + (self.to_many6,) * 4
        return self.damaged(self.random.choice(kinds)())

    def packet(self) -> bytes:
        """A packet to somebody, by the family of the address."""
        destination, mac = self.destination()
        if ":" in destination:
            return ethernet(mac, self.source_mac(), 0x86DD, self.packet6(destination, mac))
        protocol, payload = self.payload()
        ttl = self.random.choice((64, 64, 64, 64, 255, 9, 8, 7, 3, 2, 1, 0))
        options = b"\x01" * 4 * self.random.choice((0, 0, 0, 0, 0, 1, 10)) if self.rarely(0.3) else b""
        if self.rarely(0.7 if mac in self.routers else 0.1):
            payload = payload.ljust(self.limit() - 20 - len(options), b"\0")
        fragment = self.random.choice(FRAGMENTS) if self.rarely(0.15) else 0
        if fragment & MORE and not self.rarely(0.1):
            payload += bytes(-len(payload) % 8)
        length = self.random.choice((0, 19, 20, 24, 28, 60, 65535)) if self.rarely(0.04) else None
        packet = ipv4(
            payload, protocol, self.source(), destination, ttl=ttl, options=options, fragment=fragment, length=length
        )
        return ethernet(mac, self.source_mac(), 0x0800, packet)

    def packet6(self, destination: str, mac: bytes) -> bytes:
        """An IPv6 packet to an address, sometimes with extension headers, or in fragments."""
        choose = self.random.choice
        source = self.source(6)
        protocol, payload = self.payload()
        if protocol == 1 and not self.rarely():
            kind, code = choose((128, 128, 128, 129, 1, 3, 130, 133, 134, 136, 137, 200)), choose((0, 0, 0, 1, 5))
            echo = pack("!HH", choose((7, 8)), 1)
            protocol, payload = 58, frames6.icmp6(source, destination, kind, code, echo, payload[8:])
        chain = frames6.random_chain(self.random) if self.rarely(0.3) else ()
        if self.rarely(0.12):
            chain += ((frames6.FRAGMENT, frames6.fragment(choose(frames6.PLACES))),)
        if chain and not self.rarely(0.2):
            payload += bytes(-len(payload) % 8)
        if self.rarely(0.7 if mac in self.routers else 0.1):
            payload = payload.ljust(self.limit() - 40 - sum(len(part) for _, part in chain), b"\0")
        length = choose((0, 7, 8, 20, 48, 65535)) if self.rarely(0.04) else None
        hops = choose((64, 64, 64, 64, 255, 2, 1, 0))
        return frames6.ipv6(payload, protocol, source, destination, hops=hops, chain=chain, length=length)

    def solicitation(self) -> bytes:
        """Neighbour discovery of all kinds, mostly asking for somebody."""
        choose = self.random.choice
        pool = [str(address) for port in self.neighbours for address in addresses(port) if address.version == 6]
        target = choose((*pool, *self.own(), choose(frames6.ADDRESSES)))
        target = target if ":" in target else choose(frames6.ADDRESSES)
        group, mac = frames6.solicited_node(target)
        if self.rarely(0.3):
            group, mac = target, choose((self.mac, b"\x33\x33\0\0\0\1", mac_of(choose(self.neighbours))))
        source = choose((self.source(6), self.source(6), "::"))
        kind, code = choose((135,) * 6 + (133, 133, 134, 136, 137)), 1 if self.rarely(0.05) else 0
        tail = choose((b"", b"\1\1" + self.mac, b"\0" * 8))
        message = frames6.solicitation(source, target, group, kind=kind, code=code, tail=tail)
        if self.rarely(0.05):
            message = message[: choose((8, 16, 23))]
        chain = frames6.random_chain(self.random) if self.rarely() else ()
        hops = choose((64, 254, 1)) if self.rarely() else 255
        packet = frames6.ipv6(message, 58, source, group, hops=hops, chain=chain)
        return ethernet(mac, self.source_mac(), 0x86DD, packet)

    def dhcp6(self) -> bytes:
        """DHCPv6 as clients and would-be servers send it."""
        numbers = self.random.choice(((546, 547), (546, 547), (547, 546), (547, 547)))
        source = self.random.choice((self.source(6), self.any_address(6)))
        chain = frames6.random_chain(self.random) if self.rarely(0.1) else ()
        packet = frames6.ipv6(udp(*numbers, bytes(48)), 17, source, "ff02::1:2", chain=chain)
        mac = self.random.choice((b"\x33\x33\0\1\0\2", self.destination()[1]))
        return ethernet(mac, self.mac, 0x86DD, packet)

    def limit(self) -> int:
        """The length of a packet that just fits into a network, or just does not."""
        return self.random.choice(self.mtus) + self.random.choice((0, 0, 0, 1))

    def to_many(self) -> bytes:
        """A packet to a group or to all, mostly with the MAC address that is due."""
        protocol, payload = self.payload()
        address = self.random.choice((*GROUPS, *GROUPS, "255.255.255.255", "224.0.0.1", *ENDS))
        mac = self.random.choice((TO_ALL, group_mac("239.1.2.3"))) if self.rarely() else due_mac(address)
        fragment = MORE if self.rarely(0.15) else 0
        payload += bytes(-len(payload) % 8 if fragment else 0)
        packet = ipv4(payload, protocol, self.source(), address, ttl=self.random.choice((1, 64)), fragment=fragment)
        return ethernet(mac, self.source_mac(), 0x0800, packet)

    def to_many6(self) -> bytes:
        """The same of IPv6, also to groups that are on no wire."""
        address = self.random.choice((*GROUPS_V6, *GROUPS_V6, "ff01::1", "ff00::1"))
        mac = self.random.choice((TO_ALL, group_mac("239.1.2.3"))) if self.rarely() else due_mac(address)
        return ethernet(mac, self.source_mac(), 0x86DD, self.packet6(address, mac))

    def report6(self) -> bytes:
        """MLD of all kinds; mostly what members say, after the option that routers look at (RFC 2711)."""
        choose = self.random.choice
        address = choose((*GROUPS_V6, "ff02::16", "ff02::2"))
        source = choose((self.source(6), "::"))
        message = frames6.icmp6(
            source, address, choose((131, 132, 143, 143, 130, 142)), 0, bytes(4), bytes(choose((0, 16)))
        )
        chain = frames6.random_chain(self.random) if self.rarely() else ((frames6.OPTIONS, frames6.options()),)
        packet = frames6.ipv6(message, 58, source, address, hops=1, chain=chain)
        return ethernet(due_mac(address), self.source_mac(), 0x86DD, packet)

    def report(self) -> bytes:
        """IGMP of all kinds; mostly what members say."""
        kind = self.random.choice((0x12, 0x16, 0x22, 0x22, 0x17, 0x11, 0x13))
        address = self.random.choice((*GROUPS, "224.0.0.22", "224.0.0.2"))
        payload = bytes((kind,)) + bytes(self.random.choice((7, 7, 7, 15, 6)))
        fragment = self.random.choice(FRAGMENTS) if self.rarely() else 0
        source = self.random.choice((self.source(), "0.0.0.0"))
        options = b"\x94\x04\0\0" if self.rarely(0.7) else b""
        packet = ipv4(payload, 2, source, address, ttl=1, options=options, fragment=fragment)
        return ethernet(due_mac(address), self.source_mac(), 0x0800, packet)

    def announcement(self) -> bytes:
        """Gratuitous ARP, mostly of an own address."""
        address = self.source()
        sender_mac = self.mac if not self.rarely() else mac_of(self.random.choice(self.ports))
        target = address if not self.rarely() else self.any_address()
        told = arp(self.random.choice((1, 1, 2, 2, 3)), sender_mac, address, target)
        mac = TO_ALL if not self.rarely() else mac_of(self.random.choice(self.neighbours))
        return ethernet(mac, self.source_mac(), 0x0806, told + bytes(self.random.choice((0, 18))))

    def journey(self) -> bytes:
        """A good packet to somebody, or nobody, behind a router."""
        choose = self.random.choice
        far = [fixed.ip_address for port in self.routed or self.ports for fixed in port.fixed_ips]
        destination = choose((*far, *far, *ADDRESSES[:4], "2001:db8::9", "fd00:0:0:2::1"))
        is_ipv6 = ":" in destination
        own = [address for address in self.own() if (":" in address) == is_ipv6]
        source = choose(own or ["fd00::9" if is_ipv6 else "10.0.0.9"])
        ping = frames6.icmp6(source, destination, 128, 0, b"\0\7\0\1") if is_ipv6 else icmp(8)
        kinds = (6, tcp(1000, 80, 0x02)), (17, udp(choose(NUMBERS), choose(NUMBERS))), (58 if is_ipv6 else 1, ping)
        protocol, payload = choose(kinds)
        ttl = choose((64, 64, 64, 10, 8, 7, 3, 2, 1))
        mac = mac_of(choose([port for port in self.neighbours if port.is_router_interface] or self.neighbours))
        if self.rarely(0.2):
            payload = payload.ljust(self.limit() - (40 if is_ipv6 else 20), b"\0")
        if is_ipv6:
            chain = ((frames6.FRAGMENT, frames6.fragment(1)),) if self.rarely() else ()
            payload += bytes(-len(payload) % 8) if chain else b""
            packet = frames6.ipv6(payload, protocol, source, destination, hops=ttl, chain=chain)
            return ethernet(mac, self.mac, 0x86DD, packet)
        fragment = MORE if self.rarely() else 0
        packet = ipv4(payload, protocol, source, destination, ttl=ttl, fragment=fragment)
        return ethernet(mac, self.mac, 0x0800, packet)

    def payload(self) -> tuple[int, bytes]:
        """Protocol and payload; sometimes with lengths that lie."""
        choose = self.random.choice
        numbers = choose(NUMBERS), choose(NUMBERS)
        data = bytes(choose((0, 1, 2, 18, 100)))
        kind = choose(("tcp", "tcp", "tcp", "udp", "udp", "icmp", "icmp", "ported", "other"))
        if kind == "tcp":
            return 6, tcp(*numbers, choose(TCP_FLAGS), data, offset=choose((0, 4, 6, 15)) if self.rarely() else 5)
        if kind == "udp":
            return 17, udp(*numbers, data, length=choose((0, 7, 8, 9, 2000)) if self.rarely() else None)
        if kind == "icmp":
            return 1, icmp(choose((8, 8, 8, 0, 3, 11, 5, 13, 14)), choose((0, 0, 0, 1, 5)), choose((7, 8)), data)
        if kind == "ported":
            return choose((33, 132, 132, 136)), pack("!HH", *numbers) + bytes(choose((0, 3, 4, 7, 8, 40)))
        return choose((2, 47, 255)), data

    def destination(self) -> tuple[str, bytes]:
        """An address, mostly somebody's, and the MAC address to send it to, mostly a sensible one."""
        random = self.random
        pool = self.neighbours if random.random() < 0.5 or not self.routed else self.routed
        other = random.choice(pool)
        known = [str(address) for address in addresses(other)] or [*ADDRESSES, *frames6.ADDRESSES]
        address = random.choice((*ADDRESSES, *frames6.ADDRESSES)) if self.rarely(0.12) else random.choice(known)
        mac = mac_of(other)
        if self.rarely(0.5) and (pairs := pairs_of(random, other)):
            address, mac = random.choice(pairs)
        if self.rarely():
            return address, random.choice((b"\xff" * 6, b"\x01\0\x5e\0\0\1", bytes(6), self.mac, b"\xfa\x16\x3e\0\0\7"))
        if other in self.neighbours and not self.rarely(0.25):
            return address, mac
        routers = [port for port in self.neighbours if port.is_router_interface]
        fitting = [
            port for port in routers if any((":" in one.ip_address) == (":" in address) for one in port.fixed_ips)
        ]
        return address, mac_of(random.choice(fitting or routers or self.neighbours))

    def own(self) -> list[str]:
        """Its addresses."""
        return [str(address) for address in addresses(self.port)]

    def source(self, version: int = 4) -> str:
        """Mostly its own address, of a version of IP, or one that it may use besides."""
        if not self.port.port_security_enabled and self.rarely(0.3):
            return self.any_address(version)
        paired = [pair for pair in self.pairs if (":" in pair[0]) == (version == 6)]
        if paired and self.rarely(0.3):
            address, self.paired_mac = self.random.choice(paired)
            return address
        own = [address for address in self.own() if (":" in address) == (version == 6)]
        return self.any_address(version) if self.rarely() or not own else self.random.choice(own)

    def source_mac(self) -> bytes:
        """Mostly its own."""
        mac, self.paired_mac = self.paired_mac, b""
        if mac and not self.rarely(0.2):
            return mac
        if self.pairs and self.rarely(0.1):
            return self.random.choice(self.pairs)[1]
        return mac_of(self.random.choice(self.ports)) if self.rarely(0.04) else self.mac

    def any_address(self, version: int = 4) -> str:
        """Anybody's address of a version of IP, or nobody's."""
        owned = [str(one) for port in self.ports for one in addresses(port) if one.version == version]
        nobody = ("::", *frames6.ADDRESSES) if version == 6 else ("0.0.0.0", *ADDRESSES)
        pairs = [address for port in self.neighbours for address, _ in pairs_of(self.random, port)]
        paired = [address for address in pairs if (":" in address) == (version == 6)]
        return self.random.choice((*nobody, *owned, *paired))

    def question(self) -> bytes:
        """ARP of all kinds."""
        operation = self.random.choice((1, 1, 1, 1, 2, 3))
        sender = self.random.choice(("0.0.0.0", self.source(), self.source()))
        source_mac = self.source_mac()
        sender_mac = source_mac if not self.rarely() else mac_of(self.random.choice(self.ports))
        head = (
            self.random.choice((b"\0\6\x08\0\6\4", b"\0\1\x86\xdd\6\4", b"\0\1\x08\0\6\x10")) if self.rarely() else None
        )
        asked = arp(operation, sender_mac, sender, self.any_address())
        padding = bytes(self.random.choice((0, 0, 18)))
        mac = self.random.choice((b"\xff" * 6, mac_of(self.random.choice(self.neighbours))))
        return ethernet(mac, source_mac, 0x0806, (head or asked[:6]) + asked[6:] + padding)

    def dhcp(self) -> bytes:
        """DHCP as clients and would-be servers send it."""
        numbers = self.random.choice(((68, 67), (68, 67), (67, 68), (67, 67)))
        source = self.random.choice(("0.0.0.0", self.source(), self.any_address()))
        destination = self.random.choice(("255.255.255.255", self.any_address()))
        packet = ipv4(udp(*numbers, bytes(240)), 17, source, destination)
        return ethernet(self.random.choice((b"\xff" * 6, self.destination()[1])), self.mac, 0x0800, packet)

    def asking(self) -> bytes:
        """Questions to the host's services, and to resolvers near and far."""
        choose = self.random.choice
        number = choose((53, 53, 53, 80, 80, 443))
        destination = choose(("169.254.169.254", "169.254.169.254", *RESOLVERS))
        protocol, payload = choose(
            (
                (6, tcp(choose(NUMBERS), number, choose(TCP_FLAGS), bytes(choose((0, 18))))),
                (17, udp(choose(NUMBERS), number, bytes(choose((0, 16, 24))), checksum=choose((0, 0xBEEF, 0x0101)))),
                (17, udp(choose(NUMBERS), number, bytes(16), checksum=choose((0, 0xFFFE, 1)))),
                (1, icmp(8)),
            )
        )
        fragment = choose(FRAGMENTS) if self.rarely(0.1) else 0
        mac = choose((SERVICES_MAC, SERVICES_MAC, self.destination()[1]))
        return ethernet(mac, self.mac, 0x0800, ipv4(payload, protocol, self.source(), destination, fragment=fragment))

    def asking6(self) -> bytes:
        """The same by IPv6."""
        choose = self.random.choice
        number = choose((53, 53, 80, 80, 443))
        destination = choose(("fe80::a9fe:a9fe",) * 4 + ("fe80::1", "100::a9fe:a9fe"))
        protocol, payload = choose(
            (
                (6, tcp(choose(NUMBERS), number, choose(TCP_FLAGS), bytes(choose((0, 18))))),
                (17, udp(choose(NUMBERS), number, bytes(16), checksum=choose((0, 0xBEEF, 0x0101, 1)))),
            )
        )
        chain = frames6.random_chain(self.random) if self.rarely(0.2) else ()
        packet = frames6.ipv6(payload, protocol, self.source(6), destination, chain=chain)
        return ethernet(choose((SERVICES_MAC, SERVICES_MAC, self.destination()[1])), self.mac, 0x86DD, packet)

    def noise(self) -> bytes:
        """Other protocols, tags, or garbage."""
        kind = self.random.choice((0x86DD, 0x8100, 0x88CC, 0x0800, 0x0806, 0x0000))
        return ethernet(
            self.destination()[1], self.mac, kind, self.random.randbytes(self.random.choice((20, 28, 60, 90)))
        )

    def damaged(self, frame: bytes) -> bytes:
        """The frame, sometimes padded, cut short or spoiled."""
        if self.rarely(0.1):
            return frame + bytes(self.random.randint(1, 20))
        if self.rarely(0.04):
            return frame[: self.random.randint(15, len(frame))]
        return self.spoiled(frame) if self.rarely() else frame

    def spoiled(self, frame: bytes) -> bytes:
        """The frame with some bytes changed, mostly where they mean something."""
        spoiled = bytearray(frame)
        for _ in range(self.random.randint(1, 3)):
            telling = frames6.TELLING if frame[12:14] == b"\x86\xdd" else TELLING
            at = self.random.choice((self.random.randrange(len(frame)), self.random.choice(telling)))
            bit = 1 << self.random.randrange(8)
            if at < len(frame):
                spoiled[at] = self.random.choice((0, 1, 255, self.random.randrange(256), frame[at] ^ bit))
        return bytes(spoiled)


def tagged(frame: bytes, vlan: int) -> bytes:
    """A frame with a VLAN tag; without one if it is 0."""
    return frame[:12] + pack("!HH", 0x8100, vlan) + frame[12:] if vlan else frame


def under_its_tag(make: Callable[[Random, bytes], bytes], random: Random, frame: bytes) -> bytes:
    """What is made of a frame without its tag, with that tag."""
    if frame[12:14] != b"\x81\0":
        return make(random, frame)
    made = make(random, frame[:12] + frame[16:])
    return made[:12] + frame[12:16] + made[12:]


def reply_to(random: Random, frame: bytes) -> bytes:
    """What a machine might answer to a frame that it got: the ends swapped, TCP's flags and ICMP's type as chosen."""
    if frame[12:14] == b"\x86\xdd":
        return frames6.reply_to(random, frame)
    header = (frame[14] & 15) * 4
    payload = bytearray(frame[14 + header :])
    if int.from_bytes(frame[20:22], "big") & 0x1FFF:
        pass
    elif frame[23] == 6:
        payload[0:4] = payload[2:4] + payload[0:2]
        payload[13] = random.choice((0x12, 0x12, 0x10, 0x11, 0x14, 0x02))
    elif frame[23] in (17, 33, 132, 136):
        payload[0:4] = payload[2:4] + payload[0:2]
    elif frame[23] == 1 and payload[0] == 8:
        payload[0] = 0
    ip = frame[14:22] + b"\x40" + frame[23:26] + frame[30:34] + frame[26:30] + frame[34 : 14 + header]
    return frame[6:12] + frame[0:6] + frame[12:14] + ip + bytes(payload)


def rest_of(random: Random, frame: bytes) -> list[bytes]:
    """More fragments of the same packet if this is a first one, mostly those that follow it."""
    if frame[12:14] == b"\x86\xdd":
        return frames6.rest_of(random, frame)
    if len(frame) < 34 or frame[12:14] != b"\x08\x00" or int.from_bytes(frame[20:22], "big") & 0x3FFF != MORE:
        return []
    header = (frame[14] & 15) * 4
    offset = max(int.from_bytes(frame[16:18], "big") - header, 0) // 8
    found = []
    for more in (MORE, 0):
        length = random.choice((8, 16, 40, 41)) if not more else random.choice((8, 16, 40))
        place = (offset if random.random() < 0.9 else random.randrange(0x1FFF)) | more
        size = (header + length).to_bytes(2, "big")
        ip = frame[14:16] + size + frame[18:20] + place.to_bytes(2, "big") + frame[22 : 14 + header]
        found.append(frame[:14] + ip + random.randbytes(length))
        offset += length // 8
    return found


def error_about(random: Random, frame: bytes) -> bytes:
    """What a machine might say in an ICMP error about a frame that it got, mostly a true one."""
    if frame[12:14] == b"\x86\xdd":
        return frames6.error_about(random, frame)
    header = (frame[14] & 15) * 4
    quote = bytearray(frame[14 : 14 + random.choice((header + 8, header + 8, header + 20, len(frame), header + 7, 19))])
    if random.random() < 0.2:
        quote[random.randrange(len(quote))] ^= 1 << random.randrange(8)
    payload = icmp(random.choice((3, 3, 3, 11, 12, 4, 5)), random.choice((0, 1, 3, 4)), 0, bytes(quote))
    source, destination = (str(IPv4Address(frame[at : at + 4])) for at in (30, 26))
    return ethernet(frame[6:12], frame[0:6], 0x0800, ipv4(payload, 1, source, destination))


def group_mac(address: str) -> bytes:
    """The MAC address of a group (RFC 1112, section 6.4; RFC 2464, section 7)."""
    group = ip_address(address)
    if group.version == 6:
        return b"\x33\x33" + group.packed[12:]
    return (0x01005E000000 | int(group) & 0x7FFFFF).to_bytes(6, "big")


def due_mac(address: str) -> bytes:
    """The MAC address that frames to a group, or to all, are sent to."""
    return group_mac(address) if ip_address(address).is_multicast else TO_ALL


def pairs_of(random: Random, port: Port) -> list[tuple[str, bytes]]:
    """An address from each of a port's pairs, and its MAC address."""
    found = []
    for pair in port.allowed_address_pairs:
        range = ip_network(pair.ip_address, strict=False)
        address = range[random.randrange(min(range.num_addresses, 1 << 16))]
        found.append((str(address), bytes.fromhex(pair.mac_address.replace(":", ""))))
    return found


def mac_of(port: Port) -> bytes:
    """A port's MAC address."""
    return bytes.fromhex(port.mac_address.replace(":", ""))
