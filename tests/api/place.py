"""A project's small network, which tests of refusals ask wrong things of."""

from typing import Any
from uuid import uuid4

from tests.api.support import World

NONE = str(uuid4())
"""An id that nobody has."""


class Place:
    """A project's small network, for requests to go wrong on."""

    def __init__(self, world: World, token: str = "blue") -> None:
        self.network = world.make("network", token)["id"]
        self.subnet = world.make("subnet", token, network_id=self.network, cidr="10.0.0.0/24")["id"]
        self.other = world.make("subnet", token, network_id=self.network, cidr="10.0.1.0/24", gateway_ip=None)["id"]
        self.port = world.make(
            "port",
            token,
            network_id=self.network,
            mac_address="fa:16:3e:00:00:01",
            fixed_ips=[{"subnet_id": self.subnet, "ip_address": "10.0.0.9"}],
        )["id"]
        self.router = world.make("router", token)["id"]
        self.group = world.make("security_group", token, name="web")["id"]
        self.rule = world.make(
            "security_group_rule",
            token,
            security_group_id=self.group,
            direction="ingress",
            protocol="tcp",
            port_range_min=80,
            port_range_max=80,
        )["id"]
        self.addresses = world.make("address_group", token, addresses=["10.0.0.0/8"])["id"]
        world.make(
            "security_group_rule",
            token,
            security_group_id=self.group,
            direction="ingress",
            remote_address_group_id=self.addresses,
        )
        self.ask_add = f"routers/{self.router}/add_router_interface"

    def fill(self, value: Any) -> Any:
        """A request in which `{network}` and the like stand for what was made."""
        if isinstance(value, dict):
            return {name: self.fill(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self.fill(item) for item in value]
        return value.format(**vars(self), none=NONE) if isinstance(value, str) else value
