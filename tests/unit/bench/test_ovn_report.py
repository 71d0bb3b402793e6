"""Figures of two systems side by side."""

from bench.cloud import Shape, build
from bench.ovn.report import Both, Row, burst_rows, change_rows, cold_rows, memory_rows, percentile, restart_rows
from bench.ovn.series import Burst, Changed, Restarted, sorts, turn, used_since
from bench.ovn.standing import Cold, Realised, Spent


def figures(rows: list[Row]) -> dict[str, Both]:
    return {row.what: row.both for row in rows}


def test_a_ratio_says_how_many_times_as_much_theirs_is() -> None:
    assert Row("x", "s", Both(2.0, 8.0), "").ratio == 4
    assert Row("x", "s", Both(0.0, 8.0), "").ratio == float("inf")


def test_of_few_values_the_99th_percentile_is_the_largest() -> None:
    assert percentile([3, 1, 2], 99) == 3
    assert percentile(range(200), 99) == 198
    assert percentile(range(200), 50) == 100


def test_cold_starts_are_medians_of_what_all_processes_used() -> None:
    def cold(seconds: float) -> Cold:
        return Cold(seconds, {"central: a": Spent(seconds, 1), "h1: b": Spent(1, 1)}, {"h1": 10, "h2": 20})

    found = figures(list(cold_rows([cold(1), cold(9), cold(2)], [cold(4)])))
    assert found["cold start"] == Both(2, 4)
    assert found["cold start, all processes"] == Both(3, 5)
    assert found["entries, flows of a host"] == Both(15, 15)


def test_memory_is_that_of_central_processes_and_the_mean_of_hosts() -> None:
    ours = {"central: a": Spent(0, 10), "h1: a": Spent(0, 4), "h1: tables": Spent(0, 2), "h2: a": Spent(0, 2)}
    theirs = {"central: a": Spent(0, 10), "central: b": Spent(0, 20), "h1: a": Spent(0, 40)}
    found = figures(list(memory_rows(ours, theirs)))
    assert found == {"memory, central processes": Both(10, 30), "memory, a host": Both(4, 40)}


def test_changes_of_ports_are_told_of_their_host_and_of_all() -> None:
    ours, theirs = Changed([Realised(1, 2), Realised(3, 4)], 0.001), Changed([Realised(10, 20)], 0.1)
    assert figures(list(change_rows("port added", ours, theirs))) == {
        "port added, its host: p50": Both(2, 10),
        "port added, its host: p99": Both(3, 10),
        "port added, all hosts: p50": Both(3, 20),
        "port added, all hosts: p99": Both(4, 20),
        "port added, all processes": Both(1, 100),
    }
    assert not [name for name in figures(list(change_rows("rule added", ours, theirs))) if "its host" in name]


def test_a_burst_is_told_as_a_whole_and_by_port() -> None:
    found = figures(list(burst_rows(Burst(10, 2, 1), Burst(10, 4, 5))))
    assert found == {
        "10 ports at once, all hosts": Both(2, 4),
        "10 ports at once, all processes, a port": Both(100, 500),
    }


def test_restarts_are_medians() -> None:
    found = figures(list(restart_rows([Restarted(1, 2)], [Restarted(3, 4), Restarted(5, 6)])))
    assert found == {"agent restart": Both(1, 4), "agent restart, all processes": Both(2, 5)}


def test_a_process_that_was_started_again_has_used_all_that_it_says() -> None:
    before = {"a": Spent(5, 0), "b": Spent(7, 0)}
    assert used_since(before, {"a": Spent(6, 0), "b": Spent(2, 0), "c": Spent(1, 0)}) == 1 + 2 + 1


def test_each_is_first_in_turn() -> None:
    assert [list(turn("ab", number)) for number in range(3)] == [["a", "b"], ["b", "a"], ["a", "b"]]


def test_the_same_changes_are_drawn_each_time_and_of_every_sort_as_many() -> None:
    cloud = build(Shape(10, 60, 4))
    found = sorts(cloud, cloud.hosts[:2], 5)
    assert {len(changes) for changes in found.values()} == {5}
    assert sum(what.startswith("port") for what in found) == 3
