"""The rules of a session, from both ends, without a network."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netplane.base.problem import Problem
from netplane.model import Host
from netplane.stream.codec import decode_down, decode_up, encode
from netplane.stream.faults import LocalFault, RemoteFault
from netplane.stream.messages import (
    Ack,
    Answer,
    Ask,
    Claim,
    Controllers,
    Delta,
    Down,
    Hello,
    Release,
    Snapshot,
    Trouble,
    Up,
    Welcome,
)
from netplane.stream.session import AgentSession, ControllerSession, State

HELLO = Hello("h1", "192.0.2.1")
BACK = Hello("h1", "192.0.2.1", "log", 5)
WELCOME = Welcome(1, "log")
H1 = Host(id="h1", number=1, address="192.0.2.1")


def part(revision: int, *, first: bool = True, last: bool = True) -> Snapshot:
    return Snapshot(revision, first, last, [H1])


def delta(revision: int) -> Delta:
    return Delta(revision, [H1], [("port", "p1")])


def check(*messages: Up | Down) -> tuple[AgentSession, ControllerSession]:
    """Both ends take this conversation, and agree on it."""
    agent, controller = AgentSession(), ControllerSession()
    for message in messages:
        if isinstance(message, Up):
            assert controller.receive(agent.send(message)) == message
        else:
            assert agent.receive(controller.send(message)) == message
        assert (agent.state, agent.revision, agent.log) == (controller.state, controller.revision, controller.log)
    return agent, controller


def refuse(history: list[Up | Down], message: Up | Down) -> None:
    """After this history neither end says the message, and neither takes it."""
    agent, controller = check(*history)
    says, hears = (agent, controller) if isinstance(message, Up) else (controller, agent)
    with pytest.raises(LocalFault):
        says.send(message)  # type: ignore[arg-type]
    with pytest.raises(RemoteFault):
        hears.receive(encode(message))


def test_a_first_session() -> None:
    agent, _ = check(
        HELLO,
        WELCOME,
        Claim(["p1"]),
        part(3, last=False),
        Ask(1, "tables", {}),
        Controllers(("unix:///s", "one:9697")),
        part(3, first=False, last=False),
        part(3, first=False),
        Ack(3),
        delta(4),
        Answer(1, {"table": ["entry"]}),
        Trouble([Problem("port", "p1", "is broken")]),
        Release(["p1"]),
        part(9),
        delta(9),
    )
    assert (agent.state, agent.revision) == (State.LIVE, 9)


def test_an_agent_that_comes_back_resumes() -> None:
    agent, _ = check(BACK, WELCOME, Ack(5), delta(7))
    assert agent.revision == 7


def test_an_agent_that_comes_back_may_get_everything_anew_even_of_an_older_revision() -> None:
    agent, _ = check(BACK, WELCOME, Ack(5), part(4, last=False), Ack(5), part(4, first=False), Ack(4), delta(6))
    assert agent.revision == 6


def test_within_a_snapshot_a_slice_is_complete_up_to_nothing() -> None:
    agent, _ = check(HELLO, WELCOME, part(3), part(4, last=False))
    assert agent.revision == 0


GREETED: list[Up | Down] = [HELLO, WELCOME]
LIVE: list[Up | Down] = [*GREETED, part(3)]


@pytest.mark.parametrize(
    ("history", "message"),
    [
        ([], Ack(1)),
        ([], WELCOME),
        ([], Hello("", "192.0.2.1")),
        ([], Hello("../b", "192.0.2.1")),
        ([], Hello("h" * 256, "192.0.2.1")),
        ([], Hello("h\n", "192.0.2.1")),
        ([], Hello("f1dab4f2-9a09-4e30-bf34-62bccc3f3769", "192.0.2.1")),
        ([], Hello("F" * 32, "192.0.2.1")),
        ([], Hello("h1", "")),
        ([], Hello("h1", "192.0.2.1", "log", -1)),
        ([HELLO], HELLO),
        ([HELLO], Claim(["p1"])),
        ([HELLO], part(1)),
        (GREETED, HELLO),
        (GREETED, WELCOME),
        (GREETED, delta(1)),
        (GREETED, part(1, first=False)),
        (GREETED, Ack(-1)),
        ([BACK, Welcome(1, "another log")], delta(6)),
        ([BACK, WELCOME], delta(4)),
        ([*GREETED, part(3, last=False)], delta(4)),
        ([*GREETED, part(3, last=False)], part(3)),
        (LIVE, part(4, first=False)),
        (LIVE, delta(2)),
        (LIVE, part(2)),
    ],
)
def test_what_breaks_the_rules_is_neither_said_nor_taken(history: list[Up | Down], message: Up | Down) -> None:
    refuse(history, message)


def test_an_agent_is_open_from_its_welcome_on() -> None:
    agent, _ = check(HELLO)
    assert not agent.is_open
    agent, _ = check(*GREETED)
    assert agent.is_open


TEXT = st.text(max_size=3)
NUMBER = st.integers(-1, 9)
UP: st.SearchStrategy[Up] = st.one_of(
    st.builds(Hello, TEXT, st.sampled_from(["192.0.2.1", "x"]), TEXT, NUMBER),
    st.builds(Ack, NUMBER),
    st.builds(Claim, st.lists(TEXT, max_size=2)),
    st.builds(Release, st.lists(TEXT, max_size=2)),
    st.builds(Trouble, st.lists(st.builds(Problem, TEXT, TEXT, TEXT), max_size=2)),
    st.builds(Answer, NUMBER, st.dictionaries(TEXT, TEXT, max_size=2), TEXT),
)
DOWN: st.SearchStrategy[Down] = st.one_of(
    st.builds(Welcome, NUMBER, TEXT),
    st.builds(Snapshot, NUMBER, st.booleans(), st.booleans(), st.just([H1])),
    st.builds(Delta, NUMBER, st.just([H1]), st.lists(st.tuples(TEXT, TEXT), max_size=2)),
    st.builds(Ask, NUMBER, TEXT, st.dictionaries(TEXT, TEXT, max_size=2)),
    st.builds(Controllers, st.lists(TEXT, max_size=3).map(tuple)),
)


@given(st.one_of(UP, DOWN))
def test_messages_survive_their_encoding(message: Up | Down) -> None:
    decode = decode_up if isinstance(message, Up) else decode_down
    assert decode(encode(message)) == message


@given(st.lists(st.one_of(st.binary(max_size=40), UP.map(encode), DOWN.map(encode)), max_size=8))
def test_whatever_arrives_only_remote_faults_are_raised(frames: list[bytes]) -> None:
    for session in (AgentSession(), ControllerSession(), check(HELLO, WELCOME)[0], check(HELLO, WELCOME)[1]):
        for frame in frames:
            try:
                session.receive(frame)
            except RemoteFault:
                break


@given(st.lists(st.one_of(UP, DOWN), max_size=12))
def test_both_ends_agree_on_every_conversation(messages: list[Up | Down]) -> None:
    agent, controller = AgentSession(), ControllerSession()
    for message in messages:
        says, hears = (agent, controller) if isinstance(message, Up) else (controller, agent)
        try:
            frame = says.send(message)  # type: ignore[arg-type]
        except LocalFault:
            with pytest.raises(RemoteFault):
                hears.receive(encode(message))
            return
        assert hears.receive(frame) == message
        assert (agent.state, agent.revision) == (controller.state, controller.revision)
