"""The ports of containers at the controller: found, made, waited for, deleted."""

import re
import time
from collections.abc import Callable
from ipaddress import ip_interface
from typing import Any
from urllib.parse import urlencode

from netplane.client import Client, Fault, Refused, Stranger, Unanswered
from netplane.cni.call import Call
from netplane.cni.config import Config
from netplane.cni.errors import CniError, Code

OWNER = "netplane:cni"
"""The `device_owner` of containers' ports; their `device_id` is container and interface."""

FIRST_PAUSE, LONGEST_PAUSE = 0.005, 0.1
"""Seconds between questions whether a port is active; doubled each time."""

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
Body = dict[str, Any]


class Ports:
    """The ports of one network configuration."""

    def __init__(self, client: Client, config: Config) -> None:
        self._client = client
        self._config = config

    def networks(self) -> list[Body]:
        """The networks of this name or id."""
        return self._named("network", self._config.network, {})

    def network(self) -> Body:
        """The network; CniError unless there is exactly one."""
        found: Body = _single("network", self._config.network, self.networks())
        return found

    def subnets(self, network: str) -> list[Body]:
        """The subnets of the network."""
        return self._get("subnet", {"network_id": network})

    def find(self, network: str, device_id: str) -> list[Body]:
        """The ports of an attachment: one, or none; more if a runtime called twice at once."""
        return self._get("port", {"network_id": network, "device_owner": OWNER, "device_id": device_id})

    def find_anywhere(self, device_id: str) -> list[Body]:
        """The same where the network's name may have become ambiguous, or nobody's."""
        return [port for network in self.networks() for port in self.find(network["id"], device_id)]

    def mine(self) -> list[Body]:
        """The ports that this network configuration has made on this host."""
        found = [
            port
            for network in self.networks()
            for port in self._get("port", {"network_id": network["id"], "device_owner": OWNER})
        ]
        return [port for port in found if port["description"] == self._config.mark]

    def exists(self, id: str) -> bool:
        """Whether there is a port of this id."""
        return bool(self._get("port", {"id": id}))

    def create(self, call: Call, network: str, subnets: list[Body]) -> Body:
        """A port for an attachment, as configuration and runtime wish."""
        wish = {
            "network_id": network,
            "name": call.arguments.get("K8S_POD_NAME", call.container)[:255],
            "description": self._config.mark,
            "device_owner": OWNER,
            "device_id": call.device_id,
            **self._addresses(call, subnets),
            **self._groups(),
        }
        if self._config.project is not None:
            wish["project_id"] = self._config.project
        mac = self._config.runtime.mac or call.arguments.get("MAC")
        if mac:
            wish["mac_address"] = mac
        made: Body = self._call("POST", "/v2.0/ports", {"port": wish})["port"]
        return made

    def delete(self, id: str) -> None:
        """Delete a port; one that is gone is no error."""
        try:
            self._client.call("DELETE", f"/v2.0/ports/{id}")
        except Refused as problem:
            if problem.status != 404:
                raise translated(problem) from None
        except Fault as problem:
            raise translated(problem) from None

    def wait_active(self, id: str, clock: Callable[[], float] = time.monotonic) -> None:
        """Until the host's kernel has the port; CniError if that takes longer than the configuration allows."""
        end, pause = clock() + self._config.wait, FIRST_PAUSE
        while True:
            if self._call("GET", f"/v2.0/ports/{id}?fields=status")["port"]["status"] == "ACTIVE":
                return
            if clock() > end:
                text = f"port {id} is not active after {self._config.wait:g} s"
                raise CniError(Code.TRY_AGAIN_LATER, text, "does this host's agent run, and reach a controller?")
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _addresses(self, call: Call, subnets: list[Body]) -> Body:
        """`fixed_ips`, if there is a wish: addresses of the runtime or of `CNI_ARGS`, and the configured subnet."""
        wished = self._config.runtime.ips or tuple(filter(None, call.arguments.get("IP", "").split(",")))
        inside = {} if self._config.subnet is None else {"subnet_id": self._subnet(subnets)}
        if wished:
            return {"fixed_ips": [{"ip_address": _address(text), **inside} for text in wished]}
        return {"fixed_ips": [inside]} if inside else {}

    def _subnet(self, subnets: list[Body]) -> str:
        wanted = self._config.subnet
        found = [subnet["id"] for subnet in subnets if wanted in (subnet["id"], subnet["name"])]
        return str(_single("subnet", str(wanted), found))

    def _groups(self) -> Body:
        names = self._config.security_groups
        if names is None:
            return {}
        owner = {} if self._config.project is None else {"project_id": self._config.project}
        groups = [_single("security_group", name, self._named("security_group", name, owner)) for name in names]
        return {"security_groups": [group["id"] for group in groups]}

    def _named(self, kind: str, name: str, filters: dict[str, str]) -> list[Body]:
        """What has an id or else a name: nobody can take an id's place by calling something after it."""
        found = self._get(kind, {"id": name, **filters}) if UUID.fullmatch(name) else []
        return found or self._get(kind, {"name": name, **filters})

    def _get(self, kind: str, filters: dict[str, str]) -> list[Body]:
        found: list[Body] = self._call("GET", f"/v2.0/{kind.replace('_', '-')}s?{urlencode(filters)}")[f"{kind}s"]
        return found

    def _call(self, method: str, path: str, body: object = None) -> Body:
        try:
            return self._client.call(method, path, body)
        except Fault as problem:
            raise translated(problem) from None


def translated(problem: Fault) -> CniError:
    """A controller's fault in the specification's codes."""
    match problem:
        case Unanswered():
            return CniError(Code.TRY_AGAIN_LATER, f"no controller answers: {problem}")
        case Stranger():
            return CniError(Code.INVALID_CONFIGURATION, f"url: {problem}")
        case Refused(status=401):
            return CniError(Code.INVALID_CONFIGURATION, "the controller refuses the token")
        case Refused(status=status) if status >= 500:
            return CniError(Code.TRY_AGAIN_LATER, f"the controller has failed ({status}): {problem}")
        case Refused(status=409):
            return CniError(Code.REFUSED, f"the controller refuses the port: {problem}")
        case _:
            return CniError(Code.INVALID_CONFIGURATION, f"the controller refuses: {problem}")


def _single(kind: str, name: str, found: list[Any]) -> Any:
    if len(found) == 1:
        return found[0]
    said = "there is none" if not found else f"{len(found)} have this name; use the id"
    raise CniError(Code.INVALID_CONFIGURATION, f"{kind} {name!r}: {said}")


def _address(text: str) -> str:
    """An address without the length that a runtime may add to it."""
    try:
        return str(ip_interface(text.strip()).ip)
    except ValueError:
        raise CniError(Code.INVALID_CONFIGURATION, f"{text!r} is no address") from None
