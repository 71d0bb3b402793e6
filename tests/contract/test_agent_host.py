"""A whole agent as a process on a host of its own, without any controller: all it knows is on its disk.

Two machines in namespaces of their own are plugged into the host. A stock DHCP client asks for an address; datagrams
go to and fro while the agent is restarted and its programs are replaced.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from shutil import which
from typing import NamedTuple

import pytest
from msgspec.structs import replace
from pyroute2 import IPRoute

from netplane.agent.journal import Journal
from netplane.agent.process import JOURNAL, PUNT, TUNNEL, pins, teardown
from netplane.base.addresses import pack_address, pack_mac
from netplane.datapath import libbpf
from netplane.datapath.entries import KernelTable
from netplane.model import AnyRecord, Endpoint, FixedIP, Port, SecurityGroupRule
from netplane.stream.messages import Snapshot, Welcome
from netplane.tables.pipeline import AGENT_TABLES, SETTINGS
from netplane.tables.pipeline import PORT as PORT_TABLE
from netplane.tables.schema import Table
from netplane.trust.authority import make_authority
from netplane.trust.names import HostIdentity
from netplane.trust.own import wall_clock
from netplane.trust.papers import write_papers
from tests.contract.datapaths import skip_without_root
from tests.contract.namespaces import add_veth, bring_up, find_link, inside, new_namespace
from tests.contract.southbound import certified
from tests.unit.agent.records import NEAR, PORT, SLICE

pytestmark = pytest.mark.kernel

START = """
import sys
from pathlib import Path
from netplane.agent.process import main
main("192.0.2.1", ["unix:///nowhere"], Path(sys.argv[1]), instance=sys.argv[2])
"""
READY = "the datapath holds everything"
REPLACED = "replaced the programs"
PATIENCE = 20.0
SERVICE = 7007

INWARDS = SecurityGroupRule(id="1badcafe-0000-0000-0000-000000000000", security_group_id="group", direction="ingress")
OTHER: Port = replace(
    PORT,
    id="dddddddd-3333-0000-0000-000000000007",
    mac_address="02:00:00:00:00:07",
    fixed_ips=(FixedIP("sub", "10.0.0.7"),),
)
OTHER_NEAR = Endpoint.of(
    OTHER.id,
    vni=NEAR.vni,
    mac=pack_mac(OTHER.mac_address),
    addresses=(pack_address("10.0.0.7"),),
    identity=NEAR.identity,
    host=NEAR.host,
)
RECORDS: list[AnyRecord] = [*SLICE, INWARDS, OTHER, OTHER_NEAR]

_numbers = count()


class Agent(NamedTuple):
    """A running agent, and where it says what it does."""

    process: subprocess.Popen[bytes]
    log: Path

    def wait_for(self, words: str) -> None:
        """Until the agent has said it."""
        deadline = time.monotonic() + PATIENCE
        while words not in self.log.read_text():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.01)


class Host(NamedTuple):
    """A host of the test's own; this thread is in its namespace."""

    instance: str
    state: Path

    @contextmanager
    def agent(self, ending: signal.Signals = signal.SIGTERM) -> Iterator[Agent]:
        """An agent that has brought everything in; it ends by a signal."""
        log = self.state / "log"
        with log.open("wb") as sink:
            command = [sys.executable, "-c", START, str(self.state), self.instance]
            process = subprocess.Popen(command, stderr=sink)
        try:
            agent = Agent(process, log)
            agent.wait_for(READY)
            yield agent
        finally:
            process.send_signal(ending)
            assert process.wait(PATIENCE) == (0 if ending is signal.SIGTERM else -ending), log.read_text()

    def tables(self) -> dict[str, dict[bytes, bytes]]:
        """What the agent has written: by its pinned maps, since a datapath is opened by one process at a time."""
        return {table.name: self._read(table) for table in AGENT_TABLES}

    def _read(self, table: Table) -> dict[bytes, bytes]:
        fd = libbpf.pinned(pins(self.instance) / table.name)
        try:
            return KernelTable(table, fd).read()
        finally:
            os.close(fd)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    skip_without_root()
    instance = f"agent-{os.getpid()}-{next(_numbers)}"
    with new_namespace() as namespace, inside(namespace):
        bring_up(find_link("lo"))
        write_papers(tmp_path, certified(make_authority(wall_clock()), HostIdentity("host1", "0" * 16)))
        journal = Journal(tmp_path / JOURNAL)
        for message in (Welcome(1, "log"), Snapshot.of(4, RECORDS)):
            journal.note(message)
        journal.close()
        try:
            yield Host(instance, tmp_path)
        finally:
            teardown(instance, tmp_path)
            assert {name for _, name in socket.if_nameindex()}.isdisjoint({TUNNEL, PUNT})
            assert not pins(instance).exists()


@contextmanager
def machine(name: str, port: Port, *, alias: str | None = None) -> Iterator[int]:
    """A machine plugged into this thread's host, without an address yet: its namespace.

    The device's alias names its port unless another one is given.
    """
    with new_namespace() as namespace:
        near = add_veth(name, "eth0", namespace)
        with IPRoute() as kernel:
            kernel.link("set", index=near, ifalias=f"netplane:{port.id}" if alias is None else alias, state="up")
        with inside(namespace):
            bring_up(find_link("eth0"), mac=pack_mac(port.mac_address))
        yield namespace


def lease(namespace: int, directory: Path) -> str:
    """What a stock client has been told by DHCP, as it writes it down."""
    client = which("dhclient")
    if client is None:
        pytest.skip("there is no dhclient")
    leases = directory / "leases"
    command = [client, "-1", "-d", "-sf", "/bin/true", "-lf", str(leases), "-pf", str(directory / "pid"), "eth0"]
    with inside(namespace):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    with process, process.stderr as told:
        lines = []
        for line in told:
            lines.append(line)
            if line.startswith((b"bound to", b"No DHCPOFFERS")):
                break
        process.terminate()
    assert leases.exists(), b"".join(lines)
    return leases.read_text()


def test_a_stock_client_gets_its_lease_from_an_agent_without_a_controller(host: Host, tmp_path: Path) -> None:
    with machine("ann", PORT) as ann, host.agent():
        told = lease(ann, tmp_path)
    for words in (
        "fixed-address 10.0.0.5;",
        "option subnet-mask 255.255.255.0;",
        "option routers 10.0.0.1;",
        "option domain-name-servers 9.9.9.9,1.1.1.1;",
        "option interface-mtu 1400;",
        "option rfc3442-classless-static-routes 32,169,254,169,254,0,0,0,0,0,10,0,0,1;",
        "option dhcp-server-identifier 10.0.0.1;",
        "option dhcp-lease-time 86400;",
    ):
        assert words in told


def test_a_machine_that_is_plugged_in_later_is_served_too(host: Host, tmp_path: Path) -> None:
    with host.agent(), machine("ann", OTHER) as ann:
        assert "fixed-address 10.0.0.7;" in lease(ann, tmp_path)


def bound(stack: ExitStack, namespace: int, port: Port) -> socket.socket:
    """A socket of a machine that has its address."""
    address = port.fixed_ips[0].ip_address
    with inside(namespace):
        bring_up(find_link("eth0"), address=f"{address}/24")
        found = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        found.bind((address, SERVICE))
    found.settimeout(PATIENCE)
    return found


def test_a_device_is_known_by_the_name_that_nova_gives_it(host: Host, tmp_path: Path) -> None:
    with host.agent(), machine(f"tap{OTHER.id[:11]}", OTHER, alias="vm") as ann:
        assert "fixed-address 10.0.0.7;" in lease(ann, tmp_path)


def test_nothing_is_left_of_a_machine_that_is_unplugged(host: Host) -> None:
    with host.agent():
        empty = host.tables()
        with machine("ann", PORT), machine("ben", OTHER):
            wait_until(lambda: len(host.tables()[PORT_TABLE.name]) == 2)
        wait_until(lambda: host.tables() == empty)


def wait_until(sight: Callable[[], bool]) -> None:
    """Look until it is so."""
    deadline = time.monotonic() + PATIENCE
    while not sight():
        assert time.monotonic() < deadline
        time.sleep(0.02)


LAST = b"the last one"


def echo(server: socket.socket) -> None:
    """Send datagrams back, until the last one."""
    data = b""
    while data != LAST:
        data, sender = server.recvfrom(2048)
        server.sendto(data, sender)


def ask(client: socket.socket, question: bytes) -> None:
    """One datagram there and back; TimeoutError if either is lost."""
    client.sendto(question, (OTHER.fixed_ips[0].ip_address, SERVICE))
    assert client.recv(2048) == question


def talk_during(what: Callable[[], None], client: socket.socket, server: socket.socket) -> int:
    """Datagrams to and fro, one after another, while something is done; how many, none of them lost."""
    asked = 0
    answering, doing = threading.Thread(target=echo, args=(server,)), threading.Thread(target=what)
    doing.start()
    answering.start()
    try:
        while doing.is_alive():
            ask(client, asked.to_bytes(8, "big"))
            asked += 1
    finally:
        ask(client, LAST)
        doing.join()
        answering.join()
    return asked


@pytest.fixture
def sockets(host: Host) -> Iterator[tuple[socket.socket, socket.socket]]:
    with ExitStack() as stack:
        first, second = (stack.enter_context(machine(name, port)) for name, port in (("ann", PORT), ("ben", OTHER)))
        yield bound(stack, first, PORT), bound(stack, second, OTHER)


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_restarts_change_nothing_and_lose_nothing(
    host: Host, sockets: tuple[socket.socket, socket.socket], ending: signal.Signals
) -> None:
    with host.agent():
        before = host.tables()

    def restart() -> None:
        for _ in range(2):
            with host.agent(ending):
                pass

    assert talk_during(restart, *sockets) > 100
    assert host.tables() == before
    assert len(before[SETTINGS.name]) == 1


def test_programs_are_replaced_on_demand_and_nothing_is_lost(
    host: Host, sockets: tuple[socket.socket, socket.socket]
) -> None:
    with host.agent() as agent:

        def reload() -> None:
            agent.process.send_signal(signal.SIGHUP)
            agent.wait_for(REPLACED)

        assert talk_during(reload, *sockets) > 100


def test_the_host_says_nothing_to_a_machine_on_its_own_behalf(host: Host) -> None:
    with machine("ann", PORT), host.agent():
        assert Path("/proc/sys/net/ipv6/conf/ann/disable_ipv6").read_text() == "1\n"
