"""HTTP to a controller, with errors as one line that says what to do."""

import json
import os
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import urllib3

from netplane.cli.places import URL, tokens_file

SECONDS = 30.0
Command = TypeVar("Command", bound=Callable[..., Any])


class ClientError(click.ClickException):
    """The controller cannot be asked, or says no; `status` is HTTP's, 0 if there was no answer."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class Client:
    """One controller and one token."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url.rstrip("/")
        self._headers = {"X-Auth-Token": token, "Content-Type": "application/json"}

    def get(self, path: str) -> dict[str, Any]:
        """The body of a GET; ClientError for anything but success."""
        return self._call("GET", path, None)

    def post(self, path: str, body: object) -> dict[str, Any]:
        """The body that answers a POST; ClientError for anything but success."""
        return self._call("POST", path, json.dumps(body).encode())

    def _call(self, method: str, path: str, body: bytes | None) -> dict[str, Any]:
        try:
            answer = urllib3.request(
                method, self.url + path, headers=self._headers, body=body, timeout=SECONDS, retries=False
            )
        except urllib3.exceptions.HTTPError as problem:
            raise ClientError(
                f"no controller answers at {self.url} ({_reason(problem)}). "
                "Start one (`netplane up` or `netplane server`), or set NETPLANE_URL or --url."
            ) from None
        if answer.status >= 400:
            raise ClientError(_refusal(answer.status, answer.data), answer.status)
        return _decode(self.url, answer.data)


def _decode(url: str, data: bytes) -> dict[str, Any]:
    try:
        body = json.loads(data)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise ClientError(f"what answers at {url} is not netplane")
    return body


def _refusal(status: int, data: bytes) -> str:
    if status == 401:
        return "the token was refused (401). Set NETPLANE_TOKEN or --token to one of the controller's tokens."
    return f"{_message(data) or data.decode(errors='replace')[:200] or 'no reason was given'} ({status})"


def _message(data: bytes) -> str:
    """What a Neutron-shaped error says: `{"NeutronError": {"type", "message", "detail"}}`."""
    try:
        body = json.loads(data)
    except ValueError:
        return ""
    error = next(iter(body.values()), "") if isinstance(body, dict) else ""
    return str(error.get("message", "")) if isinstance(error, dict) else str(error)


def _reason(problem: urllib3.exceptions.HTTPError) -> str:
    text = str(problem)
    return "connection refused" if "Connection refused" in text else text.rpartition(": ")[2].rstrip(")'\"")


def asks_controller(command: Command) -> Command:
    """Options `--url` and `--token`; the command gets them as one `client`."""

    def with_client(*args: Any, url: str, token: str | None, **kwargs: Any) -> Any:
        return command(*args, client=Client(url, token or read_token()), **kwargs)

    with_client.__name__ = command.__name__
    with_client.__doc__ = command.__doc__
    with_client.__click_params__ = getattr(command, "__click_params__", [])  # type: ignore[attr-defined]
    with_token = click.option(
        "--token", envvar="NETPLANE_TOKEN", help="Token; by default that of `netplane up` here.", show_envvar=True
    )(with_client)
    return click.option(  # type: ignore[return-value]
        "--url", envvar="NETPLANE_URL", default=URL, show_default=True, show_envvar=True, help="The controller."
    )(with_token)


def read_token(path: Path | None = None) -> str:
    """The administrator's token of the controller that `netplane up` runs here; empty if it cannot be read."""
    path = path or tokens_file(Path(os.environ.get("NETPLANE_STATE", tokens_file().parent)))
    try:
        tokens = tomllib.loads(path.read_text()).get("token", [])
    except (OSError, tomllib.TOMLDecodeError):
        return ""
    return next((str(token["secret"]) for token in tokens if "admin" in token.get("roles", ())), "")
