"""What commands print for people."""

import pytest

from netplane.cli.output import print_table


@pytest.mark.parametrize("name", ["web [prod]", "[red]x", "a[/]b", ":smile:"])
def test_names_are_printed_as_they_are(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("name", "mtu"), [(name, 1450)])
    assert capsys.readouterr().out.splitlines()[1] == f"{name}  1450"
