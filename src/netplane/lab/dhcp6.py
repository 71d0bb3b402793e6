"""A stock DHCPv6 client in a machine: ISC dhclient, beside the one for IPv4, with files of its own."""

from collections.abc import Sequence
from pathlib import Path

from netplane.lab.dhcp import PATH, dhclient
from netplane.lab.ledger import Ledger
from netplane.lab.process import Child, start

SCRIPT = Path(__file__).with_name("dhclient6-script")

CONFIGURATION = """option dhcp6.ntp-servers code 56 = string;
option dhcp6.bootfile-url code 59 = text;
timeout 20;
retry 1;
initial-interval 1;
"""
ASKED = ("dhcp6.name-servers", "dhcp6.domain-search")
STATELESS = "-S"
"""Ask for no address."""


class Client6:
    """`dhclient -6` on one device of one namespace."""

    def __init__(self, ledger: Ledger, namespace: str, device: str, directory: Path) -> None:
        self.directory = directory
        self._ledger = ledger
        self._namespace = namespace
        self._device = device
        self._child: Child | None = None

    def start(self, *mode: str, also: Sequence[str] = ()) -> None:
        """Run it in the foreground, in `STATELESS` mode or for an address; it takes up its last lease.

        `also` are options to ask for besides the usual.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        asked = f"also request {', '.join((*ASKED, *also))};\n"
        (self.directory / "dhclient.conf").write_text(CONFIGURATION + asked)
        self._child = self._run("-d", *mode)

    def release(self) -> None:
        """Give the address back and end."""
        self.stop()
        self._run("-r").popen.wait(20)

    def _run(self, *mode: str) -> Child:
        return start(
            self._ledger,
            dhclient(self.directory, self._device, SCRIPT, "-6", *mode),
            log=self.directory / "dhclient.log",
            namespace=self._namespace,
            environment={"PATH": PATH, "LAB_DIRECTORY": str(self.directory)},
        )

    def stop(self) -> None:
        """End it; the machine keeps its address."""
        if self._child is not None:
            self._child.kill()
            self._child = None

    def read_told(self) -> dict[str, str]:
        """Everything that the server said last, by dhclient's names with `_` for `-`."""
        return dict(line.split("=", 1) for line in self._read("told").splitlines())

    def read_history(self) -> list[str]:
        """Every reason that the script ran for, in order."""
        return self._read("history").split()

    def read_resolvers(self) -> list[str]:
        """The lines written for the machine's resolver."""
        return self._read("resolv.conf").splitlines()

    def read_log(self) -> str:
        """What the client has said."""
        return self._read("dhclient.log")

    def _read(self, name: str) -> str:
        path = self.directory / name
        return path.read_text() if path.exists() else ""
