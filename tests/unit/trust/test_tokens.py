"""Join tokens: what they look like, and what proves that one has one."""

from datetime import UTC, datetime

import pytest

from netplane.trust.authority import make_authority
from netplane.trust.faults import Distrust
from netplane.trust.tokens import check_proof, join_secret, parse_join_secret, prove

AUTHORITY = make_authority(datetime(2026, 5, 1, tzinfo=UTC))
SECRET = join_secret(AUTHORITY, "0123456789abcdef")


def test_a_token_comes_back_from_its_text_and_from_its_id() -> None:
    assert parse_join_secret(f" {SECRET}\n") == SECRET == join_secret(AUTHORITY, SECRET.id)
    assert SECRET.pin == AUTHORITY.pin
    assert join_secret(AUTHORITY, "f" * 16).secret != SECRET.secret


def test_a_token_does_not_show_its_secret_by_accident() -> None:
    assert SECRET.secret not in repr(SECRET)
    assert SECRET.secret not in repr([SECRET])


@pytest.mark.parametrize("text", ["", "np1", "np2" + str(SECRET)[3:], str(SECRET)[:-1], str(SECRET) + "0", "np1.a.b.c"])
def test_what_is_no_token(text: str) -> None:
    with pytest.raises(Distrust, match="no join token"):
        parse_join_secret(text)


def test_a_proof_holds_for_what_was_said_and_nothing_else() -> None:
    proof = prove(SECRET, "host", [b"h1", b"request"])
    check_proof(SECRET, "host", [b"h1", b"request"], proof)
    for secret, role, parts, said in (
        (SECRET, "host", [b"h2", b"request"], proof),
        (SECRET, "host", [b"h1r", b"equest"], proof),
        (SECRET, "host", [b"h1", b"request", b""], proof),
        (SECRET, "controller", [b"h1", b"request"], proof),
        (join_secret(AUTHORITY, "f" * 16), "host", [b"h1", b"request"], proof),
        (SECRET, "host", [b"h1", b"request"], ""),
        (SECRET, "host", [b"h1", b"request"], "é" * 64),
    ):
        with pytest.raises(Distrust):
            check_proof(secret, role, parts, said)
