"""MAC addresses of ports: given, or found."""

import re
from random import getrandbits

from netplane.api.errors import invalid
from netplane.model import Network
from netplane.store import Transaction

MAC_PREFIX = "fa:16:3e"
"""What OpenStack Networking's MAC addresses begin with; locally administered."""

MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")


def new_mac(transaction: Transaction, network: Network) -> str:
    """A MAC address that is free in a network. The first is drawn, so that networks differ."""
    number = transaction.allocate(f"mac:{network.id}", 0, 0xFFFFFF, _mac, start=getrandbits(24))
    return _mac(number)


def check_mac(text: str) -> str:
    """A MAC address in canonical form; 400 if it is none that one station can have."""
    mac = text.lower().replace("-", ":")
    if not MAC.fullmatch(mac) or int(mac[:2], 16) & 1 or mac == "00:00:00:00:00:00":
        raise invalid(f"'{text}' is not a valid MAC address of one station")
    return mac


def _mac(number: int) -> str:
    digits = f"{number:06x}"
    return f"{MAC_PREFIX}:{digits[:2]}:{digits[2:4]}:{digits[4:]}"
