import asyncio
from collections.abc import Awaitable, Callable

import pytest

from proactive_agent.providers.api.faults import ApiError
from proactive_agent.providers.api.retry import LONGEST_WAIT, Retry


class Waits:
    """Counts seconds instead of sleeping."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def failing(*faults: Exception) -> Callable[[], Awaitable[str]]:
    """Raises errors in order, then returns a result."""
    left = list(faults)

    async def attempt() -> str:
        if left:
            raise left.pop(0)
        return "done"

    return attempt


def passing(wait: float | None = None) -> ApiError:
    return ApiError("server", "down", wait)


def retried(attempt: Callable[[], Awaitable[str]], tries: int = 6, patience: float = 1000.0,
            first_wait: float = 1.0) -> list[float]:  # fmt: skip
    waits = Waits()
    retry = Retry(tries, first_wait, patience, waits)
    assert asyncio.run(retry(attempt)) == "done"
    return waits.seconds


def test_waits_double_with_jitter() -> None:
    waits = retried(failing(*[passing()] * 5))
    assert len(waits) == 5
    for number, wait in enumerate(waits):
        assert 0.5 * 2**number <= wait <= 2**number


def test_waits_are_bounded() -> None:
    waits = retried(failing(*[passing()] * 5), first_wait=1000.0)
    assert max(waits) <= LONGEST_WAIT


def test_the_servers_own_wait_comes_first() -> None:
    (wait,) = retried(failing(passing(20.0)))
    assert 20.0 <= wait <= 25.0


def test_tries_are_bounded() -> None:
    waits = Waits()
    with pytest.raises(ApiError, match=r"down \(tried 3 times\)"):
        asyncio.run(Retry(3, 1.0, 1000.0, waits)(failing(*[passing()] * 9)))
    assert len(waits.seconds) == 2


def test_patience_is_bounded() -> None:
    waits = Waits()
    with pytest.raises(ApiError, match=r"tried 3 times"):
        asyncio.run(Retry(100, 1.0, 50.0, waits)(failing(*[passing(20.0)] * 9)))
    assert sum(waits.seconds) <= 50.0


def test_a_server_that_never_answered_is_given_up_soon() -> None:
    waits = Waits()
    retry = Retry(7, 1.0, 50.0, waits)
    down = [ApiError("connection", "refused", unreached=True)] * 4
    with pytest.raises(ApiError, match=r"refused \(tried 2 times\)"):
        asyncio.run(retry(failing(*down)))
    assert asyncio.run(retry(failing(passing()))) == "done"
    assert asyncio.run(retry(failing(*down))) == "done", "it answered before, so it may come back"


def test_the_tries_of_a_silent_server_are_warnings(caplog: pytest.LogCaptureFixture) -> None:
    retry = Retry(7, 0.0, 50.0, Waits(), name="openai:x")
    asyncio.run(retry(failing(ApiError("connection", "refused", unreached=True), passing())))
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
        "openai:x: refused; try 2 of 2 in 0 s"
    ]


def test_what_does_not_pass_is_not_tried_again() -> None:
    waits = Waits()
    with pytest.raises(ApiError, match=r"^no$"):
        asyncio.run(Retry(9, 1.0, 50.0, waits)(failing(ApiError("auth", "no"))))
    assert waits.seconds == []


def test_a_fault_of_the_program_is_not_tried_again() -> None:
    waits = Waits()
    with pytest.raises(ZeroDivisionError):
        asyncio.run(Retry(9, 1.0, 50.0, waits)(failing(ZeroDivisionError())))
    assert waits.seconds == []
