"""How hosts come to be hosts, and cease to: `netplane join` and what administrators say about it.

| call | answer |
|---|---|
| `GET /netplane/v1/authority` | the certificate that everything is signed by, and its fingerprint (everybody) |
| `POST /netplane/v1/join` | a certificate, for whoever proves to have a join token (everybody) |
| `POST /netplane/v1/join-tokens` | a new join token (administrators, as all that follows) |
| `GET /netplane/v1/join-tokens` | those that are not used up, without their secrets |
| `DELETE /netplane/v1/join-tokens/{id}` | takes one back |
| `GET /netplane/v1/enrolments` | which hosts are in, since when, and until when by the certificate that they have |
| `DELETE /netplane/v1/hosts/{name}/enrolment` | revokes a host: its session ends, and it cannot come back |
| `DELETE /netplane/v1/hosts/{name}` | forgets a host that is revoked or dead; its ports are free |
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Annotated, TypeVar

from msgspec import Meta, Struct
from msgspec.json import Decoder
from starlette.requests import Request

from netplane.api import ApiError
from netplane.api.app import context_of, read_body
from netplane.api.bodies import parse_struct
from netplane.api.errors import conflict, from_store, invalid, not_found
from netplane.api.policy import check_call
from netplane.api.rules.agents import is_alive
from netplane.controller.controller import Controller
from netplane.controller.inventory import page
from netplane.model import HOST_NAME, HOST_NAMES, Host, JoinToken, agent_id
from netplane.store import StoreError, Transaction
from netplane.store.bindings import remove_host
from netplane.store.enrolments import (
    NotAdmitted,
    drop_expired,
    enrol,
    enrolment_of,
    extend,
    make_join_token,
    revoke,
    spend_join_token,
)
from netplane.store.reports import HEARTBEAT
from netplane.trust.certificates import certificate_pem
from netplane.trust.faults import Distrust
from netplane.trust.joining import Wish, check_wish, make_welcoming
from netplane.trust.names import HostIdentity
from netplane.trust.tokens import join_secret

BODY = 16 * 1024
"""Bytes of a request to join."""
LONGEST_LIFE = 30 * 24 * 3600
USUAL_LIFE = 3600
"""Seconds that a join token serves."""
MOST_USES = 10_000

TOKEN = ("id", "host", "uses", "expires_at")
ENROLMENT = ("host", "enrolled_at", "expires_at")
"""What lists are filtered by; the first is their key."""

LOGGER = logging.getLogger(__name__)

T = TypeVar("T")


class TokenWish(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a request for a join token."""

    host: Annotated[str, Meta(max_length=255)] = ""
    """The only host that may join by it; empty for any that has not joined before."""
    uses: Annotated[int, Meta(ge=1, le=MOST_USES)] = 1
    seconds: Annotated[int, Meta(ge=1, le=LONGEST_LIFE)] = USUAL_LIFE
    """How long it serves."""


_WISH, _TOKEN_WISH = Decoder(Wish), Decoder(TokenWish)


async def authority(controller: Controller, _request: Request) -> object:
    """The certificate of the authority, which is no secret."""
    found = controller.admission.authority
    return {"certificate": certificate_pem(found.certificate).decode(), "sha256": found.pin}


async def join(controller: Controller, request: Request, controllers: Sequence[str]) -> object:
    """Let a host in that has a token, and certify its key."""
    wish: Wish = parse_struct(_WISH, await read_body(request, BODY))
    try:
        check_wish(controller.admission.authority, wish)
        certificate = await asyncio.to_thread(_admit, controller, wish)
    except (Distrust, NotAdmitted, StoreError) as refusal:
        peer = request.client.host if request.client else "somebody"
        LOGGER.warning("refused %s to join as %r: %s", peer, wish.host[:255], refusal)
        raise ApiError(403, "JoinRefused", f"{refusal}.") from refusal
    LOGGER.info("host %s has joined with token %s", wish.host, wish.token)
    return make_welcoming(controller.admission.authority, wish, certificate.encode(), controllers)


def _admit(controller: Controller, wish: Wish) -> str:
    """Spend the token and enrol the host; the certificate. Nothing is written if any of it fails."""
    admission = controller.admission
    with controller.store.write(f"host:{wish.host}") as transaction:
        spend_join_token(transaction, wish.token, wish.host)
        enrolment = enrol(transaction, wish.host, transaction.origin.now + admission.life)
        certificate, expires = admission.certify(HostIdentity(wish.host, enrolment.id), wish.request)
        extend(transaction, wish.host, enrolment.id, expires)
    return certificate


async def make_token(controller: Controller, request: Request) -> object:
    """A new join token, which is told this once."""
    check_call(context_of(request), "change_join_tokens")
    wish: TokenWish = parse_struct(_TOKEN_WISH, await read_body(request, BODY))
    if wish.host and not HOST_NAME.fullmatch(wish.host):
        raise invalid(f"'host' is a host's name, {HOST_NAMES}, not {wish.host!r}")

    def work(transaction: Transaction) -> JoinToken:
        drop_expired(transaction)
        return make_join_token(transaction, wish.host, wish.uses, timedelta(seconds=wish.seconds))

    made = await _write(controller, request, work)
    return _view(made) | {"token": str(join_secret(controller.admission.authority, made.id))}


async def tokens(controller: Controller, request: Request) -> object:
    """The join tokens that there are."""
    check_call(context_of(request), "join_tokens")

    def read() -> list[JoinToken]:
        with controller.store.read() as reader:
            return reader.list(JoinToken)

    return {"join_tokens": page(request, [_view(token) for token in await asyncio.to_thread(read)], TOKEN)}


async def drop_token(controller: Controller, request: Request) -> object:
    """Take a join token back."""
    check_call(context_of(request), "change_join_tokens")
    id: str = request.path_params["id"]

    def work(transaction: Transaction) -> None:
        token = transaction.get(JoinToken, id)
        if token is None:
            raise not_found(JoinToken, id)
        transaction.delete(token)

    return await _write(controller, request, work)


async def enrolments(controller: Controller, request: Request) -> object:
    """Which hosts are in, those that have joined and not come yet included."""
    check_call(context_of(request), "enrolments")
    shown = [
        {"host": enrolment.host, "enrolled_at": enrolment.enrolled_at, "expires_at": enrolment.expires_at}
        for enrolment in sorted(controller.admission.enrolments(), key=lambda enrolment: enrolment.host)
    ]
    return {"enrolments": page(request, shown, ENROLMENT)}


async def revoke_host(controller: Controller, request: Request) -> object:
    """Put a host out."""
    check_call(context_of(request), "revoke_hosts")
    name: str = request.path_params["name"]

    def work(transaction: Transaction) -> None:
        if not revoke(transaction, name) and transaction.get(Host, name) is None:
            raise not_found(Host, name)

    return await _write(controller, request, work)


async def forget_host(controller: Controller, request: Request) -> object:
    """Forget a host that is gone for good; its ports are free."""
    check_call(context_of(request), "revoke_hosts")
    name: str = request.path_params["name"]

    def work(transaction: Transaction) -> None:
        enrolment, host = enrolment_of(transaction, name), transaction.get(Host, name)
        if enrolment is None and host is None:
            raise not_found(Host, name)
        heard = transaction.reader.reports(HEARTBEAT, [agent_id(name)]).get(agent_id(name))
        is_here = name in controller.southbound.connected or is_alive(heard, transaction.origin.now)
        if enrolment is not None and is_here:
            raise conflict("HostInUse", f"Unable to complete operation on host {name}. It is alive; revoke it first.")
        remove_host(transaction, name)

    return await _write(controller, request, work)


async def _write(controller: Controller, request: Request, work: Callable[[Transaction], T]) -> T:
    context = context_of(request)

    def write() -> T:
        with controller.store.write(context.actor, context.request) as transaction:
            return work(transaction)

    try:
        return await asyncio.to_thread(write)
    except StoreError as error:
        raise from_store(error) from error


def _view(token: JoinToken) -> dict[str, object]:
    return {"id": token.id, "host": token.host_id, "uses": token.uses, "expires_at": token.expires_at}
