"""Passwords, and those of nobody."""

from netplane.api.identity.login.passwords import COST, NOBODYS, hash_password, is_password


def test_a_password_is_the_one_that_was_hashed() -> None:
    hashed = hash_password("secret")
    assert is_password("secret", hashed)
    assert not is_password("other", hashed)


def test_nobody_has_a_password_and_looking_takes_as_long() -> None:
    """The hash that stands for none costs what a real one does, and is well-formed, or it would be refused at once."""
    real = hash_password("secret", COST)
    assert [len(part) for part in NOBODYS.split("$")] == [len(part) for part in real.split("$")]
    assert NOBODYS.split("$")[:4] == real.split("$")[:4]
    assert not is_password("", "")
