"""Roles and what they imply."""

import pytest

from netplane.api.context import Context, roles


@pytest.mark.parametrize(
    ("named", "wanted"),
    [
        ([], set()),
        (["reader"], {"reader"}),
        (["member"], {"member", "reader"}),
        (["service", "manager"], {"service", "manager", "member", "reader"}),
        (["admin"], {"admin", "manager", "member", "reader"}),
    ],
)
def test_a_role_brings_along_what_it_implies(named: list[str], wanted: set[str]) -> None:
    assert roles(named) == wanted


def test_administrators_see_every_project() -> None:
    assert Context("blue", roles(["admin"]), "ann").may_see("red")
    assert not Context("blue", roles(["manager"]), "ann").may_see("red")
