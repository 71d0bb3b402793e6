"""Personas: what a caller can be to a resource, as OpenStack's secure RBAC has it.

What one is depends on one's roles and on where the token is for; to a certain resource, also on whose it is. Roles come
with those that they imply: an administrator is a manager, a manager a member, a member a reader.
"""

from enum import IntFlag
from functools import cache
from typing import NamedTuple


class Persona(IntFlag):
    """One bit each, so that who may do a thing is one number."""

    ADMIN = 1
    """Has the role `admin`, in any project or for the whole system."""
    SYSTEM_READER = 2
    """Has the role `reader` for the whole system: sees everything, and changes nothing."""
    SERVICE = 4
    """Has the role `service`: another service, such as what starts machines."""
    MANAGER = 8
    """Has the role `manager` in the project that owns the resource."""
    MEMBER = 16
    """Has the role `member` there."""
    READER = 32
    """Has the role `reader` there."""
    NET_MEMBER = 64
    """Has the role `member` in the project that owns the network of the resource."""
    NET_READER = 128
    """Has the role `reader` there."""
    SHARER = 256
    """Has the role `reader` in a project that the resource is shared with."""
    ANYBODY = 512
    """Has a token."""


class Standing(NamedTuple):
    """What a caller is, as bits of `Persona`."""

    everywhere: int
    """To every resource."""
    own: int
    """Besides, to those of its project."""
    network: int
    """Besides, to those on networks of its project."""
    shared: int
    """Besides, to those that are shared with its project."""


@cache
def standing(roles: frozenset[str], *, in_project: bool, is_system: bool) -> Standing:
    """What roles make of a caller whose token is for a project, for the system, or for neither."""
    everywhere = Persona.ANYBODY
    if "admin" in roles:
        everywhere |= Persona.ADMIN
    if "service" in roles:
        everywhere |= Persona.SERVICE
    if is_system and "reader" in roles:
        everywhere |= Persona.SYSTEM_READER
    own = network = shared = Persona(0)
    if in_project and not is_system:
        own |= Persona.MANAGER if "manager" in roles else 0
        if "member" in roles:
            own, network = own | Persona.MEMBER, network | Persona.NET_MEMBER
        if "reader" in roles:
            own, network, shared = own | Persona.READER, network | Persona.NET_READER, Persona.SHARER
    # Plain numbers: flags take a microsecond to compare.
    return Standing(int(everywhere), int(own), int(network), int(shared))
