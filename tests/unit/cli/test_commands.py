"""The command line against a controller that answers from a table, over real HTTP."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from ruamel.yaml import YAML

from netplane import __version__
from netplane.cli import COMMANDS, main
from tests.answering import served

TOKEN = "secret"
PORT = "5b0f2a5e-7b1c-4a53-9a3f-0d9f1c0f8a11"
STATUS = {
    "version": "0.1.0",
    "log": "x",
    "revision": 7,
    "hosts": [
        {
            "name": "h1",
            "number": 1,
            "address": "198.18.1.2",
            "alive": True,
            "revision": 7,
            "behind_since": None,
            "ports": 2,
        },
        {
            "name": "h2",
            "number": 2,
            "address": "198.18.2.2",
            "alive": False,
            "revision": 5,
            "behind_since": "2026-01-02T03:04:05.678901Z",
            "ports": 0,
        },
    ],
    "problems": [{"host": "h1", "kind": "port", "id": PORT, "text": "has no device"}],
    "controllers": ["http://192.0.2.1:9696", "http://192.0.2.2:9696"],
}
TRACE = {
    "verdict": "DROP",
    "reason": "POLICY_IN",
    "steps": [{"stage": "PORT", "text": "device 4"}, {"stage": "POLICY_IN", "text": "no rule allows it"}],
    "host": "h1",
    "then": None,
}
DROP = {
    "time": "2026-01-02T03:04:05.678901Z",
    "port_id": PORT,
    "project_id": "blue",
    "direction": "ingress",
    "event": "DROP",
    "protocol": "tcp",
    "source": "10.0.0.5",
    "destination": "10.0.0.6",
    "source_port": 40000,
    "destination_port": 22,
    "icmp_type": None,
    "icmp_code": None,
    "security_groups": ["g1"],
    "rule_id": None,
    "reason": "POLICY_IN",
    "text": "no security group rule of the receiver allows it",
    "unlogged": 3,
}
PING = DROP | {"protocol": "icmp", "source_port": None, "destination_port": None, "icmp_type": 8, "icmp_code": 0}
WALLED = PING | {"reason": "FIREWALL", "text": "a firewall refuses it"}
WALL = {"text": "", "closest": [], "firewall": {"text": "rule r2 of policy p of firewall group f denies it"}}
LET_IN = PING | {"event": "ACCEPT", "rule_id": "r1", "reason": None, "text": "", "unlogged": 0}
NEAR = {"rule_id": "r1", "security_group_id": "g1", "misses": ["it is for port 80, not port 22"]}
WHY = {"text": "", "closest": [NEAR]}
DECISIONS = "/netplane/v1/decisions"
CROSSING = TRACE | {"verdict": "TUNNEL", "reason": "", "then": TRACE | {"host": "h2"}}
ANSWERS: dict[tuple[str, str], tuple[int, object]] = {
    ("GET", "/netplane/v1/status"): (200, STATUS),
    ("GET", "/netplane/v1/hosts/h1/tables"): (200, {"host": ["1 -> 198.18.1.2"], "port": []}),
    ("POST", "/netplane/v1/trace"): (200, TRACE),
    ("POST", "/crossing/netplane/v1/trace"): (200, CROSSING),
    ("GET", "/v2.0/ports?fields=id&name=web"): (200, {"ports": [{"id": PORT}]}),
    ("GET", "/v2.0/ports?fields=id&name=twin"): (200, {"ports": [{"id": PORT}, {"id": "other"}]}),
    ("GET", f"{DECISIONS}?limit=20"): (200, {"decisions": [DROP, LET_IN], "last": 9}),
    ("GET", f"{DECISIONS}?port={PORT}&event=DROP&limit=5"): (200, {"decisions": [], "last": 0}),
    ("GET", f"{DECISIONS}?port={PORT}&event=DROP&explain=true&limit=1000"): (
        200,
        {"decisions": [DROP | {"why": WHY}, PING | {"why": WHY}, DROP | {"why": WHY}], "last": 9},
    ),
    ("GET", f"/quiet{DECISIONS}?port={PORT}&event=DROP&explain=true&limit=1000"): (200, {"decisions": [], "last": 0}),
    ("GET", f"/walled{DECISIONS}?port={PORT}&event=DROP&explain=true&limit=1000"): (
        200,
        {"decisions": [WALLED | {"why": WALL}], "last": 9},
    ),
    ("GET", "/quiet/v2.0/log/logs?enabled=true"): (200, {"logs": []}),
    ("POST", "/quiet/v2.0/log/logs"): (201, {"log": {"id": "l1"}}),
    ("DELETE", "/quiet/v2.0/log/logs/l1"): (204, None),
    ("GET", "/other/netplane/v1/status"): (200, ["a list"]),
}


class Answering(BaseHTTPRequestHandler):
    """Answers from the table; 401 without the token, a Neutron-shaped 404 for all else."""

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def _answer(self) -> None:
        missing = {"NeutronError": {"type": "NotFound", "message": f"{self.path} is not here", "detail": ""}}
        status, body = ANSWERS.get((self.command, self.path), (404, missing))
        if self.headers["X-Auth-Token"] != TOKEN:
            status, body = 401, {"error": {"message": "who are you?"}}
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with served(Answering) as address:
        yield address


def run(url: str, *words: str, token: str = TOKEN) -> Result:
    return CliRunner().invoke(main, words, env={"NETPLANE_URL": url, "NETPLANE_TOKEN": token, "COLUMNS": "200"})


def test_status(url: str) -> None:
    result = run(url, "status")
    assert result.exit_code == 0
    lines = [line.split() for line in result.output.splitlines()]
    assert lines[2:5] == [["controllers"], ["http://192.0.2.1:9696"], ["http://192.0.2.2:9696"]]
    assert lines[7] == ["h1", "1", "198.18.1.2", "yes", "7", "no", "2"]
    assert lines[8] == ["h2", "2", "198.18.2.2", "no", "5", "since", "2026-01-02T03:04:05Z", "0"]
    assert f"port {PORT} on h1: has no device" in result.output
    assert json.loads(run(url, "status", "-o", "json").output) == STATUS
    assert YAML(typ="safe").load(run(url, "status", "-o", "yaml").output) == STATUS


def test_status_without_hosts(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ANSWERS, ("GET", "/netplane/v1/status"), (200, STATUS | {"hosts": []}))
    assert "no host has joined: run `netplane join` on one" in run(url, "status").output


def test_trace(url: str) -> None:
    result = run(url, "trace", PORT, "tcp", "dst=10.0.1.7", "dport=80")
    assert result.exit_code == 0
    assert "no rule allows it" in result.output
    assert result.output.splitlines()[-1] == "DROP (POLICY_IN) on host h1"
    assert json.loads(run(url, "trace", PORT, "-o", "json", "icmp").output) == TRACE


def test_a_trace_that_crosses_shows_both_hosts(url: str) -> None:
    lines = run(f"{url}/crossing", "trace", PORT, "icmp", "dst=10.0.1.7").output.splitlines()
    assert [line for line in lines if " on host " in line] == ["TUNNEL on host h1", "DROP (POLICY_IN) on host h2"]


def test_a_port_is_named_by_its_name_too(url: str) -> None:
    assert run(url, "trace", "web", "icmp", "dst=10.0.1.7").exit_code == 0
    assert "2 ports have the name 'twin'" in run(url, "trace", "twin", "icmp", "dst=10.0.1.7").output


def test_log(url: str) -> None:
    lines = run(url, "log").output.splitlines()
    assert lines[1].split() == [
        *("2026-01-02T03:04:05.678Z", PORT, "ingress", "DROP", "tcp", "10.0.0.5:40000", ">", "10.0.0.6:22"),
        *[
            "no",
            "security",
            "group",
            "rule",
            "of",
            "the",
            "receiver",
            "allows",
            "it",
            "(3",
            "more",
            "were",
            "only",
            "counted)",
        ],
    ]
    assert lines[2].endswith("icmp type 8 code 0 10.0.0.5 > 10.0.0.6  rule r1")
    assert json.loads(run(url, "log", "-o", "json").output) == [DROP, LET_IN]
    assert "Is there a log resource?" in run(url, "log", "--port", PORT, "--drops", "-n", "5").output


def test_why(url: str) -> None:
    assert run(url, "why", PORT).output == (
        "2026-01-02T03:04:05Z  tcp 10.0.0.5:40000 > 10.0.0.6:22, ingress, dropped, 2 times\n"
        "  why      no security group rule of the receiver allows it\n"
        "  groups   g1\n"
        "  closest  rule r1 of group g1: it is for port 80, not port 22\n\n"
        "2026-01-02T03:04:05Z  icmp type 8 code 0 10.0.0.5 > 10.0.0.6, ingress, dropped\n"
        "  why      no security group rule of the receiver allows it\n"
        "  groups   g1\n"
        "  closest  rule r1 of group g1: it is for port 80, not port 22\n"
    )
    assert [flow["times"] for flow in json.loads(run(url, "why", PORT, "-o", "json").output)] == [2, 1]


def test_why_of_a_firewall(url: str) -> None:
    assert run(f"{url}/walled", "why", PORT).output == (
        "2026-01-02T03:04:05Z  icmp type 8 code 0 10.0.0.5 > 10.0.0.6, ingress, dropped\n"
        "  why      a firewall refuses it\n"
        "  firewall rule r2 of policy p of firewall group f denies it\n"
    )


def test_why_nothing_is_known(url: str) -> None:
    output = run(f"{url}/quiet", "why", PORT).output
    assert output == (
        f"Nobody logs the drops of this port. Try `netplane why {PORT} --watch 30` and let the machine try again.\n"
    )


def test_why_nothing_was_dropped_while_watching(url: str) -> None:
    output = run(f"{url}/quiet", "why", PORT, "--watch", "1").output
    assert "No IP packet of this port was dropped meanwhile." in output
    assert "Nobody logs" not in output


def test_tables(url: str) -> None:
    assert run(url, "tables", "h1").output == "host (1)\n  1 -> 198.18.1.2\nport (0)\n"
    assert run(url, "tables", "h1", "port").output == "port (0)\n"
    assert json.loads(run(url, "tables", "h1", "-o", "json").output)["port"] == []


@pytest.mark.parametrize(
    ("words", "token", "said"),
    [
        (("tables", "h1", "nonsense"), TOKEN, "there is no table 'nonsense'; there are host, port"),
        (("tables", "h9"), TOKEN, "/netplane/v1/hosts/h9/tables is not here (404)"),
        (("status",), "wrong", "the token was refused (401). Set NETPLANE_TOKEN"),
    ],
)
def test_refusals_are_one_line(url: str, words: tuple[str, ...], token: str, said: str) -> None:
    result = run(url, *words, token=token)
    assert result.exit_code == 1
    assert result.output.startswith(f"Error: {said}")
    assert result.output.count("\n") == 1


def test_no_controller() -> None:
    result = run("http://127.0.0.1:1", "status")
    assert result.exit_code == 1
    assert "connection refused" in result.output
    assert "NETPLANE_URL" in result.output


def test_certificates_that_are_not_there(url: str) -> None:
    result = run(url, "status", "--cacert", "nowhere.pem")
    assert (result.exit_code, "File 'nowhere.pem' does not exist." in result.output) == (2, True)


def test_what_answers_is_not_netplane(url: str) -> None:
    assert "is not netplane" in run(f"{url}/other", "status").output


def test_version() -> None:
    assert CliRunner().invoke(main, ["version"]).output == f"{__version__}\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0
    assert f"{name} [OPTIONS]" in result.output


def test_an_underlay_address_is_checked_first() -> None:
    words = ["agent", "--address", "nowhere", "--controller", "unix:///nobody"]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert "'nowhere' is no IPv4 address" in result.output


@pytest.mark.parametrize(
    ("controller", "said"),
    [
        ("http://192.0.2.1:9696", "is where clients connect"),
        ("192.0.2.1", "neither host:port nor unix:///path"),
        ("controller.example", "neither host:port nor unix:///path"),
        ("fd00::1", "neither host:port nor unix:///path"),
    ],
)
def test_where_a_controller_cannot_be(controller: str, said: str) -> None:
    words = ["agent", "--address", "192.0.2.1", "--controller", controller]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert said in " ".join(result.output.split())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("sttus",), "No such command 'sttus'. Did you mean 'status'?"),
        (("host", "lst"), "No such command 'lst'. Did you mean 'list'?"),
        (("nonsense",), "No such command 'nonsense'."),
    ],
)
def test_an_unknown_command(words: tuple[str, ...], said: str) -> None:
    result = CliRunner().invoke(main, words)
    assert (result.exit_code, result.output.splitlines()[-1]) == (2, f"Error: {said}")


@pytest.mark.parametrize("words", [("db", "current"), ("backup", "file")])
def test_looking_at_a_database_makes_none(words: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "netplane.db"
    result = CliRunner().invoke(main, [*words, "--database", str(path)])
    assert (result.exit_code, result.output) == (1, f"Error: there is no database {path}\n")
    assert not path.exists()


def test_a_server_must_know_where_things_are(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["server"], env={"NETPLANE_STATE": None})
    assert (result.exit_code, "--state DIRECTORY, or --database and --tokens" in result.output) == (2, True)
    (tmp_path / "file").touch()
    result = CliRunner().invoke(main, ["server", "--state", str(tmp_path / "file" / "state")])
    assert (result.exit_code, result.output.count("\n")) == (1, 1)
    assert "nothing can be kept in" in result.output


def test_what_every_command_does_fits_a_line() -> None:
    """In the list of a narrow window."""
    listed = CliRunner().invoke(main, ["--help"], terminal_width=80).output
    assert "status" in listed
    assert "..." not in listed.replace("[ARGS]...", "")
