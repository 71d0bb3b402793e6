"""What tenants of a cloud do, one thing at a time: each answers the host that it is about, empty for none."""

from collections.abc import Callable
from itertools import cycle
from random import Random

from bench.cloud import Cloud, Project
from netplane.lab.api import Api

Change = Callable[[], str]

SEED = 7


class Tenants:
    """Changes of a running cloud, by one client, drawn by lot. What they add they take away again."""

    def __init__(self, api: Api, cloud: Cloud, seed: int = SEED) -> None:
        self.api = api
        self._cloud = cloud
        self._random = Random(seed)
        self._ports: list[tuple[str, str]] = []
        self._rules: list[str] = []
        self._numbers = cycle(range(20_000, 60_000))
        self._largest = max(cloud.projects, key=lambda project: len(project.ports))
        self._joiners = cycle([port for port in self._largest.ports if len(port.groups) == 1])
        self._joined: list[str] = []

    def add(self) -> str:
        """A port of any project, on any host."""
        project = self._project()
        network, host = self._random.choice(project.networks).id, self._host()
        port = self.api.create("port", network_id=network, project_id=project.id, binding__host_id=host)["id"]
        self._ports.append((port, host))
        return host

    def move(self) -> str:
        """A port goes to another host."""
        port, before = self._ports.pop(0)
        host = next(host for host in iter(self._host, "") if host != before)
        self.api.call("PUT", f"/v2.0/ports/{port}", {"port": {"binding:host_id": host}})
        self._ports.append((port, host))
        return host

    def delete(self) -> str:
        """A port goes."""
        port, host = self._ports.pop(0)
        self.api.delete("port", port)
        return host

    def rule(self) -> str:
        """A rule of a web group comes, or goes."""
        if self._rules:
            self.api.delete("security_group_rule", self._rules.pop())
            return ""
        number, group = next(self._numbers), self._project().groups[1].id
        fields = {"protocol": "tcp", "port_range_min": number, "port_range_max": number}
        rule = self.api.create("security_group_rule", security_group_id=group, direction="ingress", **fields)
        self._rules.append(rule["id"])
        return ""

    def join(self) -> str:
        """A machine of the largest project joins its web group too, or leaves it."""
        default, web = (group.id for group in self._largest.groups)
        if self._joined:
            self.api.update("port", self._joined.pop(), security_groups=[default])
            return ""
        port = next(self._joiners)
        self.api.update("port", port.id, security_groups=[default, web])
        self._joined.append(port.id)
        return ""

    @property
    def sorts(self) -> dict[str, Change]:
        """The sorts of changes by what they are called, in an order in which they can be done."""
        return {
            "port added": self.add,
            "port moved": self.move,
            "port deleted": self.delete,
            "rule changed": self.rule,
            f"member joins or leaves a group of {len(self._largest.ports):,}": self.join,
        }

    def _project(self) -> Project:
        return self._random.choice(self._cloud.projects)

    def _host(self) -> str:
        return self._random.choice(self._cloud.hosts).name
