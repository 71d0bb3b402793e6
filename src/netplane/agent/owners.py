"""Whose an address is, read from the tables as the datapath reads them: by an entry of its own, or by a pair."""

from collections.abc import Container, Mapping
from functools import cached_property, lru_cache
from sys import byteorder
from typing import NamedTuple

from netplane.base.addresses import is_ipv4
from netplane.tables.asking import NOBODY
from netplane.tables.decisions import EndpointFlag, Family
from netplane.tables.pipeline import ENDPOINT, PAIR

WHOLE = 8 * (PAIR.key.offsets()["address"] - 4) + 128
"""`bits` of a pair of one address."""
KEPT = 65_536
"""Addresses whose owners are kept in mind: connections are many, their ends few."""


class Range(NamedTuple):
    """A pair of a MAC address and a range."""

    used: bytes
    """The MAC address in frames."""
    family: int
    length: int
    prefix: int
    """The bits of the addresses in it that it names."""
    own: bytes
    """The MAC address of the port whose it is."""

    def holds(self, address: bytes) -> bool:
        """Whether an address lies in it."""
        is_same = self.family == (Family.IPV4 if is_ipv4(address) else Family.IPV6)
        return is_same and int.from_bytes(address, "big") >> (128 - self.length) == self.prefix


class Owners:
    """The ports behind addresses, as of when each is first asked for. VNIs and addresses are bytes as keys hold them.

    Addresses that were somebody's and have been left are nobody's: what went by them is not of who may now use them.
    """

    def __init__(
        self, endpoints: Mapping[bytes, bytes], pairs: Mapping[bytes, bytes], left: Container[bytes] = ()
    ) -> None:
        self._endpoints = endpoints
        self._pairs = pairs
        self._left = left
        self._found = lru_cache(maxsize=KEPT)(self._find)

    @cached_property
    def _ranges(self) -> Mapping[bytes, list[Range]]:
        """By VNI, the longest first."""
        found: dict[bytes, list[Range]] = {}
        for key, value in self._pairs.items():
            fields = PAIR.unpack_key(key)
            length = fields["bits"] - 8 * (PAIR.key.offsets()["address"] - 4)
            if (fields["address"], length) == (NOBODY, 128):
                # From there machines ask for addresses; no connection is from it, and there may be one for each port.
                continue
            prefix = int.from_bytes(fields["address"], "big") >> (128 - length)
            found.setdefault(key[4:8], []).append(Range(fields["mac"], fields["family"], length, prefix, value[:6]))
        for ranges in found.values():
            ranges.sort(key=lambda range: range.length, reverse=True)
        return found

    def find(self, vni: bytes, address: bytes) -> bytes | None:
        """The own MAC address of the port that has an address; None if no port has it.

        Of ports that may all use an address which no entry says to be anybody's, one that names it most closely.
        """
        return self._found(vni, address)

    def _find(self, vni: bytes, address: bytes) -> bytes | None:
        value = self._endpoints.get(vni + address)
        if value is None and vni + address in self._left:
            return None
        if value is None:
            return next((range.own for range in self._ranges.get(vni, ()) if range.holds(address)), None)
        if not ENDPOINT.unpack_value(value)["flags"] & EndpointFlag.VIRTUAL:
            return value[:6]
        used = value[:6]
        return next((one.own for one in self._ranges.get(vni, ()) if one.used == used and one.holds(address)), None)

    def speaks(self, vni: bytes, mac: bytes, address: bytes) -> bool:
        """Whether a port may send from a MAC address and an address."""
        value = self._endpoints.get(vni + address)
        if value is not None and value[:6] == mac:
            return True
        if (
            address == NOBODY
            and PAIR.pack_key(WHOLE, int.from_bytes(vni, byteorder), mac, Family.IPV4, NOBODY) in self._pairs
        ):
            return True
        return any(range.used == mac and range.holds(address) for range in self._ranges.get(vni, ()))
