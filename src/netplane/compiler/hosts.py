"""Hosts: where tunnels end."""

from netplane.base.addresses import pack_address
from netplane.base.incremental import Item
from netplane.base.world import View
from netplane.compiler.feature import feature
from netplane.model import Host
from netplane.tables.pipeline import HOST


@feature
def hosts(host: Host, view: View) -> list[Item]:
    """One `host` entry; number 0 is no host: routers' addresses, which are everywhere, name it."""
    if host.number < 1:
        raise ValueError(f"{host.number} is no number for a host")
    return [(HOST.name, HOST.pack_key(host.number), HOST.pack_value(pack_address(host.address)))]
