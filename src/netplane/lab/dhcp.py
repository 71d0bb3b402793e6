"""A stock DHCP client in a machine: ISC dhclient, with a script that keeps to the lab's directory."""

import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from netplane.lab.ledger import Ledger
from netplane.lab.process import Child, start

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
SCRIPT = Path(__file__).with_name("dhclient-script")
"""Run from where it is installed: what lies below /run cannot be executed on many systems (mount option noexec)."""

CONFINED = Path("/sys/kernel/security/apparmor/profiles")
"""Where AppArmor is in force, which keeps dhclient out of directories such as ours (Ubuntu)."""

CONFIGURATION = """option rfc3442-classless-static-routes code 121 = array of unsigned integer 8;
option tftp-server-address code 150 = array of ip-address;
option path-prefix code 210 = text;
request subnet-mask, broadcast-address, routers, rfc3442-classless-static-routes, domain-name-servers, interface-mtu;
timeout 20;
retry 1;
initial-delay 0;
initial-interval 1;
backoff-cutoff 2;
select-timeout 0;
"""


class Lease(NamedTuple):
    """What the server gave; empty texts for what it did not."""

    reason: str
    """Why the client's script ran last: BOUND, RENEW, REBIND or REBOOT."""
    address: str
    """Address and mask, as 10.0.0.5/255.255.255.0."""
    mtu: str
    routers: str
    dns: str
    """Separated by blanks."""
    routes: str
    """Option 121's bytes in decimal."""
    server: str
    seconds: str

    @property
    def ip(self) -> str:
        """The address alone."""
        return self.address.partition("/")[0]


class Client:
    """dhclient on one device of one namespace, and its files in one directory."""

    def __init__(self, ledger: Ledger, namespace: str, device: str, directory: Path) -> None:
        self.ledger = ledger
        self.namespace = namespace
        self.device = device
        self.directory = directory
        self.child: Child | None = None
        self._started = 0.0

    def start(self, *, renew_after: int | None = None, also: Sequence[str] = ()) -> Child:
        """Run it in the foreground; it takes up the last lease if there is one.

        `renew_after` seconds replaces the server's renewal time, so that a renewal can be watched; `also` are options
        to ask for besides the usual ones, by dhclient's names.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        extra = "" if renew_after is None else f"supersede dhcp-renewal-time {renew_after};\n"
        extra += f"also request {', '.join(also)};\n" if also else ""
        (self.directory / "dhclient.conf").write_text(CONFIGURATION + extra)
        self._started = time.time()
        self.child = start(
            self.ledger,
            self._argv("-d"),
            log=self.directory / "dhclient.log",
            namespace=self.namespace,
            environment={"PATH": PATH, "LAB_DIRECTORY": str(self.directory)},
        )
        return self.child

    def _argv(self, *mode: str) -> list[str]:
        return dhclient(self.directory, self.device, SCRIPT, "-4", *mode)

    def release(self) -> None:
        """Give the address back and end, as when a machine is shut down in order."""
        log = self.directory / "dhclient.log"
        environment = {"PATH": PATH, "LAB_DIRECTORY": str(self.directory)}
        argv = self._argv("-r")
        start(self.ledger, argv, log=log, namespace=self.namespace, environment=environment).popen.wait(20)
        self.stop()

    def stop(self) -> None:
        """End it; the machine keeps its address."""
        if self.child is not None:
            self.child.kill()
            self.child = None

    def read_lease(self) -> Lease | None:
        """The last lease that was applied."""
        return parse_lease(_read(self.directory / "lease"))

    def read_seconds(self) -> float:
        """How long after its start the client had applied its last lease."""
        return (self.directory / "lease").stat().st_mtime - self._started

    def read_told(self) -> dict[str, str]:
        """Everything that the server said with the last lease, by dhclient's names with `_` for `-`."""
        return dict(line.split("=", 1) for line in _read(self.directory / "told").splitlines())

    def read_history(self) -> list[str]:
        """Every reason that the script ran for, in order."""
        return _read(self.directory / "history").split()

    def read_resolvers(self) -> list[str]:
        """The name servers written for the machine."""
        return [line.split()[1] for line in _read(self.directory / "resolv.conf").splitlines()]

    def read_log(self) -> str:
        """What the client has said since the machine was made."""
        return _read(self.directory / "dhclient.log")


def dhclient(directory: Path, device: str, script: Path, *mode: str) -> list[str]:
    """How dhclient is called, with its files in a directory."""
    files = ["-cf", "dhclient.conf", "-lf", "leases", "-pf", "pid"]
    paths = [str(directory / word) if not word.startswith("-") else word for word in files]
    environment = ["-e", f"LAB_DIRECTORY={directory}"]
    unconfined = ["aa-exec", "-p", "unconfined", "--"] if CONFINED.exists() and shutil.which("aa-exec") else []
    return [*unconfined, "dhclient", *mode, "-sf", str(script), *environment, *paths, device]


def parse_lease(text: str) -> Lease | None:
    """A lease from the file that the script writes; None if it is empty."""
    fields = dict(line.split("=", 1) for line in text.splitlines())
    return Lease(**fields) if fields else None


def parse_routes(numbers: str) -> list[tuple[str, str]]:
    """Option 121 (RFC 3442) in decimal bytes as (prefix, gateway) pairs."""
    left, found = [int(word) for word in numbers.split()], []
    while left:
        length, width = left[0], (left[0] + 7) // 8
        prefix, gateway = left[1 : 1 + width], left[1 + width : 5 + width]
        padded = prefix + [0] * (4 - width)
        found.append((f"{'.'.join(map(str, padded))}/{length}", ".".join(map(str, gateway))))
        left = left[5 + width :]
    return found


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""
