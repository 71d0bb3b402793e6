"""OVN's programs, taken out of Debian's packages into `.cache/ovn`; nothing is installed, so no service ever starts.

`apt-get download` fetches and checks them, as an installation would. Whoever wants another release puts a tree like the
one that `dpkg-deb -x` makes there, and names it with `--programs`.
"""

import os
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

CACHE = Path(__file__).parents[2] / ".cache" / "ovn"
PACKAGES = ("ovn-central", "ovn-common", "ovn-host", "openvswitch-common", "openvswitch-switch", "libxdp1")
FOLDERS = ("usr/bin", "usr/sbin", "usr/lib/openvswitch-switch")
SCHEMAS = {
    "OVN_Northbound": "usr/share/ovn/ovn-nb.ovsschema",
    "OVN_Southbound": "usr/share/ovn/ovn-sb.ovsschema",
    "Open_vSwitch": "usr/share/openvswitch/vswitch.ovsschema",
}


class Programs(NamedTuple):
    """A tree of unpacked packages."""

    root: Path

    def find(self, name: str) -> str:
        """The path of a program; FileNotFoundError if no package brought it."""
        for folder in FOLDERS:
            path = self.root / folder / name
            if path.exists():
                return str(path)
        raise FileNotFoundError(f"{name} is not below {self.root}")

    def schema(self, database: str) -> Path:
        """The schema of a database."""
        return self.root / SCHEMAS[database]

    @property
    def environment(self) -> dict[str, str]:
        """What the programs need in order to find their libraries, and must not find of the system's."""
        libraries = ":".join(str(path) for path in (self.root / "usr" / "lib").glob("*-linux-gnu"))
        return os.environ | {"LD_LIBRARY_PATH": libraries, "OVS_PKGDATADIR": str(self.root / "usr/share/openvswitch")}

    def run(self, name: str, *arguments: str) -> str:
        """What a program says; CalledProcessError, with that in its `stderr`, if it fails."""
        argv = [self.find(name), *arguments]
        return subprocess.run(argv, env=self.environment, capture_output=True, text=True, check=True).stdout

    def read_versions(self) -> dict[str, str]:
        """The releases of OVN and of Open vSwitch."""
        ovn, ovs = self.run("ovn-controller", "--version"), self.run("ovs-vswitchd", "--version")
        return {"OVN": _version(ovn), "Open vSwitch": _version(ovs)}


def fetch(cache: Path = CACHE) -> Programs:
    """The programs; downloaded and unpacked, if that has not been done yet."""
    root = cache / "root"
    if not root.exists():
        packages, fresh = cache / "packages", cache / "unpacking"
        for folder in (packages, fresh):
            folder.mkdir(parents=True, exist_ok=True)
        _run("apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", *PACKAGES, folder=packages)
        for package in sorted(packages.glob("*.deb")):
            _run("dpkg-deb", "-x", str(package), str(fresh), folder=packages)
        fresh.rename(root)
    return Programs(root)


def _run(*argv: str, folder: Path) -> None:
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(argv)}: {done.stderr.strip()}")


def _version(text: str) -> str:
    found = re.search(r"\d+\.\d+\.\d+", text)
    return found[0] if found else text
