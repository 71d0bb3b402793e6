"""Parameters of netplane's own paths."""

import pytest

from netplane.api.errors import ApiError
from netplane.controller.parameters import check_known, parse_number


def test_what_is_known_passes() -> None:
    check_known({"limit": "1"}, ("kind", "limit"))
    check_known({}, ())


def test_the_unknown_are_named_with_the_known() -> None:
    with pytest.raises(ApiError, match=r"there is no filter 'a', 'b'; there are kind, limit") as refusal:
        check_known(["b", "limit", "a"], ("kind", "limit"))
    assert refusal.value.status == 400


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("007", 7), ("1000", 1000)])
def test_a_number(text: str, number: int) -> None:
    assert parse_number("limit", text, 1, 1000) == number


@pytest.mark.parametrize("text", ["", "0", "1001", "-1", "+1", "1.0", " 1", "1_0", "٣", "²", "9" * 5000])
def test_no_number(text: str) -> None:
    with pytest.raises(ApiError, match="'limit' is a number from 1 to 1000, not") as refusal:
        parse_number("limit", text, 1, 1000)
    assert refusal.value.status == 400
