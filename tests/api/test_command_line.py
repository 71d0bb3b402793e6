"""`netplane get|describe|delete` against a server."""

import json
from contextlib import closing

import pytest
from click.testing import CliRunner, Result

from netplane.cli import main
from netplane.cli.client import Client

ODD = "a b/c?d=e&name=%2F#é"
"""A name with all that means something in a URL."""


def run(url: str, *words: str) -> Result:
    return CliRunner().invoke(main, words, env={"NETPLANE_URL": url, "NETPLANE_TOKEN": "blue", "COLUMNS": "200"})


def make(url: str, name: str) -> str:
    with closing(Client(url, "blue")) as client:
        return str(client.post("/v2.0/networks", {"network": {"name": name}})["network"]["id"])


def test_a_life_by_name_and_by_id(url: str) -> None:
    ids = {name: make(url, name) for name in (ODD, "x/tags", "..", "plain")}
    for name, id in ids.items():
        for word in (name, id):
            assert json.loads(run(url, "describe", "network", word, "-o", "json").output)["name"] == name
        assert [view["id"] for view in json.loads(run(url, "get", "networks", name, "-o", "json").output)] == [id]
    assert (
        run(url, "delete", "network", ODD, "..", "x/tags").output
        == f"- network {ODD}\n- network ..\n- network x/tags\n"
    )
    assert [view["name"] for view in json.loads(run(url, "get", "networks", "-o", "json").output)] == ["plain"]
    assert run(url, "delete", "network", ids["plain"]).output == "- network plain\n"


def test_a_table_of_ports_shows_where_they_are(url: str) -> None:
    network = make(url, "n")
    with closing(Client(url, "blue")) as client:
        client.post("/v2.0/subnets", {"subnet": {"network_id": network, "ip_version": 4, "cidr": "10.0.0.0/24"}})
        client.post("/v2.0/ports", {"port": {"network_id": network, "name": "p"}})
    title, line = run(url, "get", "ports").output.splitlines()
    assert title.split() == ["name", "id", "network_id", "mac_address", "fixed_ips", "device_owner", "status"]
    assert line.split()[4] == "10.0.0.2"


@pytest.mark.parametrize("word", ["nobody", ".", "a/b"])
def test_what_is_not_there(url: str, word: str) -> None:
    for command in ("describe", "get", "delete"):
        result = run(url, command, "network", word)
        assert (result.exit_code, result.output) == (1, f"Error: there is no network {word!r}\n")


def test_a_name_that_two_have_is_refused_and_nothing_deleted(url: str) -> None:
    ids = sorted(make(url, "twin") for _ in range(2))
    result = run(url, "delete", "network", ids[0], "twin")
    assert result.exit_code == 1
    assert result.output.startswith("Error: there are 2 networks called 'twin'; say which by its id: ")
    assert run(url, "delete", "network", *ids).exit_code == 0
