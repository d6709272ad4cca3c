import asyncio
import math
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack

import pytest

from proactive_agent.providers.api.pace import HEAD_START, Pace


class Clock:
    """A clock that advances only by `sleep`."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


def paced(
    number: int, use: Callable[[int], Coroutine[object, object, int | None]] | None = None,
    tokens: float = 0.0, **limits: float,
) -> list[float]:  # fmt: skip
    """Start times of concurrent requests."""
    clock = Clock()
    starts: list[float] = []

    async def ask(pace: Pace, index: int) -> None:
        async with pace.slot(tokens) as slot:
            starts.append(clock.now)
            pace.went_well(slot, await use(index) if use else None)

    async def ask_all() -> None:
        pace = Pace(**limits, clock=clock, sleep=clock.sleep)
        await asyncio.gather(*(ask(pace, index) for index in range(number)))

    asyncio.run(ask_all())
    return starts


def test_without_limits_nobody_waits() -> None:
    assert paced(50) == [0.0] * 50


def test_requests_per_minute() -> None:
    assert paced(5, rpm=30) == pytest.approx([0, 2, 4, 6, 8])


def test_tokens_per_minute() -> None:
    assert paced(4, tokens=500, tpm=1000) == pytest.approx([0, 30, 60, 90])


def test_tokens_that_were_not_needed_are_given_back() -> None:
    async def few(_: int) -> int:
        return 100

    assert paced(4, few, tokens=500, tpm=1000) == pytest.approx([0, 6, 12, 18])


def test_tokens_that_nobody_counted_stay_booked() -> None:
    async def unknown(_: int) -> None:
        return None

    assert paced(3, unknown, tokens=500, tpm=1000) == pytest.approx([0, 30, 60])


def test_one_providers_limits_do_not_slow_another() -> None:
    clock = Clock()

    async def ask(pace: Pace) -> float:
        async with pace.slot(0):
            return clock.now

    async def ask_all() -> list[float]:
        slow, free = (Pace(rpm, clock=clock, sleep=clock.sleep) for rpm in (1, None))
        await ask(slow)
        waiting = asyncio.create_task(ask(slow))
        return [await ask(free), await waiting]

    assert asyncio.run(ask_all()) == [0.0, 60.0]


def test_concurrency_is_halved_once_a_burst_and_grows_back_by_one_a_round() -> None:
    async def play() -> list[float]:
        pace = Pace()
        limits = [pace.limit]
        async with AsyncExitStack() as stack:
            for slot in [await stack.enter_async_context(pace.slot(0)) for _ in range(16)]:
                pace.was_too_fast(slot, None)
                limits.append(pace.limit)
        for _ in range(8 + 9):
            async with pace.slot(0) as slot:
                pace.went_well(slot, None)
        limits.append(pace.limit)
        return limits

    assert asyncio.run(play()) == [math.inf] + [8] * 16 + [10]


def test_no_more_are_in_flight_than_the_limit_says() -> None:
    most = 0

    async def ask(pace: Pace) -> None:
        nonlocal most
        async with pace.slot(0):
            most = max(most, pace.in_flight)
            for _ in range(10 * HEAD_START):
                await asyncio.sleep(0)

    async def play() -> None:
        pace = Pace()
        pace.limit = 3
        await asyncio.gather(*(ask(pace) for _ in range(20)))

    asyncio.run(play())
    assert most == 3


def test_runs_share_a_pace_and_add_their_limits() -> None:
    async def play() -> list[int]:
        pace, most = Pace(), [0]

        async def ask() -> None:
            async with pace.slot(0):
                most[-1] = max(most[-1], pace.in_flight)
                for _ in range(100 * HEAD_START):
                    await asyncio.sleep(0)

        async def ask_all() -> None:
            most.append(0)
            await asyncio.gather(*(ask() for _ in range(20)))

        with pace.at_most(4) as episodes:
            assert episodes == 6
            await ask_all()
            with pace.at_most(1) as episodes:
                assert episodes == 1
                await ask_all()
            await ask_all()
        await ask_all()
        return most[1:]

    assert asyncio.run(play()) == [4, 5, 4, 20]


def test_the_limit_never_falls_below_one() -> None:
    async def play() -> float:
        pace = Pace()
        for _ in range(3):
            async with pace.slot(0) as slot:
                pace.was_too_fast(slot, None)
        return pace.limit

    assert asyncio.run(play()) == 1


def test_a_wait_that_the_api_asks_for_holds_everyone() -> None:
    clock = Clock()

    async def play() -> float:
        pace = Pace(clock=clock, sleep=clock.sleep)
        async with pace.slot(0) as slot:
            pace.was_too_fast(slot, 7.0)
        async with pace.slot(0):
            return clock.now

    assert asyncio.run(play()) == 7.0


def test_one_who_gives_up_waiting_leaves_no_trace() -> None:
    async def play() -> int:
        pace = Pace()
        pace.limit = 1
        async with pace.slot(0):
            impatient = asyncio.create_task(pace.slot(0).__aenter__())
            await asyncio.sleep(0)
            impatient.cancel()
            await asyncio.gather(impatient, return_exceptions=True)
        async with asyncio.timeout(5), pace.slot(0):
            return pace.in_flight

    assert asyncio.run(play()) == 1
