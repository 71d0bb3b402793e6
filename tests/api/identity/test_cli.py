"""`netplane project|user|role|token` against a server."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from netplane.cli import main
from tests.api.identity.cloud import PASSWORD, Cloud
from tests.api.identity.serving import serving


class Shell:
    """Commands in the name of the token `admin` of the server's file, or of another."""

    def __init__(self, url: str) -> None:
        self.url = url

    def try_to_run(self, *words: str, typed: str = "", token: str = "admin") -> Result:
        environment = {"NETPLANE_URL": self.url, "NETPLANE_TOKEN": token, "OS_USERNAME": "", "OS_PROJECT_NAME": ""}
        return CliRunner().invoke(main, [*words], input=typed, env=environment)

    def run(self, *words: str, typed: str = "", token: str = "admin") -> str:
        done = self.try_to_run(*words, typed=typed, token=token)
        assert done.exit_code == 0, done.output
        return done.output


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    cloud = Cloud(tmp_path_factory.mktemp("identity"))
    with serving(cloud.app) as url:
        yield Shell(url)
    cloud.store.close()


def test_a_life(shell: Shell) -> None:
    project = shell.run("project", "create", "blue", "--description", "sky").strip()
    assert json.loads(shell.run("project", "show", "blue", "-o", "json"))["id"] == project
    assert "description: " in shell.run("project", "show", "blue")
    assert f"id: {project}" in shell.run("project", "show", "blue", "-o", "yaml")
    assert "sky" in shell.run("project", "list")
    made = shell.run("user", "create", "ann", "--project", "blue", typed="word\nword\n")
    assert "word" not in made.replace("Password", "")
    user = json.loads(shell.run("user", "show", "ann", "-o", "json"))["id"]
    assert made.splitlines()[-1] == user
    words = ("token", "issue", "--user", "ann", "--project", "blue", "--password-stdin")
    token = shell.run(*words, typed="word\n").strip()
    assert json.loads(shell.run("project", "list", "-o", "json", token=token))[0]["name"] == "blue"
    assert "project blue" in shell.run("role", "list")
    shell.run("role", "revoke", "member", "ann", "--project", "blue")
    assert "project blue" not in shell.run("role", "list")
    assert shell.try_to_run("project", "list", token=token).exit_code == 1
    shell.run("role", "grant", "reader", "ann", "--system")
    assert "system" in shell.run("role", "list")
    whole = shell.run("token", "issue", "--user", "ann", "--system", "--password-stdin", "-o", "json", typed="word\n")
    assert json.loads(whole)["system"] == {"all": True}
    shell.run("user", "password", "ann", "--password-stdin", typed="other\n")
    assert shell.try_to_run("user", "list", token=json.loads(whole)["id"]).exit_code == 1
    shell.run("user", "delete", "ann")
    shell.run("project", "delete", project)
    assert "blue" not in shell.run("project", "list")


def test_a_login_that_is_refused_says_so(shell: Shell) -> None:
    words = ("token", "issue", "--user", "admin", "--password-stdin")
    refused = shell.try_to_run(*words, typed="guess\n")
    assert (refused.exit_code, "Error: the login was refused (401)" in refused.output) == (1, True)
    assert shell.run("user", "list").splitlines()[1].split()[1:] == ["admin", "yes"]


def test_tokens_end(shell: Shell) -> None:
    words = ("token", "issue", "--user", "admin", "--password-stdin")
    token, other = (shell.run(*words, typed=f"{PASSWORD}\n").strip() for _ in range(2))
    shell.run("token", "revoke", typed=f"{token}\n")
    assert shell.try_to_run("user", "list", token=token).exit_code == 1
    assert shell.run("token", "rotate").startswith("tokens are signed with key ")
    assert "admin" in shell.run("user", "list", token=other)
    shell.run("token", "rotate", "--revoke")
    assert shell.try_to_run("user", "list", token=other).exit_code == 1


@pytest.mark.parametrize(
    ("words", "typed", "said"),
    [
        (("project", "create", ""), "", "project/name"),
        (("project", "create", "admin"), "", "admin"),
        (("project", "show", "nothing"), "", "there is no project nothing"),
        (("user", "delete", "nobody"), "", "there is no user nobody"),
        (("user", "create", "x", "--project", "nothing"), "", "there is no project nothing"),
        (("user", "create", "x", "--password-stdin"), "", "standard input has no password"),
        (("user", "create", "x"), "one\ntwo\n", "do not match"),
        (("role", "grant", "king", "admin", "--system"), "", "there is no role king"),
        (("role", "grant", "member", "admin"), "", "either --project or --system"),
        (("token", "issue", "--user", "admin", "--password-stdin"), "wrong\n", "401"),
        (("token", "revoke"), "wrong\n", "404"),
    ],
)
def test_what_goes_wrong(shell: Shell, words: tuple[str, ...], typed: str, said: str) -> None:
    done = shell.try_to_run(*words, typed=typed)
    assert done.exit_code != 0
    assert said in done.output


def test_passwords_are_no_words_of_a_command(shell: Shell, tmp_path: Path) -> None:
    for command in ("create", "password"):
        assert "--password " not in shell.run("user", command, "--help")
