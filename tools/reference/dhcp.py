"""The DHCP options that a port may carry."""

import inspect

from netplane.agent.answers import dhcp as server
from netplane.base.dhcp import OCTETS
from netplane.model.dhcp import NEXT_SERVER, OPTIONS, RESERVED, WITHHOLDABLE
from tools.reference.markdown import page_of, table_of

WITHHELD = " and ".join(f"`{name}`" for name, known in OPTIONS.items() if known.code in WITHHOLDABLE)
REFUSED = ", ".join(map(str, sorted(RESERVED)))
INTRODUCTION = f"""A port's `extra_dhcp_opts` name options by the names below or by number, 1 to 254. The value of one
that has no name here is {OCTETS.description}.

A port's own options replace what its subnet says; `null` takes an option away again. An empty value of {WITHHELD}
keeps the subnet's from being told. `server-ip-address`, also `{NEXT_SERVER}`, is the field `siaddr`; without it that is
the first `tftp-server-address`, or `tftp-server` if that is an address. `bootfile-name` and `tftp-server` are also told
in the fields `file` and `sname` where they fit. The numbers {REFUSED} are the protocol's own, and refused.

Options of IP version 6 are kept and shown, and told to nobody yet."""


def page() -> str:
    """The page."""
    rows = ((f"`{name}`", known.code, known.format.description) for name, known in OPTIONS.items())
    return page_of(
        "DHCP",
        inspect.getdoc(server) or "",
        "## Options",
        INTRODUCTION,
        table_of(("name", "number", "value"), rows),
    )
