"""A stock DHCP client in a machine: ISC dhclient, with a script that keeps to the lab's directory."""

from pathlib import Path
from typing import NamedTuple

from netplane.lab.ledger import Ledger
from netplane.lab.process import Child, start

SCRIPT = """#!/bin/sh
# Called by dhclient with what the server said. Writes nothing outside the machine's directory.
# Classless static routes come as length, then as many bytes of the prefix as it needs, then the gateway (RFC 3442).
routes() {
  while [ $# -gt 4 ]; do
    length=$1; shift
    a=0; b=0; c=0; d=0
    if [ "$length" -gt 0 ]; then a=$1; shift; fi
    if [ "$length" -gt 8 ]; then b=$1; shift; fi
    if [ "$length" -gt 16 ]; then c=$1; shift; fi
    if [ "$length" -gt 24 ]; then d=$1; shift; fi
    via="via $1.$2.$3.$4"
    if [ "$via" = "via 0.0.0.0" ]; then via="scope link"; fi
    ip -4 route replace $a.$b.$c.$d/$length $via dev "$interface" onlink 2>/dev/null ||
      ip -4 route replace $a.$b.$c.$d/$length $via dev "$interface"
    shift 4
  done
}

case "$reason" in
BOUND|RENEW|REBIND|REBOOT)
  if [ -n "$new_interface_mtu" ]; then ip link set "$interface" mtu "$new_interface_mtu"; fi
  ip -4 address replace "$new_ip_address/$new_subnet_mask" dev "$interface"
  if [ -n "$new_rfc3442_classless_static_routes" ]; then
    routes $new_rfc3442_classless_static_routes
  else
    for router in $new_routers; do ip -4 route replace default via "$router" dev "$interface"; break; done
  fi
  for server in $new_domain_name_servers; do echo "nameserver $server"; done > "$LAB_DIRECTORY/resolv.conf"
  {
    echo "reason=$reason"
    echo "address=$new_ip_address/$new_subnet_mask"
    echo "mtu=$new_interface_mtu"
    echo "routers=$new_routers"
    echo "dns=$new_domain_name_servers"
    echo "routes=$new_rfc3442_classless_static_routes"
    echo "server=$new_dhcp_server_identifier"
    echo "seconds=$new_dhcp_lease_time"
  } > "$LAB_DIRECTORY/lease.new"
  mv "$LAB_DIRECTORY/lease.new" "$LAB_DIRECTORY/lease"
  echo "$reason" >> "$LAB_DIRECTORY/history"
  ;;
EXPIRE|FAIL|RELEASE|STOP)
  ip -4 address flush dev "$interface"
  echo "$reason" >> "$LAB_DIRECTORY/history"
  ;;
PREINIT)
  ip link set "$interface" up
  ;;
esac
exit 0
"""

CONFIGURATION = """option rfc3442-classless-static-routes code 121 = array of unsigned integer 8;
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

    def start(self, *, renew_after: int | None = None) -> Child:
        """Run it in the foreground; it takes up the last lease if there is one.

        `renew_after` seconds replaces the server's renewal time, so that a renewal can be watched.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        script = self.directory / "script"
        script.write_text(SCRIPT)
        script.chmod(0o700)
        extra = "" if renew_after is None else f"supersede dhcp-renewal-time {renew_after};\n"
        (self.directory / "dhclient.conf").write_text(CONFIGURATION + extra)
        self.child = start(
            self.ledger,
            self._argv(script),
            log=self.directory / "dhclient.log",
            namespace=self.namespace,
            environment={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LAB_DIRECTORY": str(self.directory)},
        )
        return self.child

    def _argv(self, script: Path) -> list[str]:
        files = ["-cf", "dhclient.conf", "-lf", "leases", "-pf", "pid"]
        paths = [str(self.directory / word) if not word.startswith("-") else word for word in files]
        environment = ["-e", f"LAB_DIRECTORY={self.directory}"]
        return ["dhclient", "-4", "-d", "-sf", str(script), *environment, *paths, self.device]

    def stop(self) -> None:
        """End it; the machine keeps its address."""
        if self.child is not None:
            self.child.kill()
            self.child = None

    def read_lease(self) -> Lease | None:
        """The last lease that was applied."""
        return parse_lease(_read(self.directory / "lease"))

    def read_history(self) -> list[str]:
        """Every reason that the script ran for, in order."""
        return _read(self.directory / "history").split()

    def read_resolvers(self) -> list[str]:
        """The name servers written for the machine."""
        return [line.split()[1] for line in _read(self.directory / "resolv.conf").splitlines()]

    def read_log(self) -> str:
        """What the client has said since the machine was made."""
        return _read(self.directory / "dhclient.log")


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
