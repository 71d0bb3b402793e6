"""The network configuration: what a conflist says about one network, and what a runtime adds to it."""

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from msgspec import DecodeError, Meta, Struct, ValidationError, convert, field, json

from netplane.cni.errors import CniError, Code

URL = "http://127.0.0.1:9696"
"""Where `netplane up` listens."""

Name = Annotated[str, Meta(min_length=1, max_length=110)]
"""Two of them fit in a port's description."""

Text = Annotated[str, Meta(min_length=1, max_length=255)]


class Dns(Struct, frozen=True, omit_defaults=True):
    """Resolvers, as the specification's results have them."""

    nameservers: tuple[str, ...] = ()
    domain: str = ""
    search: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


class Runtime(Struct, frozen=True):
    """What the runtime gives for the capabilities `ips` and `mac`; other capabilities are passed over."""

    ips: tuple[str, ...] = ()
    mac: str = ""


class Attached(Struct, frozen=True):
    """An attachment that is still in use."""

    container: str = field(name="containerID")
    interface: str = field(name="ifname")


class Config(Struct, frozen=True, kw_only=True):
    """One network, as a plugin is given it on stdin."""

    version: str = field(name="cniVersion")
    name: Annotated[Name, Meta(description="The conflist's name.")]
    type: str = ""
    network: Annotated[Text, Meta(description="The name or id of the network at the controller.")]
    subnet: Annotated[
        Text | None, Meta(description="The name or id of the subnet that addresses come from; by default any.")
    ] = None
    security_groups: Annotated[
        tuple[Text, ...] | None, Meta(description="Names or ids; by default the project's default group.")
    ] = None
    project: Annotated[
        Text | None,
        Meta(description="The project that ports shall belong to, for an administrator's token; else the token's own."),
    ] = None
    url: Annotated[
        Text | None, Meta(description="The controller; by default `NETPLANE_URL`, or where `netplane up` listens.")
    ] = None
    token_file: Annotated[
        Text | None,
        Meta(
            description="A file with the token and nothing else; by default `NETPLANE_TOKEN`, or the token of "
            "`netplane up` here."
        ),
    ] = None
    cacert: Annotated[
        Text | None,
        Meta(
            description="For HTTPS, a file of certificates to believe besides the system's; by default "
            "`NETPLANE_CACERT`, or that of the controller or agent here."
        ),
    ] = None
    host: Annotated[
        Name, Meta(description="This host's name, by which GC knows its own ports; by default the hostname.")
    ] = field(default_factory=socket.gethostname)
    wait: Annotated[
        float,
        Meta(
            gt=0, le=600, description="For how many seconds ADD waits until the host forwards packets; 30 by default."
        ),
    ] = 30.0
    dns: Annotated[Dns | None, Meta(description="Resolvers in the place of the subnets', as in a result.")] = None
    capabilities: dict[str, bool] = {}
    args: dict[str, Any] = {}
    runtime: Runtime = field(name="runtimeConfig", default=Runtime())
    previous: dict[str, Any] | None = field(name="prevResult", default=None)
    valid: tuple[Attached, ...] | None = field(name="cni.dev/valid-attachments", default=None)

    @property
    def mark(self) -> str:
        """What ports that this network configuration has made on this host carry as their description."""
        return f"netplane-cni {self.name} on {self.host}"


KNOWN = frozenset(Config.__struct_encode_fields__) | {"ipam", "disableCheck", "disableGC", "ipMasq"}
"""The last four are understood, too: by runtimes, or for what they must not say."""


def parse_version(body: Mapping[str, Any]) -> str:
    """The version of the specification that a configuration speaks; what says nothing is of 0.1.0 (section 1)."""
    version = body.get("cniVersion", "0.1.0")
    if not isinstance(version, str):
        raise CniError(Code.INVALID_CONFIGURATION, "cniVersion: no text")
    return version


def parse_body(text: bytes) -> dict[str, Any]:
    """What is on stdin; CniError if it is no JSON object."""
    try:
        body = json.decode(text)
    except DecodeError as problem:
        raise CniError(Code.UNDECODABLE, f"the network configuration is no JSON: {problem}") from None
    if not isinstance(body, dict):
        raise CniError(Code.UNDECODABLE, "the network configuration is no JSON object")
    return body


def parse_config(body: Mapping[str, Any]) -> Config:
    """A network configuration; CniError with the field and the reason. No message repeats a secret."""
    if "token" in body:
        text = "token: secrets do not belong here; write it to a file and say its path in token_file"
        raise CniError(Code.INVALID_CONFIGURATION, text)
    _refuse_unsupported(body)
    try:
        return convert(body, Config)
    except ValidationError as problem:
        raise CniError(Code.INVALID_CONFIGURATION, str(problem).replace("$.", "")) from None


def _refuse_unsupported(body: Mapping[str, Any]) -> None:
    unknown = [key for key in body if key not in KNOWN and "/" not in key]
    if unknown:
        # The specification would have the value in the message, but a misspelt field may hold a secret.
        raise CniError(Code.UNSUPPORTED_FIELD, f"{unknown[0]}: there is no such field")
    if body.get("ipam"):
        raise _unsupported("ipam", body["ipam"], "addresses come from the network's subnets")
    if body.get("ipMasq"):
        raise _unsupported("ipMasq", body["ipMasq"], "packets leave with the port's address")


def _unsupported(key: str, value: object, why: str) -> CniError:
    return CniError(Code.UNSUPPORTED_FIELD, f"{key}: {json.encode(value).decode()[:200]}: {why}")


def read_authority(config: Config, environment: Mapping[str, str] = os.environ) -> str:
    """The path of certificates to believe besides the system's; empty for none. CniError if it cannot be read."""
    path = config.cacert or environment.get("NETPLANE_CACERT")
    if path is None:
        from netplane.cli.tokens import find_authority

        return find_authority()
    try:
        Path(path).read_bytes()
    except OSError as problem:
        raise CniError(Code.INVALID_CONFIGURATION, f"cacert {path}: {problem.strerror}") from None
    return path


def read_access(config: Config, environment: Mapping[str, str] = os.environ) -> tuple[str, str]:
    """The controller's URL and a token: from the configuration, the environment, or as `netplane up` has them."""
    url = config.url or environment.get("NETPLANE_URL") or URL
    if config.token_file is not None:
        return url, _read_token(Path(config.token_file))
    token = environment.get("NETPLANE_TOKEN")
    if token:
        return url, token
    from netplane.cli.tokens import read_token

    found = read_token()
    if not found:
        text = "there is no token: set token_file in the network configuration, or NETPLANE_TOKEN"
        raise CniError(Code.INVALID_CONFIGURATION, text)
    return url, found


def _read_token(path: Path) -> str:
    try:
        token = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as problem:
        why = problem.strerror if isinstance(problem, OSError) else "no text"
        raise CniError(Code.INVALID_CONFIGURATION, f"token_file {path}: {why}") from None
    if not token or not token.isprintable() or not token.isascii() or " " in token:
        raise CniError(Code.INVALID_CONFIGURATION, f"token_file {path}: holds no token, or more than one")
    return token
