"""What hosts may be called."""

import pytest

from netplane.model import HOST_NAME

UUID = "f1dab4f2-9a09-4e30-bf34-62bccc3f3769"


@pytest.mark.parametrize(
    "name",
    ["h1", "compute-1.example", "a_b", "7", "0" * 31, "0" * 33, "f" * 16, f"{UUID}.example", f"h-{UUID}", UUID[:-1]],
)
def test_names(name: str) -> None:
    assert HOST_NAME.fullmatch(name)


@pytest.mark.parametrize("name", ["", "-h", "../h", "h\n", "h" * 256, UUID, UUID.upper(), "0" * 32, "aF" * 16])
def test_what_is_none(name: str) -> None:
    assert not HOST_NAME.fullmatch(name)
