"""When what is there is what is wanted."""

from typing import Any

import pytest

from netplane.cli.topology.comparing import covers
from netplane.cli.topology.names import Name


@pytest.mark.parametrize(
    ("found", "wanted", "same"),
    [
        ("a", "a", True),
        ("a", "b", False),
        (80, "80", True),
        (True, True, True),
        (1, True, False),
        (None, None, True),
        ("", None, True),
        ("a", None, False),
        (None, "a", False),
        ("2001:db8::1", "2001:DB8:0::1", True),
        ("10.0.0.0/24", "10.0.0.0/24", True),
        ({"a": 1, "b": 2}, {"a": 1}, True),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        (["a", "b"], ["b", "a"], True),
        (["a", "b"], ["a"], False),
        (["a", "a"], ["a", "b"], False),
        ([{"s": 1, "ip": 2}, {"s": 1, "ip": 3}], [{"s": 1}, {"s": 1, "ip": 2}], True),
        ([], [], True),
        (None, [], False),
        ("x", Name("network", "x"), False),
    ],
)
def test_covers(found: Any, wanted: Any, *, same: bool) -> None:
    assert covers(found, wanted) is same
