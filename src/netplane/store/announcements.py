"""Where machines say that addresses are: the writes that the API and the sessions of hosts share."""

from netplane.model import Announcement, Binding, Port, announcement_id, may_announce
from netplane.store.transaction import Transaction

MOST = 64
"""Addresses that are known to be at one port by its own word."""


def note_announcement(transaction: Transaction, host: str, port_id: str, address: str, mac: str) -> None:
    """An address is where its machine has just said, whoever had it before; nothing if it may not say so."""
    port, binding = transaction.get(Port, port_id), transaction.get(Binding, port_id)
    if port is None or binding is None or binding.host_id != host or not _may(port, address, mac):
        return
    said = Announcement(id=announcement_id(port.network_id, address), port_id=port_id, address=address, mac=mac)
    known = transaction.get(Announcement, said.id)
    if known == said:
        return
    is_more = known is None or known.port_id != port_id
    if is_more and len(transaction.find(Announcement, "port_id", port_id)) >= MOST:
        return
    transaction.put(said)


def drop_announcements(transaction: Transaction, port: Port) -> None:
    """Forget what a port may not announce any more, having been changed."""
    for said in transaction.find(Announcement, "port_id", port.id):
        if not may_announce(port, said.address, said.mac):
            transaction.delete(said)


def _may(port: Port, address: str, mac: str) -> bool:
    try:
        return may_announce(port, address, mac)
    except ValueError:
        return False
