"""An issuer of OpenID Connect: a small one on loopback with real keys."""

import asyncio
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from netplane.api import make_app, parse_tokens
from netplane.api.callers.config import OidcConfig
from netplane.api.callers.oidc import OidcTokens
from netplane.api.callers.signed import now
from netplane.model import User
from netplane.store import Store
from tests.answering import served
from tests.api.support import TOKENS, Reply, send

KEYS: dict[str, tuple[str, Any]] = {
    "rsa": ("RS256", rsa.generate_private_key(public_exponent=65537, key_size=2048)),
    "ec": ("ES256", ec.generate_private_key(ec.SECP256R1())),
    "ed": ("EdDSA", Ed25519PrivateKey.generate()),
}
WRITERS: dict[str, Any] = {"rsa": RSAAlgorithm, "ec": ECAlgorithm, "ed": OKPAlgorithm}


class Issuer:
    """What the issuer publishes, and the tokens that it makes."""

    def __init__(self) -> None:
        self.url = ""
        self.published = ["rsa", "ec", "ed"]
        self.asked = 0
        self.time = now()

    def answer(self, path: str) -> Any:
        self.asked += 1
        if path == "/.well-known/openid-configuration":
            return {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
        keys = [
            json.loads(WRITERS[name].to_jwk(KEYS[name][1].public_key())) | {"kid": name, "alg": KEYS[name][0]}
            for name in self.published
        ]
        return {"keys": keys}

    def token(self, key: str = "rsa", **claims: Any) -> str:
        seconds = self.time // 1_000_000
        whole = {
            "iss": self.url,
            "aud": "netplane",
            "sub": "u-1",
            "exp": seconds + 600,
            "preferred_username": "ann",
            "netplane_project": "blue",
            "netplane_roles": ["member"],
            **claims,
        }
        kept = {name: value for name, value in whole.items() if value is not None}
        return jwt.encode(kept, KEYS[key][1], algorithm=KEYS[key][0], headers={"kid": key})


class World:
    """A server that trusts the issuer."""

    def __init__(self, folder: Path, issuer: Issuer) -> None:
        self.issuer = issuer
        self.store = Store.open(f"sqlite:///{folder}/netplane.db")
        outside = OidcTokens(OidcConfig(issuer=issuer.url, audience="netplane"), lambda: issuer.time)
        self.app = make_app(self.store, parse_tokens(TOKENS), outside=(outside,))

    def ask(self, token: str, header: bytes = b"authorization") -> Reply:
        value = f"Bearer {token}" if header == b"authorization" else token
        body = b'{"network": {}}'
        return asyncio.run(send(self.app, "POST", "/v2.0/networks", body, [(header, value.encode())]))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    issuer = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(issuer.answer(self.path)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    with served(Handler) as issuer.url:
        made = World(tmp_path, issuer)
        yield made
        made.store.close()


@pytest.mark.parametrize("key", ["rsa", "ec", "ed"])
@pytest.mark.parametrize("header", [b"authorization", b"x-auth-token"])
def test_its_tokens_are_good_here(world: World, key: str, header: bytes) -> None:
    reply = world.ask(world.issuer.token(key), header)
    assert (reply.status, reply.json["network"]["project_id"]) == (201, "blue")
    assert world.store.journal(world.store.revision - 1)[0].actor == "ann"


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"aud": "other"}, 401),
        ({"aud": None}, 401),
        ({"iss": "http://other.example"}, 401),
        ({"exp": 1}, 401),
        ({"exp": None}, 401),
        ({"sub": None}, 401),
        ({"nbf": 99_999_999_999}, 401),
        ({"netplane_project": None, "netplane_roles": None}, 403),
        ({"netplane_roles": ["king", 7]}, 403),
        ({"netplane_roles": "member other"}, 201),
        ({"preferred_username": None}, 201),
    ],
)
def test_claims(world: World, claims: dict[str, Any], status: int) -> None:
    assert world.ask(world.issuer.token(**claims)).status == status


def test_who_has_the_id_of_a_user_of_ours_is_not_that_user(world: World) -> None:
    with world.store.write("test") as transaction:
        transaction.add(User(id="u-1", name="local", password=""))
    sent = [(b"authorization", f"Bearer {world.issuer.token(sub='u-1')}".encode())]
    for place in ("", "/projects", "/groups", "/application_credentials"):
        assert asyncio.run(send(world.app, "GET", f"/v3/users/u-1{place}", b"", sent)).status == 403, place


def test_forged_ones(world: World) -> None:
    good = world.issuer.token()
    head, body, signature = good.split(".")
    claims = jwt.decode(good, options={"verify_signature": False})
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    strange = jwt.encode(claims, other, "RS256", {"kid": "rsa"})
    public = KEYS["rsa"][1].public_key().public_numbers().n.to_bytes(256)
    shared = jwt.encode(claims, public, "HS256", {"kid": "rsa"})
    unsigned = jwt.encode(claims, "", "none", {"kid": "rsa"})
    swapped = f"{head}.{body}.{signature[:-8]}AAAAAAAA"
    for token in (strange, shared, unsigned, swapped, f"{head}.{body}.", "a.b.c", ".."):
        assert world.ask(token).status == 401, token


def test_it_is_asked_seldom(world: World) -> None:
    for number in range(20):
        token = jwt.encode({"exp": number}, KEYS["ed"][1], "EdDSA", {"kid": f"unknown {number}"})
        assert world.ask(token).status == 401
    assert world.issuer.asked == 2


def test_its_keys_change(world: World) -> None:
    world.issuer.published = ["rsa"]
    assert world.ask(world.issuer.token("rsa")).status == 201
    world.issuer.published = ["ec"]
    world.issuer.time += 11_000_000
    assert world.ask(world.issuer.token("ec")).status == 201
    assert world.ask(world.issuer.token("rsa", sub="u-2")).status == 401


def test_an_issuer_that_is_away(tmp_path: Path) -> None:
    issuer = Issuer()
    issuer.url = "http://127.0.0.1:1"
    world = World(tmp_path, issuer)
    assert world.ask(issuer.token()).error == (503, "ServiceUnavailable")
    world.store.close()
