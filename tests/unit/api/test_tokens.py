"""The file of tokens."""

import pytest

from netplane.api.context import Context, roles
from netplane.api.tokens import parse_tokens

FILE = """
[[token]]
secret = "s1"
project = "blue"

[[token]]
secret = "s2"
project = "ops"
roles = ["admin", "member"]
user = "ann"

[agent]
secret = "a"
"""


def test_callers() -> None:
    tokens = parse_tokens(FILE)
    assert tokens.known("s1") == Context("blue", roles(["member"]), "blue")
    assert tokens.known("s2") == Context("ops", roles(["admin"]), "ann")
    for secret in ("", "a", "S1", "s1 "):
        assert tokens.known(secret) is None


def test_an_empty_file_lets_nobody_in() -> None:
    tokens = parse_tokens("")
    assert tokens.callers == {}


@pytest.mark.parametrize(
    "text",
    [
        "[",
        "[[token]]\nsecret = 1\nproject = 'p'",
        "[[token]]\nproject = 'p'",
        "[[token]]\nsecret = 's'\nproject = 'p'\nrole = 'admin'",
        "[[token]]\nsecret = 's'\nproject = 'p'\nroles = ['king']",
        "[[token]]\nsecret = ''\nproject = 'p'",
        "[[token]]\nsecret = 's'\nproject = 'p'\n[[token]]\nsecret = 's'\nproject = 'q'",
        "[other]",
    ],
)
def test_files_that_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_tokens(text)


def test_what_one_may_see() -> None:
    assert Context("blue", roles(["member"]), "ann").may_see("blue")
    assert not Context("blue", roles(["member"]), "ann").may_see("red")
    assert Context("blue", roles(["admin"]), "ann").may_see("red")
