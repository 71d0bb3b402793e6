"""Where hosts are told to find a controller, by where it listens for them."""

import socket
from collections.abc import Iterable, Sequence
from ipaddress import ip_address

EVERYWHERE = ("0.0.0.0", "[::]")
NOWHERE = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}
"""Addresses of nobody (RFC 5737, RFC 3849): only the way to them is asked for."""


def advertised(address: str) -> str:
    """Where a host that joins finds it: `:port`, at the name that the host has asked, if it listens everywhere."""
    host, _, port = address.rpartition(":")
    return f":{port}" if host in EVERYWHERE else address


def reachable(addresses: Sequence[str]) -> tuple[str, ...]:
    """Where hosts find them that know nothing else: a `:port` is at the address that the default route leaves from.

    Those are left out where there is no such route.
    """
    if not any(address.startswith(":") for address in addresses):
        return tuple(addresses)
    own = own_address()
    own = f"[{own}]" if ":" in own else own
    complete = (f"{own}{address}" if address.startswith(":") else address for address in addresses)
    return tuple(address for address in complete if not address.startswith(":"))


def introduced(own: Sequence[str], others: Iterable[str]) -> list[str]:
    """Which of all controllers' addresses a controller tells its hosts: all, sorted, but for what leads them nowhere.

    What only a controller's own machine reaches is told by those alone that are reached so themselves, since their
    hosts may be on that machine.
    """
    is_near = any(map(_is_local, own))
    return sorted({*own, *(address for address in others if is_near or not _is_local(address))})


def _is_local(address: str) -> bool:
    """Whether an address means another machine on every machine."""
    host = address.rpartition(":")[0].strip("[]")
    if address.startswith("unix:") or host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def own_address() -> str:
    """The address that the default route leaves from, of IPv4 if there is one; empty without a route."""
    for family, nobody in NOWHERE.items():
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((nobody, 9))
                own = str(probe.getsockname()[0])
        except OSError:
            continue
        return own
    return ""
