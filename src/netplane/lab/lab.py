"""The lab: hosts on one machine, with real agents, real datapaths and machines that send real packets.

    controller (root namespace, loopback) ══ Unix socket ══ agent in np-x-h1, np-x-h2, ... ── underlay router
                                                              │ veth with alias netplane:<port id>
                                                            machines (namespaces np-x-m-...)

Everything has a name with the lab's prefix, so labs live side by side; nothing but the controller's loopback port is
visible in the root namespace.
"""

import re
import shutil
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Self

from netplane.lab import ledger, namespace, underlay
from netplane.lab.controller import Controller
from netplane.lab.dhcp import Client
from netplane.lab.dhcp6 import Client6
from netplane.lab.guardian import Guardian
from netplane.lab.host import Host
from netplane.lab.ledger import LabBusy, Ledger, remove_pins
from netplane.lab.machine import DEVICE, Machine, Plug, plug_in, stop_clients, unplug
from netplane.lab.process import Child, start
from netplane.lab.wait import until
from netplane.trust.papers import IDENTITY

PREFIX = re.compile(r"[a-z0-9]{1,16}")


class Lab:
    """Hosts, a controller and machines; leaving the `with` block removes all of it."""

    def __init__(self, prefix: str, hosts: int = 3, projects: Sequence[str] = (), database: str = "") -> None:
        """`database` is where the controllers' store is; by default an SQLite file of the lab's own."""
        if not PREFIX.fullmatch(prefix):
            raise ValueError(f"a prefix is 1 to 16 letters a-z and digits, not {prefix!r}")
        self.prefix = prefix
        self.machines: dict[str, Machine] = {}
        self._others: list[tuple[Host, Child]] = []
        # First: from here on, however this process ends, somebody sees to what it leaves.
        self._guardian = Guardian(prefix)
        try:
            self._ledger = _fresh(prefix)
        except LabBusy:
            self._guardian.dismiss()
            raise
        self.controller = Controller(self._ledger, projects, location=database)
        self.hosts = {f"{prefix}-h{index}": self._host(index) for index in range(1, hosts + 1)}

    @property
    def ledger(self) -> Ledger:
        """Where what is added to it must be noted before it is made."""
        return self._ledger

    @property
    def directory(self) -> str:
        """Where its state and logs are."""
        return str(self._ledger.directory)

    @property
    def host_list(self) -> list[Host]:
        """The hosts in order."""
        return list(self.hosts.values())

    def _host(self, index: int) -> Host:
        name = f"{self.prefix}-h{index}"
        return Host(self._ledger, name, f"np-{name}", underlay.address(index))

    @property
    def _router(self) -> str:
        return f"np-{self.prefix}-router"

    def build(self) -> None:
        """Make the underlay: namespaces, links and the router."""
        self._add_namespaces([self._router])
        self._power_on(self.host_list)

    def start(self, *, announce: Callable[[str], None] = lambda _: None) -> Self:
        """Build it and run controller and agents; returns when every agent has joined."""
        announce("underlay")
        self.controller.start(wait=False)
        self.build()
        announce("controller")
        self.controller.wait()
        announce("agents")
        for host in self.host_list:
            self.start_agent(host)
        self.wait_alive(self.host_list)
        return self

    def start_agent(self, host: Host) -> None:
        """Run a host's agent; one without papers joins first."""
        self._ledger.note("pins", str(host.pins))
        self._ledger.note("namespaces", host.service_namespace)
        if not (host.directory / IDENTITY).exists():
            host.join(self.controller.url, self.controller.api().make_join_token(host.name))
        host.start_agent()

    def run_on(self, host: Host, argv: Sequence[str]) -> Child:
        """Run another program than the agent on a host, such as `netplane up`; it ends with the lab."""
        self._ledger.note("pins", str(host.pins))
        self._ledger.note("namespaces", host.service_namespace)
        log = self._ledger.directory / "log" / f"{host.name}-{len(self._others)}.log"
        child = start(self._ledger, argv, log=log, namespace=host.namespace)
        self._others.append((host, child))
        return child

    def reboot(self, host: Host, *, disk: bool = True) -> None:
        """What a host's power failing leaves of it: its disk, or not even that, and no machine.

        Agent, guests, pinned tables and every device are gone; the host is back in the underlay, with nothing on it.
        """
        for child in [host.agent, *(child for where, child in self._others if where is host)]:
            if child is not None:
                child.kill()
        for machine in self.machines.values():
            if machine.host is host:
                unplug(machine)
        remove_pins(host.pins)
        namespace.remove(host.service_namespace)
        namespace.batch([f"link delete {underlay.UPLINK}"], host.namespace)
        namespace.remove(host.namespace)
        if not disk:
            shutil.rmtree(host.directory)
        self._power_on([host])

    def _power_on(self, hosts: Sequence[Host]) -> None:
        """Make hosts' namespaces and plug them into the underlay."""
        self._add_namespaces([host.namespace for host in hosts])
        for host in hosts:
            # Whatever a host says on its own behalf must not reach its machines.
            namespace.write_sysctl(host.namespace, "ipv6/conf/default/disable_ipv6", 1)
        indexes = {host.namespace: index for index, host in enumerate(self.host_list, 1) if host in hosts}
        underlay.join(self._router, indexes)

    def wait_alive(self, hosts: Sequence[Host], seconds: float = 30) -> None:
        """Until the controller counts the hosts among the living, and they have made real what it knows."""
        api = self.controller.api()
        wanted = {host.name for host in hosts}

        def joined() -> bool:
            status = api.status()
            alive = wanted <= {host["name"] for host in status["hosts"] if host["alive"]}
            return alive and not wanted & set(api.read_realised(status["revision"], 0)["pending"])

        until(f"agents {sorted(wanted)} have joined", lambda: joined() or self._dead(hosts), seconds, 0.05)

    def _dead(self, hosts: Sequence[Host]) -> bool:
        for host in hosts:
            if host.agent is not None and not host.agent.alive:
                raise RuntimeError(f"the agent of {host.name} has ended:\n{host.agent.tail(20)}")
        return False

    def read_logs(self, lines: int = 20) -> dict[str, str]:
        """The end of what controller and agents have written, by whom."""
        children = {"controller": self.controller.child, **{name: host.agent for name, host in self.hosts.items()}}
        return {name: child.tail(lines) for name, child in children.items() if child is not None}

    def add_machines(self, wanted: Mapping[str, tuple[Host, Plug]], *, dhcp: bool = True) -> list[Machine]:
        """Make machines by name, plug them in and start their DHCP clients."""
        made = [self._machine(name, host, plug) for name, (host, plug) in wanted.items()]
        self._add_namespaces([machine.namespace for machine in made])
        plug_in(made)
        self.machines.update((machine.name, machine) for machine in made)
        if dhcp:
            for machine in made:
                machine.client.start()
        return made

    def _machine(self, name: str, host: Host, plug: Plug) -> Machine:
        space = f"np-{self.prefix}-m-{name}"
        directory = self._ledger.directory / "machines" / name
        client = Client(self._ledger, space, DEVICE, directory)
        client6 = Client6(self._ledger, space, DEVICE, directory / "6")
        return Machine(name, space, host, f"m-{name}"[:15], plug, client, client6)

    def remove_machine(self, machine: Machine) -> None:
        """Unplug a machine and remove its namespace, and with it what it has learnt by DHCP."""
        unplug(machine)
        namespace.remove(machine.namespace)
        shutil.rmtree(machine.client.directory, ignore_errors=True)
        del self.machines[machine.name]

    def _add_namespaces(self, names: Sequence[str]) -> None:
        for name in names:
            self._ledger.note("namespaces", name)
        namespace.batch(f"netns add {name}" for name in names)

    def close(self) -> None:
        """Remove everything; a Ctrl-C meanwhile has to wait."""
        with unhurried():
            for machine in self.machines.values():
                stop_clients(machine)
            agents = (host.agent for host in self.host_list)
            others = (child for _, child in self._others)
            children = [child for child in (*others, *agents, self.controller.child) if child is not None]
            for child in children:
                child.signal(signal.SIGTERM)
            for child in children:
                child.stop()
            self._ledger.destroy()
            self._guardian.dismiss()

    @staticmethod
    def destroy(prefix: str) -> None:
        """Remove what a former lab of this prefix left; LabBusy if it is alive."""
        if ledger.directory(prefix).exists():
            ledger.claim(prefix).destroy()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _fresh(prefix: str) -> Ledger:
    """A claimed, empty state directory: what a former run left there is removed first."""
    former = ledger.claim(prefix)
    former.destroy()
    return ledger.claim(prefix)


@contextmanager
def unhurried() -> Iterator[None]:
    """No SIGINT or SIGTERM interrupts the block; has an effect in the main thread only, where they are handled."""

    def later(number: int, frame: FrameType | None) -> None:
        return

    try:
        former = {number: signal.signal(number, later) for number in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:
        former = {}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


@contextmanager
def interruptible() -> Iterator[None]:
    """SIGTERM and SIGHUP end the block as Ctrl-C does."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    former = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
