"""A Keystone that there already is: another netplane plays it, over real HTTP, asked by the real keystonemiddleware."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from netplane.api import make_app, parse_tokens
from netplane.api.callers.config import KeystoneConfig
from netplane.api.callers.keystone import KeystoneTokens
from netplane.api.callers.remembering import FRESH
from netplane.model import User, role_id
from netplane.store import Store
from tests.api.identity.cloud import Cloud
from tests.api.identity.serving import serving
from tests.api.support import TOKENS, Reply, send

pytestmark = pytest.mark.filterwarnings("ignore")  # the middleware's libraries warn of each other


class Clock:
    """Microseconds that pass when told to."""

    now = 1_000_000_000

    def __call__(self) -> int:
        return self.now


class Place(NamedTuple):
    """The Keystone, and a server that asks it."""

    keystone: Cloud
    url: str
    store: Store
    clock: Clock

    def app(self, seconds: int = FRESH) -> object:
        config = KeystoneConfig(
            auth_url=f"{self.url}/v3", username="netplane", password="asks", token_cache_time=seconds
        )
        outside = KeystoneTokens(config, self.clock)
        return make_app(self.store, parse_tokens(TOKENS), outside=(outside,))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    cloud = Cloud(tmp_path)
    admin = cloud.log_in()
    project = cloud.make("project", admin, name="service")["id"]
    user = cloud.make("user", admin, name="netplane", password="asks")["id"]
    for role in ("service", "member"):
        path = f"/v3/projects/{project}/users/{user}/roles/{role_id(role)}"
        assert cloud.ask("PUT", path, token=admin).status == 204
    store = Store.open(f"sqlite:///{tmp_path}/network.db")
    with serving(cloud.app) as url:
        yield Place(cloud, url, store, Clock())
    store.close()
    cloud.store.close()


def ask(app: object, token: str, method: str = "GET", path: str = "/v2.0/networks", body: bytes = b"") -> Reply:
    return asyncio.run(send(app, method, path, body, [(b"x-auth-token", token.encode("latin-1"))]))  # type: ignore[arg-type]


def test_its_tokens_are_good_here(place: Place) -> None:
    cloud, app = place.keystone, place.app()
    admin = cloud.log_in()
    _, project = cloud.member(admin, "ann")
    token = cloud.log_in("ann", "word")
    made = ask(app, token, "POST", body=b'{"network": {"name": "n"}}')
    assert made.status == 201
    assert made.json["network"]["project_id"] == project
    assert place.store.journal(place.store.revision - 1)[0].actor == "ann"
    assert "provider:segmentation_id" not in made.json["network"]
    assert "provider:segmentation_id" in ask(app, admin).json["networks"][0]
    assert ask(app, cloud.log_in(scope={"system": {"all": True}})).json["networks"] != []
    assert ask(app, cloud.log_in("ann", "word", "unscoped")).status == 403
    assert ask(app, "admin").status == 200
    for wrong in ("wrong", "", "\xff", "A" * 3000):
        assert ask(app, wrong).status == 401


def test_who_has_the_id_of_a_user_of_ours_is_not_that_user(place: Place) -> None:
    cloud, app = place.keystone, place.app()
    user, _ = cloud.member(cloud.log_in(), "ann")
    with place.store.write("test") as transaction:
        transaction.add(User(id=user, name="local", password=""))
    token = cloud.log_in("ann", "word")
    assert cloud.ask("GET", f"/v3/users/{user}", token=token).status == 200
    assert ask(app, token, path=f"/v3/users/{user}").status == 403
    assert ask(app, token, path=f"/v3/users/{user}/application_credentials").status == 403


@pytest.mark.parametrize("seconds", [0, FRESH, 60])
def test_a_revoked_token_is_good_for_a_short_time_yet(place: Place, seconds: int) -> None:
    """For no longer than the operator says."""
    cloud, app = place.keystone, place.app(seconds)
    token = cloud.log_in()
    assert ask(app, token).status == 200
    assert cloud.subject(token, token, "DELETE").status == 204
    place.clock.now += max(0, seconds - 1) * 1_000_000
    assert ask(app, token).status == (200 if seconds else 401)
    place.clock.now += 1_100_000
    assert ask(app, token).status == 401


def test_a_token_is_not_remembered_beyond_its_end(place: Place) -> None:
    cloud, app = place.keystone, place.app(3600)
    place.clock.now = time.time_ns() // 1000
    token = cloud.log_in()
    assert ask(app, token).status == 200
    place.clock.now += 3_500_000_000
    assert ask(app, token).status == 200
    assert cloud.subject(token, token, "DELETE").status == 204
    place.clock.now += 50_000_000
    assert ask(app, token).status == 200
    place.clock.now += 51_000_000
    assert ask(app, token).status == 401


def test_a_keystone_that_is_away(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/network.db")
    config = KeystoneConfig(auth_url="http://127.0.0.1:1/v3", username="netplane", password="asks")
    app = make_app(store, parse_tokens(TOKENS), outside=(KeystoneTokens(config),))
    assert ask(app, "some token").error == (503, "ServiceUnavailable")
    assert ask(app, "admin").status == 200
    store.close()
