"""What a guest says on its serial port."""

import pytest

from netplane.lab.guest.shell import parse_answer


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", None),
        ("one\nguest: exit", None),
        ("one\nguest: exit 1", None),
        ("one\ntwo\nguest: exit 12\n", ("one\ntwo\n", "12", "")),
        ("guest: exit 0\nnext", ("", "0", "next")),
        ("no newline at its endguest: exit 0\n", ("no newline at its end", "0", "")),
    ],
)
def test_an_answer_ends_with_its_status(text: str, wanted: tuple[str, str, str] | None) -> None:
    assert parse_answer(text, "guest: exit") == wanted
