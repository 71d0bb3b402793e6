"""Item 7: a stateful rule opens a TCP port, and removing it closes it, established connections included."""

import time
from collections.abc import Iterator

from netplane.lab import Machine
from netplane.lab.demo.check import Check
from netplane.lab.demo.ipv6 import configured
from netplane.lab.demo.scene import Scene
from netplane.lab.traffic.tcp import Exchange, Stream

PORT, OTHER_PORT = 8080, 8081
REVOKED_SECONDS = 1.0
QUIET = 0.4
"""Seconds without an echo after which a stream counts as cut off; far more than a round and less than the first
retransmissions take to give up."""


def checks(scene: Scene) -> Iterator[Check]:
    """A machine in a group of its own, whose only rule comes and goes."""
    blue, client = scene.blue, scene.machine("a1")
    group = blue.api.create("security_group", name="web")["id"]
    machines = blue.add_machines({"web": ("left", "10.0.1.20", scene.lab.host_list[1])}, security_groups=[group])
    server = machines[0]
    server.obtain()
    with server.serve(PORT), server.serve(OTHER_PORT):
        yield _closed("no rule: the TCP port is closed", client.exchange(server.address, PORT, seconds=0.5))
        rule = _open(scene, group)
        yield _opened("with the rule it is open", client.exchange(server.address, PORT, 1 << 20))
        yield from _by_ipv6(scene, group, server)
        yield _closed("another port stays closed", client.exchange(server.address, OTHER_PORT, seconds=0.5))
        with client.serve(PORT):
            back = server.exchange(client.address, PORT, seconds=0.5)
        yield _closed("stateful: replies pass, but the server may not connect back", back)
        yield from _revoke(scene, rule, Stream(client.namespace, server.address, PORT))
        yield _closed("after removing the rule it is closed again", client.exchange(server.address, PORT, seconds=0.5))


def _by_ipv6(scene: Scene, group: str, server: Machine) -> Iterator[Check]:
    """What is said of one version of IP is not said of the other."""
    client = scene.machine("a1")
    configured(server)
    yield _closed("by IPv6 it stays closed", client.exchange(server.ipv6, PORT, seconds=0.5))
    _open(scene, group, ethertype="IPv6", remote_ip_prefix="2001:db8:1::/64")
    yield _opened("with a rule for IPv6 it is open there too", client.exchange(server.ipv6, PORT))


def _open(scene: Scene, group: str, ethertype: str = "IPv4", remote_ip_prefix: str = "10.0.1.0/24") -> str:
    api = scene.blue.api
    rule = api.create(
        "security_group_rule",
        security_group_id=group,
        direction="ingress",
        ethertype=ethertype,
        protocol="tcp",
        port_range_min=PORT,
        port_range_max=PORT,
        remote_ip_prefix=remote_ip_prefix,
    )
    scene.blue.admin.read_realised(api.revision)
    return str(rule["id"])


def _revoke(scene: Scene, rule: str, stream: Stream) -> Iterator[Check]:
    """Remove the rule under a running connection; time until its last echo, from the call's start."""
    time.sleep(0.3)
    before, begun = stream.rounds, time.monotonic()
    scene.blue.api.delete("security_group_rule", rule)
    while time.monotonic() - stream.last < QUIET and time.monotonic() - begun < 3:
        time.sleep(0.01)
    cut = time.monotonic() - stream.last >= QUIET
    took = max(0.0, stream.last - begun)
    stream.abandon()
    yield Check("an established connection carried data", before > 0, f"{before} rounds of 8 KiB")
    measured = f"last echo {took * 1000:.0f} ms after the call" if cut else "still running after 3 s"
    yield Check("removing the rule ends it within a second", cut and took < REVOKED_SECONDS, measured)


def _closed(name: str, came: Exchange) -> Check:
    return Check(name, not came.ok, str(came))


def _opened(name: str, came: Exchange) -> Check:
    return Check(name, came.ok, str(came))
