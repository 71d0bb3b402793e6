"""The conversation in which a host joins, without I/O: one question, one answer, both proven with the join token.

host                                      controller
  Wish(token, host, request, proof)  ──▶    check_wish, then: is the token good, is the name free?
  check_welcome                      ◀──  Welcoming(certificate, authority, controllers, proof)
"""

from collections.abc import Sequence

from msgspec import Struct

from netplane.trust.authority import Authority
from netplane.trust.certificates import fingerprint, load_certificate
from netplane.trust.faults import Distrust
from netplane.trust.keys import PrivateKey, make_request
from netplane.trust.papers import Papers, check_papers
from netplane.trust.tokens import JoinSecret, check_proof, join_secret, prove


class Wish(Struct, frozen=True, forbid_unknown_fields=True):
    """What a host asks."""

    token: str
    """The id of its join token."""
    host: str
    """Its name."""
    request: str
    """Its request for a certificate, PEM."""
    proof: str


class Welcoming(Struct, frozen=True):
    """What it is answered."""

    certificate: str
    """The host's, PEM."""
    authority: str
    """That of the authority, PEM."""
    controllers: list[str]
    """Where agents connect; `:PORT` alone means: at the address that the host has asked."""
    proof: str


def make_wish(secret: JoinSecret, host: str, key: PrivateKey) -> Wish:
    """What a host asks with a token."""
    request = make_request(key, host).decode()
    return Wish(secret.id, host, request, prove(secret, "host", _said(secret.id, host, request)))


def check_wish(authority: Authority, wish: Wish) -> None:
    """Distrust unless who asks has the token that he names."""
    secret = join_secret(authority, wish.token)
    check_proof(secret, "host", _said(wish.token, wish.host, wish.request), wish.proof)


def make_welcoming(authority: Authority, wish: Wish, certificate: bytes, controllers: Sequence[str]) -> Welcoming:
    """The answer to a host that may join."""
    said = (certificate.decode(), authority.pem.decode(), list(controllers))
    proof = prove(join_secret(authority, wish.token), "controller", _answered(wish, *said))
    return Welcoming(*said, proof)


def check_welcome(secret: JoinSecret, wish: Wish, key: PrivateKey, answer: Welcoming) -> Papers:
    """The papers of a host that has joined; Distrust unless the answer is that of the token's own controllers."""
    authority = load_certificate(answer.authority.encode())
    if fingerprint(authority) != secret.pin:
        raise Distrust("who answers is not the controller that the token is from: its authority is another")
    said = _answered(wish, answer.certificate, answer.authority, answer.controllers)
    check_proof(secret, "controller", said, answer.proof)
    papers = check_papers(Papers(key, load_certificate(answer.certificate.encode()), authority))
    if papers.identity.host != wish.host:
        raise Distrust(f"the certificate is for {papers.identity.host}, not for {wish.host}")
    return papers


def _said(*words: str) -> list[bytes]:
    return [word.encode() for word in words]


def _answered(wish: Wish, certificate: str, authority: str, controllers: Sequence[str]) -> list[bytes]:
    return _said(wish.proof, certificate, authority, *controllers)
