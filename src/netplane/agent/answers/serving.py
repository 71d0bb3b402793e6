"""Answers to punted packets: who asks, what the slice says, and back to the machine."""

import logging
from collections.abc import Mapping

from netplane.agent.answers import dhcp
from netplane.agent.answers.punt import PuntDevice, Punted
from netplane.agent.slice import Slice
from netplane.model import Port

log = logging.getLogger(__name__)


class Serving:
    """The punt device and what is said by it. How often a machine may ask, the datapath sees to."""

    def __init__(self, name: str, slice: Slice) -> None:
        self.ports: Mapping[int, str] = {}
        """The port of each device, by ifindex."""
        self._name = name
        self._slice = slice
        self._device = PuntDevice(name)

    @property
    def ifindex(self) -> int:
        """The punt device."""
        return self._device.ifindex

    def start(self) -> None:
        """Answer from the running loop."""
        self._device.start(self._answer)

    def close(self) -> None:
        """Stop answering."""
        self._device.close()

    def repair(self) -> bool:
        """Make the punt device again if somebody has deleted it; whether that was so."""
        if self._device.exists():
            return False
        self._device.close()
        self._device = PuntDevice(self._name)
        self.start()
        return True

    def _answer(self, punted: Punted) -> None:
        port = self._slice.get(Port, self.ports.get(punted.ifindex, ""))
        if port is None:
            return
        declined = dhcp.read_declined(punted.frame)
        if declined is not None:
            log.warning("the machine of port %s finds its address %s in use by another", port.id, declined)
        subnets, network = self._slice.surroundings(port)
        answer = None if network is None else dhcp.answer(punted.frame, port, subnets, network)
        if answer is not None:
            try:
                self._device.send(punted.ifindex, answer)
            except OSError as problem:
                log.warning("cannot answer port %s by DHCP: %s", port.id, problem)
