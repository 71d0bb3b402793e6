"""A host of the lab: a namespace with an underlay address, and an agent that runs in it as a process of its own."""

import signal
import sys
from pathlib import Path

from netplane.agent.joining import join
from netplane.agent.process import service_namespace
from netplane.datapath import libbpf
from netplane.lab.ledger import ROOT, Ledger
from netplane.lab.process import Child, start

PYTHON = sys.executable
PINS = ROOT / "bpf"


class Host:
    """One hypervisor."""

    def __init__(self, ledger: Ledger, name: str, namespace: str, address: str) -> None:
        self.name = name
        self.namespace = namespace
        self.address = address
        self.agent: Child | None = None
        self._ledger = ledger

    @property
    def directory(self) -> Path:
        """Where its agent keeps its state."""
        return self._ledger.directory / self.name

    @property
    def resolv_conf(self) -> Path:
        """Names the resolvers of its underlay; not those of the machine that the lab runs on."""
        return self._ledger.directory / "resolv.conf"

    @property
    def pins(self) -> Path:
        """Where its datapath is pinned."""
        return PINS / self.name

    @property
    def service_namespace(self) -> str:
        """Where its agent answers machines."""
        return service_namespace(self.name)

    def join(self, url: str, token: str) -> None:
        """Become a host of a controller."""
        join(url, token, self.name, self.address, self.directory)

    def start_agent(self) -> Child:
        """Run the agent, which finds in the kernel what a former one left there."""
        self.agent = start(
            self._ledger,
            self._argv(),
            log=self._ledger.directory / "log" / f"{self.name}.log",
            namespace=self.namespace,
        )
        return self.agent

    def _argv(self) -> list[str]:
        words = {"--state": str(self.directory), "--resolv-conf": str(self.resolv_conf)}
        return [PYTHON, "-m", "netplane.cli", "agent", *(word for pair in words.items() for word in pair)]

    def reload(self) -> None:
        """Have the running agent put freshly loaded programs in the place of those that run."""
        if self.agent is not None:
            self.agent.signal(signal.SIGHUP)

    def read_programs(self) -> dict[str, int]:
        """The kernel's id of the program that runs on each device, by program and ifindex."""
        return {
            f"{path.parent.name}/{path.name}": self._program(path) for path in sorted(self.pins.glob("attached/*/*"))
        }

    def _program(self, attached: Path) -> int:
        if attached.is_symlink():
            # A filter of a clsact qdisc (kernels without tcx) is no object that could be pinned; its program is.
            with libbpf.closing(libbpf.pinned(self.pins / "programs" / attached.parent.name)) as program:
                return libbpf.kernel_id(program)
        with libbpf.closing(libbpf.pinned(attached)) as link:
            return libbpf.link_device(link)[0]
