"""Errors as Keystone tells them.

```
{"error": {"code": 404, "title": "Not Found", "message": "Could not find user: 7."}}
```
"""

from http import HTTPStatus
from typing import Any

from netplane.api.errors import ApiError

METHODS = ("password", "token", "application_credential")
"""What one may prove oneself with."""


class IdentityError(ApiError):
    """A request to the identity API that is refused; nothing was written."""

    def __init__(self, status: int, message: str, further: dict[str, Any] | None = None, wait: float = 0.0) -> None:
        super().__init__(status, HTTPStatus(status).phrase, message)
        self.further = further or {}
        self.wait = wait
        """Seconds after which another attempt may succeed."""

    @property
    def body(self) -> dict[str, dict[str, Any]]:
        """The error as clients receive it."""
        return {"error": {"code": self.status, "title": self.type, "message": self.message, **self.further}}


def unauthorized(wait: float = 0.0) -> IdentityError:
    """Whatever is wrong with what somebody has said to log in: they are not told what."""
    return IdentityError(401, "The request you have made requires authentication.", wait=wait)


def unsupported() -> IdentityError:
    """Another way to log in."""
    further = {"identity": {"methods": list(METHODS)}}
    return IdentityError(401, "Attempted to authenticate with an unsupported method.", further)


def forbidden(action: str) -> IdentityError:
    """Something that the caller may not do."""
    return IdentityError(403, f"You are not authorized to perform the requested action: identity:{action}.")


def invalid(message: str) -> IdentityError:
    """A request that cannot be understood, or a value that cannot be."""
    return IdentityError(400, message)


def not_found(kind: str, id: str) -> IdentityError:
    """There is no such thing, or the caller may not see it."""
    return IdentityError(404, f"Could not find {kind}: {id}.")


def conflict(kind: str, name: str) -> IdentityError:
    """A name that is taken."""
    message = (
        f"Conflict occurred attempting to store {kind} - Duplicate entry found with name {name} at domain ID default."
    )
    return IdentityError(409, message)
