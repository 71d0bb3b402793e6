"""Who makes room when too many have connected."""

import asyncio

from netplane.stream.strangers import Strangers


def test_the_longest_of_the_largest_crowd_makes_room() -> None:
    check("a b b c", 4, "d", gone=[1])
    check("b a a", 3, "a", gone=[1])
    check("a b c", 3, "d", gone=[0])
    check("a b", 3, "b", gone=[])
    check("a b b b", 2, "c", gone=[1, 2, 0])


def check(places: str, most: int, place: str, gone: list[int]) -> None:
    """Those have come in this order; which of them go when there is one more."""

    async def scenario() -> None:
        strangers = Strangers()
        calls = [asyncio.create_task(asyncio.sleep(60)) for _ in [*places.split(), place]]
        for call, each in zip(calls, places.split(), strict=False):
            strangers.add(call, each, len(calls))
        strangers.add(calls[-1], place, most)
        assert {index for index, call in enumerate(calls) if call.cancelling()} == set(gone)
        strangers.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        for call in calls:
            strangers.remove(call)
            strangers.remove(call)

    asyncio.run(scenario())
