"""HTTP to a controller, with errors as one line that says what to do."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPResponse
from typing import Any, TypeVar

import click

from netplane import client
from netplane.cli.places import URL
from netplane.cli.tokens import find_authority, token_for

UNKNOWN = "the token was refused (401). Set NETPLANE_TOKEN or --token to one of the controller's tokens."

Command = TypeVar("Command", bound=Callable[..., Any])


class ClientError(click.ClickException):
    """The controller cannot be asked, or says no; `status` is HTTP's, 0 if there was no answer."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class Client:
    """One controller and one token."""

    def __init__(self, url: str, token: str, authority: str = "") -> None:
        """`authority` is the path of certificates to believe besides those that the system does."""
        self.url = url.rstrip("/")
        self._client = client.Client(url, token, authority=authority)

    @property
    def revision(self) -> int:
        """The newest revision that a call of this client has made; 0 if none has written anything."""
        return self._client.revision

    def get(self, path: str) -> dict[str, Any]:
        """The body of a GET; ClientError for anything but success."""
        return self.call("GET", path, None)

    def post(self, path: str, body: object) -> dict[str, Any]:
        """The body that answers a POST; ClientError for anything but success."""
        return self.call("POST", path, body)

    def put(self, path: str, body: object = None) -> dict[str, Any]:
        """The body that answers a PUT; ClientError for anything but success."""
        return self.call("PUT", path, body)

    def patch(self, path: str, body: object) -> dict[str, Any]:
        """The body that answers a PATCH; ClientError for anything but success."""
        return self.call("PATCH", path, body)

    def log_in(self, body: object) -> tuple[str, dict[str, Any]]:
        """The token that a login gives, and what is said of it; ClientError if it gives none."""
        with self._explained("the login was refused (401): no such user, a wrong password, or no role there."):
            return self._client.log_in(body)

    def revoke(self, token: str) -> None:
        """Make a token void; ClientError if it is none."""
        with self._explained():
            self._client.revoke(token)

    def delete(self, path: str) -> None:
        """A DELETE; ClientError for anything but success."""
        self.call("DELETE", path, None)

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    def pause(self, seconds: float) -> None:
        """Wait, without holding the controller's line meanwhile: it would hang up, and the next call find it dead."""
        self._client.close()
        time.sleep(seconds)

    def call(self, method: str, path: str, body: object) -> dict[str, Any]:
        """The body that answers, {} where there is none; ClientError for anything but success."""
        with self._explained():
            return self._client.call(method, path, body)

    @contextmanager
    def stream(self, path: str) -> Iterator[HTTPResponse]:
        """What answers a GET and goes on, line by line; ClientError for anything but success, also midway."""
        with self._explained(), self._client.stream(path) as answer:
            yield answer

    @contextmanager
    def _explained(self, unknown: str = UNKNOWN) -> Iterator[None]:
        """Faults as ClientErrors; `unknown` is what is said of a 401."""
        try:
            yield
        except client.Unanswered as problem:
            raise ClientError(
                f"no controller answers at {self.url} ({problem}). "
                "Start one (`netplane up` or `netplane server`), or set NETPLANE_URL or --url."
            ) from None
        except client.Stranger as problem:
            raise ClientError(str(problem)) from None
        except client.Refused as problem:
            text = unknown if problem.status == 401 else f"{problem} ({problem.status})"
            raise ClientError(text, problem.status) from None


def asks_controller(command: Command) -> Command:
    """Options `--url`, `--token` and `--cacert`; the command gets them as one `client`."""

    def with_client(*args: Any, url: str, token: str | None, cacert: str | None, **kwargs: Any) -> Any:
        with closing(Client(url, token or token_for(url), cacert or find_authority())) as client:
            return command(*args, client=client, **kwargs)

    with_client.__name__ = command.__name__
    with_client.__doc__ = command.__doc__
    with_client.__click_params__ = getattr(command, "__click_params__", [])  # type: ignore[attr-defined]
    with_authority = click.option(
        "--cacert",
        envvar="NETPLANE_CACERT",
        show_envvar=True,
        type=click.Path(exists=True, dir_okay=False),
        help="For HTTPS, a file of certificates to believe besides the system's; by default that of the controller or "
        "agent here.",
    )(with_client)
    with_token = click.option(
        "--token",
        envvar="NETPLANE_TOKEN",
        show_envvar=True,
        help="Token; by default that of the controller here, which goes to none elsewhere.",
    )(with_authority)
    return click.option(  # type: ignore[return-value]
        "--url", envvar="NETPLANE_URL", default=URL, show_default=True, show_envvar=True, help="The controller."
    )(with_token)
