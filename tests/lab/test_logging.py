"""Decisions at ports that log them, with real packets: who, which rule, why not, how often; and when nobody asks.

host 1: client      host 2: server, whose group lets nothing in but TCP to port 80
"""

import json
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from netplane.lab import Lab, Machine
from netplane.lab.api import Api, Refused
from netplane.lab.demo.scene import OF_TRAFFIC, read_all_tables
from netplane.lab.demo.tenant import Tenant
from netplane.lab.traffic.frames import ETH_P_IP, ethernet, ipv4, send, udp
from netplane.lab.wait import until
from netplane.tables.decisions import Limit
from tests.lab.leftovers import read_leftovers, unique

PREFIX = unique("tlog")
OPEN, SHUT = 80, 22
QUIET = 0.6
"""Seconds within which a decision would have been told."""

Found = list[dict[str, Any]]


class Scene(NamedTuple):
    """A tenant, the group that the server is in, and its one rule."""

    tenant: Tenant
    group: str
    rule: str

    @property
    def api(self) -> Api:
        return self.tenant.api

    @property
    def lab(self) -> Lab:
        return self.tenant.lab

    @property
    def machines(self) -> dict[str, Machine]:
        return self.tenant.machines


@pytest.fixture(scope="module")
def blue() -> Iterator[Scene]:
    """Two machines on two hosts; in the end all is deleted and the tables are as before."""
    with Lab(PREFIX, 2, ["blue", "red"]) as lab:
        lab.start()
        before = lasting(lab)
        tenant = Tenant(lab, "blue")
        tenant.add_segment("left", "10.0.1")
        near, far = lab.host_list
        group = tenant.api.create("security_group", name="server")["id"]
        tcp = {"protocol": "tcp", "port_range_min": OPEN, "port_range_max": OPEN}
        rule = tenant.api.create("security_group_rule", security_group_id=group, direction="ingress", **tcp)["id"]
        tenant.add_machines({"client": ("left", "10.0.1.11", near)})
        tenant.add_machines({"server": ("left", "10.0.1.21", far)}, security_groups=[group])
        for machine in tenant.machines.values():
            machine.obtain()
        yield Scene(tenant, group, rule)
        tenant.delete()
        tenant.api.delete("security_group", group)
        tenant.admin.settle()
        until("the tables are as before", lambda: lasting(lab) == before, 10)
    assert read_leftovers(PREFIX) == []


def lasting(lab: Lab) -> dict[str, dict[str, list[str]]]:
    """Each host's tables, but for those that fill and empty with what passes."""
    return {
        host: {name: lines for name, lines in tables.items() if name not in OF_TRAFFIC}
        for host, tables in read_all_tables(lab).items()
    }


def start_log(blue: Scene, **fields: object) -> str:
    """A log resource that is at work on every host that it concerns."""
    body = {"log": {"resource_type": "security_group", **fields}}
    made: str = blue.api.call("POST", "/v2.0/log/logs", body).body["log"]["id"]
    blue.api.settle()
    return made


def end_log(blue: Scene, log: str) -> None:
    blue.api.call("DELETE", f"/v2.0/log/logs/{log}")
    blue.api.settle()


def port_of(blue: Scene, name: str) -> str:
    return blue.machines[name].plug.port


def decisions(blue: Scene, after: int, name: str = "", event: str = "", project: str = "blue") -> Found:
    api = blue.lab.controller.api(project)
    port = f"&port={port_of(blue, name)}" if name else ""
    path = f"/netplane/v1/decisions?limit=1000&after={after}&explain=true{port}"
    return [one for one in api.call("GET", path).body["decisions"] if event in ("", one["event"])]


def last(blue: Scene) -> int:
    found: int = blue.tenant.admin.call("GET", "/netplane/v1/decisions?limit=1").body["last"]
    return found


def knock(blue: Scene, port: int, name: str = "client") -> None:
    """Try to open a connection to the server; whatever comes of it."""
    blue.machines[name].exchange("10.0.1.21", port, 256)


def test_who_was_let_in_by_which_rule_and_who_was_not(blue: Scene) -> None:
    log, since = start_log(blue), last(blue)
    try:
        with blue.machines["server"].serve(OPEN):
            knock(blue, OPEN)
        send_udp(blue, SHUT, 1)
        until("both ends told of both", lambda: len(decisions(blue, since)) >= 4, 5)
    finally:
        end_log(blue, log)
    found = decisions(blue, since, "server")
    accepted = next(one for one in found if one["event"] == "ACCEPT")
    assert (accepted["direction"], accepted["protocol"], accepted["destination_port"]) == ("ingress", "tcp", OPEN)
    assert (accepted["source"], accepted["destination"]) == ("10.0.1.11", "10.0.1.21")
    assert accepted["rule_id"] == blue.rule
    assert accepted["security_groups"] == [blue.group]
    dropped = next(one for one in found if one["event"] == "DROP")
    assert (dropped["reason"], dropped["destination_port"], dropped["rule_id"]) == ("POLICY_IN", SHUT, None)
    near = dropped["why"]["closest"][0]
    assert near["rule_id"] == blue.rule
    assert near["misses"] == ["it is for tcp, not udp"]
    sent = decisions(blue, since, "client")
    assert {(one["direction"], one["event"]) for one in sent} == {("egress", "ACCEPT")}
    assert len([one for one in sent if one["protocol"] == "tcp"]) == 1, "a connection is told of once"


def send_udp(blue: Scene, port: int, count: int) -> None:
    client, server = blue.machines["client"], blue.machines["server"]
    frames = [
        ethernet(
            client.plug.mac,
            server.plug.mac,
            ETH_P_IP,
            ipv4(client.plug.address, server.plug.address, 17, udp(b"x", 30_000 + number % 30_000, port)),
        )
        for number in range(count)
    ]
    send(client.namespace, frames)


def test_a_flood_is_counted_and_not_written(blue: Scene) -> None:
    log, since = start_log(blue, target_id=port_of(blue, "server"), event="DROP"), last(blue)
    many, burst = 3_000, Limit.LOG_BURST // Limit.LOG_PAUSE
    try:
        send_udp(blue, SHUT, many)
        until("some are told", lambda: bool(decisions(blue, since, "server")), 5)
        time.sleep(QUIET)
        assert burst * 0.8 <= len(decisions(blue, since, "server")) <= burst * 2
        send_udp(blue, SHUT, 1)
        until("the rest was counted", lambda: any(one["unlogged"] for one in decisions(blue, since, "server")), 5)
        told = decisions(blue, since, "server")
        assert len(told) + sum(one["unlogged"] for one in told) in range(many - burst, many + 2)
    finally:
        end_log(blue, log)


def test_nothing_is_told_that_nobody_asked_for(blue: Scene) -> None:
    since = last(blue)
    send_udp(blue, SHUT, 3)
    log = start_log(blue, target_id=port_of(blue, "server"), event="ACCEPT")
    send_udp(blue, SHUT, 3)
    blue.api.call("PUT", f"/v2.0/log/logs/{log}", {"log": {"enabled": False}})
    blue.api.settle()
    with blue.machines["server"].serve(OPEN):
        knock(blue, OPEN)
    end_log(blue, log)
    time.sleep(QUIET)
    assert decisions(blue, since) == []


def test_a_group_is_logged_where_its_rules_decide(blue: Scene) -> None:
    log, since = start_log(blue, resource_id=blue.group, event="ACCEPT"), last(blue)
    try:
        with blue.machines["server"].serve(OPEN):
            knock(blue, OPEN)
        until("it is told", lambda: bool(decisions(blue, since)), 5)
        time.sleep(QUIET)
        assert {(one["port_id"], one["direction"]) for one in decisions(blue, since)} == {
            (port_of(blue, "server"), "ingress")
        }
    finally:
        end_log(blue, log)


def test_who_sees_it(blue: Scene) -> None:
    log, since = start_log(blue, event="DROP"), last(blue)
    try:
        send_udp(blue, SHUT, 1)
        until("it is told", lambda: bool(decisions(blue, since)), 5)
    finally:
        end_log(blue, log)
    assert decisions(blue, since, project="red") == []
    with pytest.raises(Refused) as refused:
        decisions(blue, since, "server", project="red")
    assert refused.value.status == 404


def test_it_is_on_disk_too_and_survives_the_controller(blue: Scene) -> None:
    lab, host = blue.lab, blue.lab.host_list[1]
    log, since = start_log(blue, target_id=port_of(blue, "server"), event="DROP"), last(blue)
    try:
        send_udp(blue, 1001, 1)
        until("it is told", lambda: bool(decisions(blue, since, "server")), 5)
        lab.controller.kill()
        send_udp(blue, 1002, 1)
        time.sleep(QUIET)
        lab.controller.start()
        lab.wait_alive(lab.host_list)
        until("what came before and meanwhile is told", lambda: ports(decisions(blue, 0, "server")) >= {1001, 1002}, 20)
    finally:
        end_log(blue, log)
    lines = [json.loads(line) for line in (host.directory / "decisions.log").read_text().splitlines()]
    assert ports(lines) >= {1001, 1002}


def ports(found: Found) -> set[int]:
    return {one["destination_port"] for one in found}
