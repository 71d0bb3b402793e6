"""A single hypervisor with nothing but `netplane up` and `netplane attach`, in a namespace of its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from netplane.cli.tokens import read_token
from netplane.lab import Host, Lab, Machine, Plug
from netplane.lab.api import Api
from netplane.lab.demo.tenant import to_plug
from netplane.lab.namespace import batch, inside
from netplane.lab.process import Child
from netplane.lab.wait import until
from tests.lab.leftovers import read_leftovers, unique
from tests.printed import printed

PREFIX = unique("tup")
URL = "http://127.0.0.1:9696"
UNDERLAY_MTU = 1400
COMMAND = [sys.executable, "-m", "netplane.cli"]


class Hypervisor(NamedTuple):
    """The one host of the lab, and where its state is."""

    lab: Lab
    host: Host
    state: Path

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """One `netplane` command on the host."""
        environment = {**os.environ, "NETPLANE_STATE": str(self.state)}
        with inside(self.host.namespace):
            return subprocess.run([*COMMAND, *words], capture_output=True, text=True, env=environment, timeout=30)

    def is_alive(self) -> bool:
        """Whether the controller answers and counts the host among the living."""
        done = self.run("status", "-o", "json")
        return done.returncode == 0 and any(host["alive"] for host in json.loads(done.stdout)["hosts"])

    def up(self) -> Child:
        """`netplane up`, once the host is alive."""
        names = ("--name", self.host.name, "--state", str(self.state), "--run", f"{self.state}/run")
        child = self.lab.run_on(
            self.host,
            [*COMMAND, "up", *names, "--underlay-mtu", str(UNDERLAY_MTU)],
        )
        until("the host is alive", self.is_alive, 30, 0.1)
        return child


@pytest.fixture
def hypervisor() -> Iterator[Hypervisor]:
    with Lab(PREFIX, 1) as lab:
        lab.build()
        yield Hypervisor(lab, lab.host_list[0], Path(lab.directory) / "up")
    assert read_leftovers(PREFIX) == []


def test_from_nothing_to_machines_that_talk(hypervisor: Hypervisor) -> None:
    child = hypervisor.up()
    tokens = hypervisor.state / "tokens.toml"
    assert tokens.stat().st_mode & 0o777 == 0o600
    assert read_token(tokens) not in child.read_log()
    plugs = make_ports(hypervisor, read_token(tokens))
    one, two = hypervisor.lab.add_machines({name: (hypervisor.host, plug) for name, plug in plugs.items()}, dhcp=False)
    for machine, plug in ((one, plugs["one"].port), (two, "two")):
        # The lab has set the alias already; what counts here is that the command does.
        batch([f"link set {machine.device} alias none"], hypervisor.host.namespace)
        done = hypervisor.run("attach", machine.device, plug)
        assert (done.returncode, done.stderr) == (0, "")
        machine.client.start()
        machine.obtain()
        told = subprocess.check_output(["ip", "-n", machine.namespace, "link"], text=True)
        assert f"mtu {UNDERLAY_MTU - 50} " in told, "what tunnels leave of the underlay"
    expect_why_not(hypervisor, two, read_token(tokens))
    assert one.ping(two.address).lost == 0
    assert hypervisor.run("trace", one.plug.port, "icmp", f"dst={two.address}").returncode == 0
    expect_as_printed(hypervisor, one.plug.port)
    child.stop()
    assert child.popen.returncode == 0
    assert one.ping(two.address).lost == 0, "the datapath forwards while netplane is down"
    again = hypervisor.up()
    assert one.ping(two.address).lost == 0
    refused = hypervisor.run("down", "--name", hypervisor.host.name)
    assert (refused.returncode, "is up already" in refused.stderr) == (1, True)
    again.signal(signal.SIGINT)
    assert again.popen.wait(15) == 0
    done = hypervisor.run("down", "--name", hypervisor.host.name)
    assert (done.returncode, done.stderr) == (0, "")
    assert one.ping(two.address, count=1, wait=0.2).received == 0
    assert not hypervisor.host.pins.exists()


def expect_why_not(hypervisor: Hypervisor, machine: Machine, token: str) -> None:
    """A port that is not up although its device is there says what keeps it down."""
    api = Api(URL, token)
    for is_up in (False, True):
        with inside(hypervisor.host.namespace):
            api.update("port", machine.plug.port, admin_state_up=is_up)
        done = hypervisor.run("attach", "--wait", "2", machine.device, "two")
        assert (done.returncode, done.stderr.count("\n")) == ((0, 0) if is_up else (1, 1)), done.stderr
        assert is_up or "the port is not up: its admin_state_up is false" in done.stderr


def expect_as_printed(hypervisor: Hypervisor, port: str) -> None:
    """What the page for operators prints works as it stands there; `tables` is one command, whatever it names."""
    names = {"PORT": port, "PORT_ID": port, "HOST": hypervisor.host.name}
    asked = [words.split() for page, words in sorted(set(printed())) if page == "docs/operations.md"]
    for words in asked:
        endless = {"-f", "--watch"} & set(words)
        if words[0] in ("trace", "why", "log") and words[1:] and not endless:
            done = hypervisor.run(*(names.get(word, word) for word in words))
            assert (done.returncode, done.stderr) == (0, ""), words


def make_ports(hypervisor: Hypervisor, token: str) -> dict[str, Plug]:
    """A network with two ports that name no host, made on the hypervisor itself."""
    api = Api(URL, token)
    with inside(hypervisor.host.namespace):
        network = api.create("network", name="net")["id"]
        api.create("subnet", network_id=network, ip_version=4, cidr="10.9.0.0/24")
        return {name: to_plug(api.create("port", network_id=network, name=name)) for name in ("one", "two")}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nonsense0", "5b0f2a5e-7b1c-4a53-9a3f-0d9f1c0f8a11"), "there is no device nonsense0 here"),
        (("uplink", "not-an-id"), "no controller answers at http://127.0.0.1:9696"),
    ],
)
def test_attach_refuses_in_one_line(hypervisor: Hypervisor, words: tuple[str, str], said: str) -> None:
    done = hypervisor.run("attach", *words)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"Error: {said}")
    assert "Traceback" not in done.stderr


def test_attach_without_controller_and_agent(hypervisor: Hypervisor) -> None:
    """The device is named all the same, for the agent that may come, and nobody is told that all is well."""
    port = "5b0f2a5e-7b1c-4a53-9a3f-0d9f1c0f8a11"
    batch(["link add tap0 type veth peer name tap1"], hypervisor.host.namespace)
    done = hypervisor.run("attach", "--wait", "0.1", "tap0", port)
    unchecked, said = done.stderr.splitlines()
    assert "not checked" in unchecked
    assert said.startswith(f"Error: tap0 is named for port {port}, but no agent has taken it")
    assert done.returncode == 1
    assert hypervisor.run("attach", "--wait", "0", "tap0", port).returncode == 0
    text = subprocess.check_output(["ip", "-n", hypervisor.host.namespace, "link", "show", "tap0"], text=True)
    assert f"alias netplane:{port}" in text
    assert "UP" in text
