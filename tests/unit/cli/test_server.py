"""`netplane server` says in one line what keeps it from starting."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from netplane.cli import main
from netplane.model import HOST_NAMES

TOKENS = '[[token]]\nsecret = "s"\nproject = "p"\n'


@pytest.mark.parametrize(
    ("words", "tokens", "said"),
    [
        ((), '[[token]]\nsecret = "s"\n', "missing required field `project`"),
        ((), "secret = [", "cannot be read: Invalid value"),
        (("--listen", "nonsense"), TOKENS, "'nonsense' is no HOST:PORT"),
        (("--southbound", "nonsense"), TOKENS, "'nonsense' is no HOST:PORT"),
        (("--southbound", "[::]:99999"), TOKENS, "'[::]:99999' is no HOST:PORT"),
        (("--southbound", "192.0.2.1:0"), TOKENS, "agents cannot connect to 192.0.2.1:0"),
        (("--database", "/nowhere/netplane.db"), TOKENS, "/nowhere/netplane.db cannot be opened: unable to open"),
        (("--database", "{directory}/tokens"), TOKENS, "tokens cannot be opened: file is not a database"),
    ],
)
def test_what_is_wrong(tmp_path: Path, words: tuple[str, ...], tokens: str, said: str) -> None:
    (tmp_path / "tokens").write_text(tokens)
    given = [word.format(directory=tmp_path) for word in words]
    defaults = ["--database", f"{tmp_path}/db", "--tokens", f"{tmp_path}/tokens", "--southbound", "127.0.0.1:0"]
    result = CliRunner().invoke(main, ["server", *defaults, *given])
    assert result.exit_code == 1, result.output
    assert result.stderr.splitlines()[-1].startswith("Error: ")
    assert said in result.stderr.splitlines()[-1]


@pytest.mark.parametrize("name", ["../b", "0" * 32])
def test_a_host_is_named_as_one_may_be(name: str) -> None:
    refused = CliRunner().invoke(main, ["join", "http://127.0.0.1:1", "--host", name, "--token", "t"])
    assert refused.exit_code == 2
    assert f"'{name}': a host's name is {HOST_NAMES}" in refused.output
