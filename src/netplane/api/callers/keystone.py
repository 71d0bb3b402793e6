"""Tokens of a Keystone that there already is: asked through `keystonemiddleware`, as every OpenStack service does it.

The middleware is one of WSGI, around an application. Here the application is a few lines that let everybody in whom the
middleware lets through, and a request has nothing but a token; who has come in is what the middleware writes into it.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from netplane.api.callers.config import KeystoneConfig
from netplane.api.callers.keys import SECOND, Time
from netplane.api.callers.remembering import Remembering
from netplane.api.callers.signed import now
from netplane.api.context import Context, roles
from netplane.api.errors import ApiError

ASKERS = 4
"""Threads."""
UNAVAILABLE = 503

Start = Callable[[str, list[tuple[str, str]]], object]


class KeystoneTokens:
    """A `Source`. ImportError if keystonemiddleware is not installed (`pip install netplane[keystone]`)."""

    def __init__(self, config: KeystoneConfig, time: Time = now) -> None:
        from keystonemiddleware.auth_token import AuthProtocol

        # It takes the options of whatever logs in for unknown, and uses them.
        logging.getLogger("keystonemiddleware._common.config").setLevel(logging.ERROR)
        self._remembered = Remembering(time, config.token_cache_time)
        self._askers = ThreadPoolExecutor(ASKERS, "api-keystone")
        self._protocol = AuthProtocol(_enter, _options(config))

    def known(self, token: str) -> Context | None:
        """The caller, if Keystone has said so a short time ago."""
        said = self._remembered.get(token)
        return None if said is None else said.context

    async def find(self, token: str) -> Context | None:
        """The caller, as Keystone says; ApiError if it does not answer."""
        if self._remembered.get(token) is not None:
            return None
        return await asyncio.get_running_loop().run_in_executor(self._askers, self._ask, token)

    def _ask(self, token: str) -> Context | None:
        import webob

        request = webob.Request.blank("/", headers={"X-Auth-Token": token})
        response = request.get_response(self._protocol)
        if response.status_int == UNAVAILABLE:
            raise ApiError(503, "ServiceUnavailable", "The identity service does not answer.")
        if response.status_int != 200:
            return self._remembered.put(token, None)
        return self._remembered.put(token, _context(request.environ), _expiry(request.environ))


def _options(config: KeystoneConfig) -> dict[str, Any]:
    return {
        "oslo_config_config": None,
        "auth_type": "password",
        "auth_url": config.auth_url,
        "www_authenticate_uri": config.public_url or config.auth_url,
        "username": config.username,
        "password": config.password,
        "project_name": config.project_name,
        "user_domain_name": config.user_domain_name,
        "project_domain_name": config.project_domain_name,
        "cafile": config.cafile or None,
        "interface": config.interface,
        "include_service_catalog": False,
        "service_token_roles_required": True,
        "service_token_roles": ["service"],
        "token_cache_time": -1,  # we remember ourselves
    }


def _enter(_environ: dict[str, Any], start: Start) -> Iterable[bytes]:
    """The application behind the middleware: whoever gets here is let in."""
    start("200 OK", [])
    return [b""]


def _expiry(environ: dict[str, Any]) -> int:
    """When the token ends, in microseconds since 1970."""
    said = environ["keystone.token_info"]["token"]["expires_at"]
    return int(datetime.fromisoformat(said).timestamp()) * SECOND


def _context(environ: dict[str, Any]) -> Context:
    """The caller, as the middleware writes it into a request that it lets in."""

    def said(name: str) -> str:
        return str(environ.get(f"HTTP_{name}") or "")

    return Context(
        said("X_PROJECT_ID"),
        roles(name.lower() for name in said("X_ROLES").split(",") if name),
        said("X_USER_NAME"),
        is_system=said("OPENSTACK_SYSTEM_SCOPE") == "all",
    )
