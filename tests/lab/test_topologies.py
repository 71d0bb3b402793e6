"""Topology files on real hosts, by the command line as a user calls it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from netplane.cli import main
from netplane.lab import Lab, Machine
from netplane.lab.demo.departure import difference
from netplane.lab.demo.scene import OF_TRAFFIC, Tables, read_all_tables
from netplane.lab.demo.tenant import to_plug
from netplane.lab.traffic.tcp import EchoServer
from netplane.lab.wait import NotReached, until
from tests.lab.leftovers import read_leftovers, unique

PREFIX = unique("ttopo")
EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))
SHOP = next(path for path in EXAMPLES if path.name == "shop.yaml")


class World:
    """A lab, and the command line of the project `blue`."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.api = lab.controller.api("blue")
        self.environment = {"NETPLANE_URL": self.api.url, "NETPLANE_TOKEN": self.api.token}

    def run(self, *words: str, status: int = 0) -> str:
        """What a command prints."""
        result: Result = CliRunner(env=self.environment).invoke(main, list(words))
        assert result.exit_code == status, result.output
        return result.output

    def read_tables(self) -> Tables:
        found = read_all_tables(self.lab)
        return {
            host: {name: lines for name, lines in tables.items() if name not in OF_TRAFFIC}
            for host, tables in found.items()
        }

    def plug_in(self, *names: str) -> list[Machine]:
        """A machine for each port, on one host after the other."""
        hosts = self.lab.host_list
        plugs = {
            name: (hosts[index % len(hosts)], to_plug(self.api.find("port", f"?name={name}")[0]))
            for index, name in enumerate(names)
        }
        machines = self.lab.add_machines(plugs)
        for machine in machines:
            machine.obtain()
        return machines


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with Lab(PREFIX, 2, ["blue"]) as lab:
        yield World(lab.start())
    assert read_leftovers(PREFIX) == []


def write(tmp_path: Path, text: str) -> str:
    path = tmp_path / "topology.yaml"
    path.write_text(text)
    return str(path)


def test_a_shop_up_changed_and_down(world: World, tmp_path: Path) -> None:
    """Packets pass as the file says, and when it says otherwise; at the end nothing is left."""
    empty = world.read_tables()
    assert "to do: create" in world.run("plan", "-f", str(SHOP), status=2)
    assert world.api.find("network") == []
    assert "real on" in world.run("apply", "-f", str(SHOP))
    assert world.run("apply", "-f", str(SHOP)).startswith("shop: as it should be")
    assert world.run("plan", "-f", str(SHOP)) == "nothing to do\n"
    web, database = world.plug_in("web-1", "db-1")
    with EchoServer(database.namespace, 5432), EchoServer(database.namespace, 5433):
        assert web.exchange(database.address, 5432).ok
        assert not web.exchange(database.address, 5433, seconds=0.5).ok
        moved = write(tmp_path, SHOP.read_text().replace("5432", "5433"))
        assert "- rule of security group db" in world.run("apply", "-f", moved)
        assert web.exchange(database.address, 5433).ok
        assert not web.exchange(database.address, 5432, seconds=0.5).ok
    for machine in (web, database):
        world.lab.remove_machine(machine)
    assert "- router edge" in world.run("apply", "--prune", "-f", write(tmp_path, "topology: shop"))
    assert world.api.find("network") == []
    try:
        until("the tables are as before", lambda: world.read_tables() == empty, 20, 0.1)
    except NotReached as problem:
        raise AssertionError(f"{problem}\n{difference(empty, world.read_tables())}") from None


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_applies_once_and_goes(world: World, path: Path, tmp_path: Path) -> None:
    world.run("apply", "-f", str(path))
    assert world.run("plan", "--prune", "-f", str(path)) == "nothing to do\n"
    name = next(line for line in path.read_text().splitlines() if line.startswith("topology:"))
    world.run("apply", "--prune", "-f", write(tmp_path, name))
    assert world.api.find("network") == world.api.find("port") == world.api.find("router") == []


def test_what_the_api_refuses_is_told_with_its_line(world: World, tmp_path: Path) -> None:
    text = "topology: t\nnetworks: {n: {}}\nsubnets:\n  s:\n    network: n\n    cidr: 10.0.0.0/33\n"
    path = write(tmp_path, text)
    output = world.run("apply", "-f", path, status=1)
    assert f"Error: {path}:6: subnet s: " in output
    assert "Error: " in world.run("apply", "-f", write(tmp_path, "topology: t\nnets: {}"), status=1)
    world.run("delete", "network", "n")
    assert "there is no network 'n'" in world.run("delete", "network", "n", status=1)


def test_one_by_one(world: World, tmp_path: Path) -> None:
    world.run("apply", "-f", write(tmp_path, "topology: one\nnetworks: {n: {mtu: 1300}}\nports: {p: {network: n}}"))
    assert "1300" in world.run("get", "networks")
    assert '"mtu": 1300' in world.run("get", "network", "n", "-o", "json")
    assert "mtu: 1300" in world.run("get", "networks", "--where", "name=n", "-o", "yaml")
    assert "(n)" in world.run("describe", "port", "p")
    assert world.run("delete", "ports", "p") == "- port p\n"
    assert world.run("delete", "networks", "n") == "- network n\n"
    assert "there is no kind 'net'" in world.run("get", "net", status=2)


def test_watching(world: World, tmp_path: Path) -> None:
    """From a revision on, so that nothing depends on who is first."""
    since = str(world.lab.controller.api().status()["revision"])
    command = [sys.executable, "-m", "netplane.cli", "watch", "networks", "--since", since]
    output = tmp_path / "output"
    with open(output, "w") as file:
        popen = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, env=world.environment)
    with popen:
        path = write(tmp_path, "topology: seen\nnetworks: {first: {}, second: {}}")
        world.run("apply", "-f", path)
        world.run("delete", "network", "first", "second")
        until("it has told all", lambda: output.read_text().count(" - network ") == 2, 10)
        popen.terminate()
    assert output.read_text().index("+ network first") < output.read_text().index("+ network second")
