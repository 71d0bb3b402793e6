"""The thread that works calls off."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from threading import Event, get_ident

import pytest
from starlette.responses import Response

from netplane.api.worker import LONG, Worker


def test_work_is_done_in_order_on_one_other_thread() -> None:
    done: list[tuple[int, int]] = []

    def work(number: int) -> Response:
        done.append((number, get_ident()))
        return Response(str(number))

    async def scenario() -> list[bytes]:
        worker = Worker("test")
        answers = await asyncio.gather(*(worker.run(partial(work, number)) for number in range(50)))
        return [bytes(answer.body) for answer in answers]

    assert asyncio.run(scenario()) == [str(number).encode() for number in range(50)]
    assert [number for number, _ in done] == list(range(50))
    assert len({thread for _, thread in done} | {get_ident()}) == 2


def test_a_fault_is_its_callers_alone() -> None:
    def fail() -> Response:
        raise KeyError("x")

    async def scenario() -> None:
        worker = Worker("test")
        bad, good = await asyncio.gather(worker.run(fail), worker.run(Response), return_exceptions=True)
        assert isinstance(bad, KeyError)
        assert isinstance(good, Response)

    asyncio.run(scenario())


def test_whoever_has_gone_is_not_told() -> None:
    begun, go_on = Event(), Event()

    def work() -> Response:
        begun.set()
        go_on.wait()
        return Response()

    async def scenario() -> None:
        worker = Worker("test")
        task = asyncio.create_task(worker.run(work))
        await asyncio.to_thread(begun.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go_on.set()
        assert isinstance(await worker.run(Response), Response)

    asyncio.run(scenario())


def test_a_long_call_has_a_batch_to_itself() -> None:
    """Nobody's answer waits for its end, and what comes after it shares nothing with it."""
    done: list[str] = []
    go_on = Event()

    @contextmanager
    def grouping() -> Iterator[None]:
        done.append("(")
        yield
        done.append(")")

    def work(name: str) -> Response:
        go_on.wait()
        done.append(name)
        return Response()

    async def scenario() -> None:
        worker = Worker("test", grouping=grouping)
        sizes = {"a": 10, "b": 10, "C": LONG + 1, "d": 10, "E": LONG + 1}
        tasks = [asyncio.create_task(worker.run(partial(work, name), size)) for name, size in sizes.items()]
        await asyncio.sleep(0)
        go_on.set()
        await asyncio.gather(*tasks)

    asyncio.run(scenario())
    assert "".join(done) in ("(ab)(C)(d)(E)", "(a)(b)(C)(d)(E)")


def test_what_is_not_kept_is_told_to_all_of_a_batch() -> None:
    @contextmanager
    def grouping() -> Iterator[None]:
        yield
        raise KeyError("lost")

    async def scenario() -> None:
        worker = Worker("test", grouping=grouping)
        answers = await asyncio.gather(*(worker.run(Response) for _ in range(5)), return_exceptions=True)
        assert all(isinstance(answer, KeyError) for answer in answers)

    asyncio.run(scenario())
