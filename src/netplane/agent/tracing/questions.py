"""What operators ask a host, by way of its controller: `trace`, `arrival` (the rest of a trace), and `tables`."""

import socket
from collections.abc import Mapping
from ipaddress import IPv4Address
from typing import NamedTuple

from netplane.agent.slice import Slice
from netplane.agent.tracing import packet
from netplane.agent.tracing.trace import Names, arrive, dump, names_of, trace
from netplane.agent.worker import Worker
from netplane.datapath import DatapathError
from netplane.model import Device, Port
from netplane.stream.messages import Answer, Ask


class Unanswerable(Exception):
    """A question that this host has no answer to; says why."""


class Host(NamedTuple):
    """What there is to ask about."""

    name: str
    slice: Slice
    devices: Mapping[str, Device]
    """By port."""
    worker: Worker


async def answer(host: Host, ask: Ask) -> Answer:
    """The answer to a question, or what is wrong with the question."""
    try:
        return Answer(ask.number, await _find_out(host, ask))
    except (Unanswerable, DatapathError, packet.BadPacket) as problem:
        return Answer(ask.number, {}, str(problem))


async def _find_out(host: Host, ask: Ask) -> dict[str, object]:
    match ask.topic:
        case "tables":
            return await host.worker.run(dump, host.worker.reconcile.datapath)
        case "trace":
            return await _trace(host, ask.body)
        case "arrival":
            return await _arrival(host, ask.body)
        case _:
            raise Unanswerable(f"nothing is known here about {ask.topic!r}")


async def _trace(host: Host, body: Mapping[str, str]) -> dict[str, object]:
    id = body.get("port", "")
    port, device = host.slice.get(Port, id), host.devices.get(id)
    if port is None or device is None:
        raise Unanswerable(f"port {id!r} has no device on host {host.name}")
    sketch = packet.parse(body.get("packet", ""))
    datapath, compiler = host.worker.reconcile.datapath, host.worker.reconcile.compiler
    names = _names(host, body)
    return await host.worker.run(trace, datapath, compiler, names, port, device, sketch) | {"host": host.name}


async def _arrival(host: Host, body: Mapping[str, str]) -> dict[str, object]:
    """The rest of a trace that began on another host."""
    try:
        frame, vni, source = bytes.fromhex(body["frame"]), int(body["vni"]), str(IPv4Address(body["source"]))
    except (KeyError, ValueError) as problem:
        raise Unanswerable(f"no packet can arrive like this: {problem}") from problem
    datapath, compiler = host.worker.reconcile.datapath, host.worker.reconcile.compiler
    return await host.worker.run(arrive, datapath, compiler, _names(host, body), frame, vni, source)


def _names(host: Host, body: Mapping[str, str]) -> Names:
    ports = [(device.ifindex, port) for port, device in host.devices.items()]
    are_told = body.get("hosts") == "told"
    devices = dict(socket.if_nameindex()) if are_told else {}
    return names_of(host.slice, ports, devices, are_hosts_told=are_told)
