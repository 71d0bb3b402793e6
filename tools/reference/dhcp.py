"""The DHCP options that a port may carry, of both IP versions."""

import inspect

from netplane.agent.answers import dhcp as server
from netplane.agent.answers import dhcp6 as server6
from netplane.agent.answers import link
from netplane.base import dhcp6 as formats6
from netplane.base.dhcp import OCTETS
from netplane.model import dhcp6
from netplane.model.dhcp import NEXT_SERVER, OPTIONS, RESERVED, WITHHOLDABLE
from tools.reference.markdown import page_of, table_of

WITHHELD = " and ".join(f"`{name}`" for name, known in OPTIONS.items() if known.code in WITHHOLDABLE)
REFUSED = ", ".join(map(str, sorted(RESERVED)))
INTRODUCTION = f"""A port's `extra_dhcp_opts` name options by the names below or by number, 1 to 254. The value of one
that has no name here is {OCTETS.description}.

A port's own options replace what its subnet says; `null` takes an option away again. An empty value of {WITHHELD}
keeps the subnet's from being told. `server-ip-address`, also `{NEXT_SERVER}`, is the field `siaddr`; without it that is
the first `tftp-server-address`, or `tftp-server` if that is an address. `bootfile-name` and `tftp-server` are also told
in the fields `file` and `sname` where they fit. The numbers {REFUSED} are the protocol's own, and refused."""
INTRODUCTION6 = f"""Options with an `ip_version` of 6 are named likewise, by the names below or by number, 1 to 65535.
The value of one that has no name here is {formats6.OCTETS.description}.

The numbers {", ".join(map(str, sorted(dhcp6.RESERVED)))} are the protocol's own, and refused."""


def page() -> str:
    """The page."""
    rows, rows6 = (
        [(f"`{name}`", known.code, known.format.description) for name, known in options.items()]
        for options in (OPTIONS, dhcp6.OPTIONS)
    )
    return page_of(
        "DHCP",
        inspect.getdoc(server) or "",
        "## Options",
        INTRODUCTION,
        table_of(("name", "number", "value"), rows),
        "## DHCPv6",
        inspect.getdoc(server6) or "",
        "### Options of IP version 6",
        INTRODUCTION6,
        table_of(("name", "number", "value"), rows6),
        "## Router advertisements",
        inspect.getdoc(link) or "",
    )
