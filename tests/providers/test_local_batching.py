"""Batching of waiting requests, without a model."""

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError, Future

import pytest

from proactive_agent.providers.local import batching
from proactive_agent.providers.local.batching import Batcher

LONG = 5.0
"""Seconds after which a test considers the batcher to hang."""


class Work:
    """Records its batches; the batches wait until `gate` is open."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.started = threading.Event()

    def __call__(self, items: Sequence[str]) -> list[str | Exception]:
        self.batches.append(list(items))
        self.started.set()
        self.gate.wait(LONG)
        return [ValueError(item) if item == "bad" else item.upper() for item in items]


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def batcher(work: Work) -> Iterator[Batcher[str, str]]:
    made = Batcher[str, str](work, size=4, group=str.isdigit, length=len)
    yield made
    work.gate.set()
    made.close()


def busy(batcher: Batcher[str, str], work: Work) -> "Future[str]":
    """Keeps the batcher busy, so that later items wait."""
    work.gate.clear()
    future = batcher.submit("busy")
    assert work.started.wait(LONG)
    return future


def test_fewer_requests_than_a_batch_do_not_wait_for_more(batcher: Batcher[str, str]) -> None:
    futures = [batcher.submit(item) for item in ("a", "b", "c")]
    assert [future.result(LONG) for future in futures] == ["A", "B", "C"]


def test_a_full_batch_starts_at_once(
    batcher: Batcher[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batching, "LINGER", 60.0)
    futures = [batcher.submit(item) for item in "abcd"]
    assert [future.result(LONG) for future in futures] == ["A", "B", "C", "D"]


def test_an_announced_request_is_waited_for(
    batcher: Batcher[str, str], work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batching, "PATIENCE", LONG)
    with batcher.announced():
        futures = [batcher.submit("a")]
        time.sleep(10 * batching.LINGER)
        futures.append(batcher.submit("b"))
    assert [future.result(LONG) for future in futures] == ["A", "B"]
    assert work.batches == [["a", "b"]]


def test_an_announced_request_that_never_comes_holds_nothing_up(
    batcher: Batcher[str, str],
) -> None:
    with batcher.announced():
        assert batcher.submit("a").result(LONG) == "A"


def test_groups_are_not_mixed(batcher: Batcher[str, str], work: Work) -> None:
    busy(batcher, work)
    futures = [batcher.submit(item) for item in ("a", "1", "b", "2")]
    work.gate.set()
    assert [future.result(LONG) for future in futures] == ["A", "1", "B", "2"]
    assert work.batches[1:] == [["a", "b"], ["1", "2"]]


def test_requests_of_a_like_length_go_together_and_the_oldest_first(
    batcher: Batcher[str, str], work: Work
) -> None:
    busy(batcher, work)
    items = ["xxxxxxxx", "a", "xxxxxxx", "b", "xxxxxx", "c", "xxxxx"]
    futures = [batcher.submit(item) for item in items]
    work.gate.set()
    for future in futures:
        future.result(LONG)
    assert work.batches[1:] == [["xxxxx", "xxxxxx", "xxxxxxx", "xxxxxxxx"], ["a", "b", "c"]]


def test_a_request_cancelled_while_it_waits_is_left_out(
    batcher: Batcher[str, str], work: Work
) -> None:
    busy(batcher, work)
    futures = [batcher.submit(item) for item in "abc"]
    assert futures[1].cancel()
    work.gate.set()
    assert (futures[0].result(LONG), futures[2].result(LONG)) == ("A", "C")
    assert work.batches[1:] == [["a", "c"]]


def test_one_failure_is_that_requests_own(batcher: Batcher[str, str]) -> None:
    good, bad = batcher.submit("good"), batcher.submit("bad")
    assert isinstance(bad.exception(LONG), ValueError)
    assert good.result(LONG) == "GOOD"


def test_work_that_breaks_down_is_heard_of_by_all() -> None:
    def broken(items: Sequence[str]) -> list[str]:
        raise RuntimeError("broken")

    batcher = Batcher[str, str](broken, size=4, group=len, length=len)
    futures = [batcher.submit("a"), batcher.submit("b")]
    assert [str(future.exception(LONG)) for future in futures] == ["broken", "broken"]
    batcher.close()


def test_closing_cancels_what_waits(batcher: Batcher[str, str], work: Work) -> None:
    running = busy(batcher, work)
    waiting = batcher.submit("a")
    closing = threading.Thread(target=batcher.close)
    closing.start()
    with pytest.raises(CancelledError):
        waiting.result(LONG)
    work.gate.set()
    closing.join(LONG)
    assert running.result(LONG) == "BUSY"
