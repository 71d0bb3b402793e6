"""What machines are told: answers to punted packets, and unasked of routers and of addresses that have moved."""

import logging
from collections.abc import Callable, Iterable, Mapping

from msgspec.structs import replace

from netplane.agent.answers import dhcp, dhcp6, moving
from netplane.agent.answers.advert import is_solicitation
from netplane.agent.answers.advertising import Advertising
from netplane.agent.answers.punt import Place, PuntDevice, Punted
from netplane.agent.listening.listening import Listening
from netplane.agent.names.directory import domain_of
from netplane.agent.slice import Slice
from netplane.agent.worker import Moved
from netplane.base.addresses import pack_mac
from netplane.model import Network, Port, Router, Subnet, kind_of, may_announce
from netplane.stream.messages import Announce
from netplane.tables.decisions import Punt

SPOKEN_OF = frozenset(kind_of(kind) for kind in (Network, Subnet, Port, Router))
"""Kinds of records that router advertisements and queries are made of, and places of listeners."""

log = logging.getLogger(__name__)


class Serving:
    """The punt device and what is said by it. How often a machine may ask, the datapath sees to.

    `changed` is called when machines have begun or ceased to listen to groups; what they say of addresses that may be
    theirs goes to `announce`.
    """

    def __init__(
        self, name: str, slice: Slice, changed: Callable[[], None], announce: Callable[[Announce], None]
    ) -> None:
        self._ports: Mapping[Place, str] = {}
        self._name = name
        self._slice = slice
        self._announce = announce
        self._device = PuntDevice(name)
        self._advertising = Advertising(slice, self._send)
        self.listening = Listening(slice, self._send, changed)

    @property
    def ifindex(self) -> int:
        """The punt device."""
        return self._device.ifindex

    def start(self) -> None:
        """Answer from the running loop."""
        self._device.start(self._answer)

    def close(self) -> None:
        """Stop answering."""
        self._advertising.close()
        self.listening.close()
        self._device.close()

    def repair(self) -> bool:
        """Make the punt device again if somebody has deleted it; whether that was so."""
        if self._device.exists():
            return False
        self._device.close()
        self._device = PuntDevice(self._name)
        self.start()
        return True

    def plug(self, ports: Mapping[Place, str]) -> None:
        """From now on these devices are there: the port of each."""
        if ports != self._ports:
            self._ports = ports
            self._advertising.note(ports)
            self.listening.plug(ports)

    def note(self, kinds: Iterable[str]) -> None:
        """Records of these kinds have changed."""
        if not SPOKEN_OF.isdisjoint(kinds):
            self._advertising.note(self._ports)
            self.listening.note()

    def _answer(self, punted: Punted) -> None:
        port = self._slice.get(Port, self._ports.get(punted.place, ""))
        if port is None:
            return
        match punted.kind:
            case Punt.DHCP | Punt.DHCP6:
                self._answer_dhcp(punted, port)
            case Punt.REPORT:
                self.listening.hear(port, punted.frame)
            case Punt.ANNOUNCEMENT:
                self._hear(punted, port)
            case Punt.ROUTER_SOLICITATION if is_solicitation(punted.frame):
                self._advertising.answer(punted.place, port)

    def tell(self, moved: Iterable[Moved]) -> None:
        """Tell the machines here that addresses of their networks are elsewhere now."""
        for vni, address, mac in moved:
            frame = moving.write(address, mac)
            for place, id in self._ports.items():
                port = self._slice.get(Port, id)
                network = port and self._slice.get(Network, port.network_id)
                if port and network and network.vni == vni and pack_mac(port.mac_address) != mac:
                    self._send(place, frame)

    def _hear(self, punted: Punted, port: Port) -> None:
        said = moving.read(punted.frame)
        if said is not None and may_announce(port, *said):
            self._announce(Announce(port.id, *said))

    def _answer_dhcp(self, punted: Punted, port: Port) -> None:
        server = dhcp if punted.kind is Punt.DHCP else dhcp6
        declined = server.read_declined(punted.frame)
        if declined is not None:
            log.warning("the machine of port %s finds its address %s in use by another", port.id, declined)
        subnets, network = self._slice.surroundings(port)
        if network is None:
            return
        named = replace(network, dns_domain=domain_of(network, self._slice.dns_domain))
        answer = server.answer(punted.frame, port, subnets, named)
        if answer is not None:
            self._send(punted.place, answer)

    def _send(self, place: Place, frame: bytes) -> None:
        try:
            self._device.send(place, frame)
        except OSError as problem:
            log.warning("cannot tell port %s what it should know: %s", self._ports.get(place, ""), problem)
