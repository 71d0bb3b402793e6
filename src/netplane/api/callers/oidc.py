"""Tokens of an OpenID Connect issuer: JWTs that are checked against the keys that it publishes.

Claims say who it is, for which project and with which roles; their names are the operator's to choose. The issuer is
asked for nothing but its keys, and for those at most every few seconds, whatever anybody sends.
"""

import asyncio
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

import jwt
import urllib3
from jwt import PyJWK, PyJWKSet, PyJWTError

from netplane.api.callers.config import OidcConfig
from netplane.api.callers.keys import SECOND, Time
from netplane.api.callers.remembering import Remembering
from netplane.api.callers.signed import now
from netplane.api.context import Context, roles
from netplane.api.errors import ApiError
from netplane.model.identity import ROLES

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures by a key pair only: with a shared secret, anybody who checks tokens could make them."""
LEEWAY = 30
"""Seconds by which clocks may differ."""
PAUSE = 10
"""Seconds between two looks at the issuer's keys."""
SECONDS = 10.0
"""That the issuer has to answer."""
CHECKERS = 2
"""Threads."""


class OidcTokens:
    """A `Source`."""

    def __init__(self, config: OidcConfig, time: Time = now) -> None:
        self._config = config
        self._time = time
        self._turn = Lock()
        self._remembered = Remembering(time)
        self._checkers = ThreadPoolExecutor(CHECKERS, "api-oidc")
        self._http = urllib3.PoolManager(timeout=SECONDS, retries=False, ca_certs=config.cafile or None)
        self._keys: dict[str, PyJWK] = {}
        self._read_at = -PAUSE * SECOND

    def known(self, token: str) -> Context | None:
        """The caller, if the token was checked a short time ago."""
        said = self._remembered.get(token)
        return None if said is None else said.context

    async def find(self, token: str) -> Context | None:
        """The caller, if the issuer has signed the token; ApiError if its keys cannot be had."""
        if token.count(".") != 2 or self._remembered.get(token) is not None:
            return None
        return await asyncio.get_running_loop().run_in_executor(self._checkers, self._check, token)

    def _check(self, token: str) -> Context | None:
        try:
            header = jwt.get_unverified_header(token)
            key = self._key(str(header.get("kid", "")))
            if key is None or header.get("alg") not in ALGORITHMS:
                return self._remembered.put(token, None)
            claims = jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                audience=self._config.audience,
                issuer=self._config.issuer,
                leeway=LEEWAY,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except PyJWTError:
            return self._remembered.put(token, None)
        expires = (int(claims["exp"]) + LEEWAY) * SECOND
        return self._remembered.put(token, _context(self._config, claims), expires)

    def _key(self, id: str) -> PyJWK | None:
        with self._turn:
            if id not in self._keys and not 0 <= self._time() - self._read_at < PAUSE * SECOND:
                self._read_at = self._time()
                self._keys = self._read_keys()
            return self._keys.get(id)

    def _read_keys(self) -> dict[str, PyJWK]:
        try:
            issuer = self._get(f"{self._config.issuer.rstrip('/')}/.well-known/openid-configuration")
            if issuer["issuer"] != self._config.issuer:
                raise ValueError(f"it calls itself {issuer['issuer']}")
            return {key.key_id or "": key for key in PyJWKSet.from_dict(self._get(issuer["jwks_uri"])).keys}
        except (urllib3.exceptions.HTTPError, PyJWTError, ValueError, KeyError, TypeError) as error:
            raise ApiError(503, "ServiceUnavailable", f"The issuer of tokens has no keys to tell: {error}.") from error

    def _get(self, url: str) -> Any:
        answer = self._http.request("GET", url)
        if answer.status != 200:
            raise ValueError(f"{url} answers {answer.status}")
        return answer.json()


def _context(config: OidcConfig, claims: dict[str, Any]) -> Context:
    project = claims.get(config.project_claim, "")
    named = _words(claims.get(config.roles_claim, ()))
    return Context(
        project if isinstance(project, str) else "",
        roles(name for name in named if name in ROLES),
        str(claims.get(config.user_claim) or claims["sub"]),
    )


def _words(said: object) -> Iterable[str]:
    """A claim that is a list, or words with spaces between them."""
    if isinstance(said, str):
        return said.split()
    return [name for name in said if isinstance(name, str)] if isinstance(said, list) else []
