"""What a runtime says in the environment: which command, for which interface of which container."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from netplane.cni.errors import CniError, Code

CONTAINER = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.\-]*")
"""Section 2: alphanumeric, then also underscore, dot and hyphen."""

LONGEST_CONTAINER = 200
"""What leaves room for an interface's name in a port's `device_id`."""

LONGEST_INTERFACE = 15
"""Linux's IFNAMSIZ, less the zero at the end."""

NEEDED = {
    "ADD": ("CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME"),
    "DEL": ("CNI_CONTAINERID", "CNI_IFNAME"),
    "CHECK": ("CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME"),
    "STATUS": (),
    "GC": (),
    "VERSION": (),
}
"""Section 2: what each command must be told, besides the network configuration."""


class Call(NamedTuple):
    """One call; what a command is not told is empty."""

    command: str
    container: str
    interface: str
    sandbox: str
    """The path of the container's network namespace."""
    arguments: Mapping[str, str]
    """`CNI_ARGS`: what the user wished for this container."""

    @property
    def device_id(self) -> str:
        """How a port names this attachment."""
        return device_id(self.container, self.interface)


def device_id(container: str, interface: str) -> str:
    """How a port names an attachment; no interface's name holds a colon."""
    return f"{container}:{interface}"


def parse_call(environment: Mapping[str, str]) -> Call:
    """The call; CniError if a variable is missing or cannot be what it says."""
    command = environment.get("CNI_COMMAND", "")
    if command not in NEEDED:
        raise _bad("CNI_COMMAND", command, f"is none of {', '.join(NEEDED)}")
    missing = [name for name in NEEDED[command] if not environment.get(name)]
    if missing:
        raise CniError(Code.INVALID_ENVIRONMENT, f"{command} needs {', '.join(missing)}")
    container, interface = environment.get("CNI_CONTAINERID", ""), environment.get("CNI_IFNAME", "")
    if container and not (CONTAINER.fullmatch(container) and len(container) <= LONGEST_CONTAINER):
        raise _bad("CNI_CONTAINERID", container, f"is no container id of at most {LONGEST_CONTAINER} characters")
    if interface and not is_interface(interface):
        raise _bad("CNI_IFNAME", interface, f"is no interface name of at most {LONGEST_INTERFACE} characters")
    return Call(command, container, interface, environment.get("CNI_NETNS", ""), _arguments(environment))


def is_interface(name: str) -> bool:
    """Whether Linux takes this as the name of a device."""
    return (
        0 < len(name.encode()) <= LONGEST_INTERFACE
        and name not in (".", "..")
        and not any(character in "/:" or character.isspace() for character in name)
    )


def _arguments(environment: Mapping[str, str]) -> dict[str, str]:
    """`CNI_ARGS`: pairs such as `IP=10.0.1.7;MAC=...`; those that nobody knows are passed over."""
    text = environment.get("CNI_ARGS", "")
    pairs = [pair.partition("=") for pair in text.split(";") if pair]
    if not all(name and sign for name, sign, _ in pairs):
        raise _bad("CNI_ARGS", text, "is no list of NAME=VALUE with semicolons between")
    return {name: value for name, _, value in pairs}


def _bad(name: str, value: str, why: str) -> CniError:
    return CniError(Code.INVALID_ENVIRONMENT, f"{name} {value!r} {why}")
