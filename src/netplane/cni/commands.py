"""What each command does. Each can be repeated, and ends the same whatever a former one left halfway."""

import socket
from collections.abc import Mapping
from contextlib import ExitStack, suppress

from netplane.agent.devices.alias import ALIAS
from netplane.agent.devices.netlink import Netlink
from netplane.client import Client
from netplane.cni import wire
from netplane.cni.attachment import Attachment, Body, Expected, attachment, differences, expected, host_device, result
from netplane.cni.call import Call, device_id
from netplane.cni.config import Config, read_access, read_authority
from netplane.cni.errors import CniError, Code
from netplane.cni.ports import Ports
from netplane.cni.wire import Device, Sandbox

TUNNEL = "np-vxlan"
"""The device that an agent makes before anything else (`agent.tunnel`)."""


def add(call: Call, config: Config, environment: Mapping[str, str]) -> dict[str, object]:
    """An interface for a container: a port, a wire, and the port's addresses at the container's end.

    The interface being there already is an error as the specification says, unless it is this very attachment's: then
    a runtime that did not hear the answer is given it again.
    """
    if config.previous is not None:
        text = "prevResult: the plugin makes interfaces, so it comes first in a list"
        raise CniError(Code.INVALID_CONFIGURATION, text)
    with ExitStack() as stack:
        sandbox = stack.enter_context(wire.opened(call.sandbox))
        host = stack.enter_context(Netlink())
        ports = _ports(config, environment, stack)
        network = ports.network()
        subnets = ports.subnets(network["id"])
        former = ports.find(network["id"], call.device_id)
        _refuse_foreign(host, sandbox, call.interface, former)
        port = former[0] if former else ports.create(call, network["id"], subnets)
        wanted = attachment(port, network, subnets)
        try:
            made = _wire(host, sandbox, call.interface, wanted)
            ports.wait_active(wanted.port)
        except BaseException:
            if not former:
                _undo(host, ports, wanted)
            raise
    return result(made, call.interface, call.sandbox, config.dns, config.version)


def delete(call: Call, config: Config, environment: Mapping[str, str]) -> None:
    """Remove port and wire. If no controller answers the wire goes all the same, and the runtime must call again."""
    with ExitStack() as stack:
        host = stack.enter_context(Netlink())
        plugged = _plugged(host, call)
        try:
            ports = _ports(config, environment, stack)
            for port in ports.find_anywhere(call.device_id):
                _remove(host, ports, port["id"])
            if plugged is not None and not ports.exists(_port_of(plugged)):
                wire.remove(host, plugged.ifindex)
        except CniError:
            if plugged is not None:
                wire.remove(host, plugged.ifindex)
            raise


def check(call: Call, config: Config, environment: Mapping[str, str]) -> None:
    """Whether the container still has what ADD gave it, and the port stands."""
    if config.previous is None:
        raise CniError(Code.INVALID_CONFIGURATION, "prevResult: CHECK needs it")
    wanted = _expected(config.previous, call)
    with ExitStack() as stack:
        sandbox = stack.enter_context(wire.opened(call.sandbox))
        host = stack.enter_context(Netlink())
        device = wire.read_device(sandbox.kernel, call.interface)
        if device is None:
            raise _differs(call, ["it is not there"])
        addresses = wire.read_addresses(sandbox.kernel, device.ifindex)
        routes = wire.read_routes(sandbox.kernel, device.ifindex)
        wrong = differences(wanted, device.mac, addresses, routes)
        wrong += [] if device.up else ["it is down"]
        plugged = _plugged(host, call)
        wrong += ["its other end is not plugged into a port"] if plugged is None else []
        if plugged is not None and not wrong:
            wrong += _lost_port(_ports(config, environment, stack), call, plugged)
        if wrong:
            raise _differs(call, wrong)


def status(_: Call, config: Config, environment: Mapping[str, str]) -> None:
    """Whether an ADD could succeed now."""
    try:
        socket.if_nametoindex(TUNNEL)
    except OSError:
        raise CniError(Code.NOT_AVAILABLE, "no agent has set this host up") from None
    with ExitStack() as stack:
        try:
            _ports(config, environment, stack).network()
        except CniError as problem:
            raise CniError(Code.NOT_AVAILABLE, str(problem), problem.details) from None


def collect(_: Call, config: Config, environment: Mapping[str, str]) -> None:
    """Remove what this host has of this network configuration beyond what the runtime still knows."""
    if config.valid is None:
        raise CniError(Code.INVALID_CONFIGURATION, "cni.dev/valid-attachments: GC needs it")
    valid = {device_id(attached.container, attached.interface) for attached in config.valid}
    problems = []
    with ExitStack() as stack:
        host = stack.enter_context(Netlink())
        ports = _ports(config, environment, stack)
        for port in ports.mine():
            if port["device_id"] in valid:
                continue
            try:
                _remove(host, ports, port["id"])
            except (CniError, OSError) as problem:
                problems.append(f"port {port['id']}: {problem}")
    if problems:
        raise CniError(Code.TRY_AGAIN_LATER, f"{len(problems)} ports could not be removed", "; ".join(problems))


def _ports(config: Config, environment: Mapping[str, str], stack: ExitStack) -> Ports:
    client = Client(*read_access(config, environment), authority=read_authority(config, environment))
    stack.callback(client.close)
    return Ports(client, config)


def _plugged(host: Netlink, call: Call) -> Device | None:
    """The host's end of the container's interface, if it is one of ours; the sandbox may be gone."""
    try:
        with wire.opened(call.sandbox) as sandbox:
            device = wire.read_device(sandbox.kernel, call.interface)
    except CniError:
        return None
    peer = wire.read_peer(host, device) if device is not None else None
    return peer if peer is not None and peer.alias.startswith(ALIAS) else None


def _port_of(device: Device) -> str:
    return device.alias.removeprefix(ALIAS)


def _refuse_foreign(host: Netlink, sandbox: Sandbox, interface: str, former: list[dict[str, object]]) -> None:
    """An interface of this name that is not of this attachment is left alone."""
    device = wire.read_device(sandbox.kernel, interface)
    if device is None:
        return
    peer = wire.read_peer(host, device)
    if peer is None or _port_of(peer) not in {port["id"] for port in former}:
        raise CniError(Code.INTERFACE_DIFFERS, f"the container has an interface {interface} already")


def _wire(host: Netlink, sandbox: Sandbox, interface: str, wanted: Attachment) -> Attachment:
    near = wire.read_device(host, wanted.device)
    far = wire.read_device(sandbox.kernel, interface)
    if near is not None and (far is None or near.peer != far.ifindex):
        # A wire to a sandbox that is no more, or that the container has renamed.
        wire.remove(host, near.ifindex)
        near = None
    if near is None:
        wire.make_pair(host, sandbox, wanted, interface)
        near, far = wire.read_device(host, wanted.device), wire.read_device(sandbox.kernel, interface)
    if near is None or far is None:
        raise CniError(Code.TRY_AGAIN_LATER, f"the interface {interface} went away while it was set up")
    if any(address.family == 6 for address in wanted.addresses):
        wire.allow_ipv6(sandbox, interface)
    routes = wire.configure(sandbox.kernel, wanted, far.ifindex)
    wire.plug_in(host, near.ifindex, wanted.device, wanted.port)
    return wanted._replace(routes=routes)


def _undo(host: Netlink, ports: Ports, wanted: Attachment) -> None:
    """Leave nothing of an ADD that fails; what cannot be removed now is for DEL or GC."""
    with suppress(CniError, OSError):
        _remove(host, ports, wanted.port)


def _remove(host: Netlink, ports: Ports, port: str) -> None:
    device = wire.read_device(host, host_device(port))
    if device is not None:
        wire.remove(host, device.ifindex)
    ports.delete(port)


def _expected(previous: Body, call: Call) -> Expected:
    try:
        wanted = expected(previous, call.interface, call.sandbox)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        raise CniError(Code.INVALID_CONFIGURATION, "prevResult: it is no result of this specification") from None
    if wanted is None:
        raise CniError(Code.INVALID_CONFIGURATION, f"prevResult: it does not know {call.interface} in {call.sandbox}")
    return wanted


def _lost_port(ports: Ports, call: Call, plugged: Device) -> list[str]:
    """A phrase if the port is gone. Containers go on while no controller answers, so that is no fault."""
    try:
        found = ports.find_anywhere(call.device_id)
    except CniError as problem:
        if problem.code is Code.TRY_AGAIN_LATER:
            return []
        raise
    own = {port["id"] for port in found}
    return [] if _port_of(plugged) in own else [f"its port {_port_of(plugged)} is gone"]


def _differs(call: Call, wrong: list[str]) -> CniError:
    return CniError(Code.INTERFACE_DIFFERS, f"{call.interface} of {call.container}: {'; '.join(wrong)}")
