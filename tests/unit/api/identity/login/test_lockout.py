"""Waiting after failures."""

import pytest

from netplane.api.identity.login.lockout import MOST, USER, Lockout


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def fail(lockout: Lockout, times: int, user: str = "ann", address: str = "a") -> None:
    for _ in range(times):
        assert lockout.attempt(user, address) == 0.0


def test_waits_double_up_to_a_limit(clock: Clock) -> None:
    lockout = Lockout(clock)
    fail(lockout, USER.free)
    waits = []
    for number in range(12):
        waits.append(lockout.attempt("ann", f"address {number}"))
        clock.now += waits[-1]
        fail(lockout, 1, address=f"address {number}")
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]


def test_what_comes_too_early_is_no_attempt(clock: Clock) -> None:
    lockout = Lockout(clock)
    fail(lockout, USER.free)
    assert [lockout.attempt("ann", "a") for _ in range(9)] == [1.0] * 9
    clock.now += 0.5
    assert lockout.attempt("ann", "a") == 0.5


def test_a_success_forgets_the_user_but_not_the_address(clock: Clock) -> None:
    lockout = Lockout(clock)
    for _ in range(29):
        fail(lockout, 1, user="victim")
        clock.now += 300
        fail(lockout, 1, user="mine")
        lockout.succeeded("mine", "a")
    fail(lockout, 1, user="other")
    assert lockout.attempt("mine", "a") > 0


def test_time_forgets(clock: Clock) -> None:
    lockout = Lockout(clock)
    fail(lockout, USER.free)
    clock.now += USER.forgotten_after + 1
    fail(lockout, USER.free)
    assert lockout.attempt("ann", "a") == 1.0


def test_memory_is_bounded(clock: Clock) -> None:
    lockout = Lockout(clock)
    for number in range(MOST):
        lockout.attempt(f"user {number}", f"address {number}")
    assert len(lockout._failures) == MOST
