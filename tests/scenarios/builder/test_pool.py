"""Parallel tasks: order, bounded look-ahead, and a worker that dies."""

import os
import time
from collections.abc import Iterator

import pytest

from proactive_agent.scenarios.builder import BuildError
from proactive_agent.scenarios.builder.pool import AHEAD, in_order


def late_if_even(job: str, task: int) -> str:
    time.sleep(0.05 * (task % 2 == 0))
    return f"{job} {task}"


def die(job: None, task: int) -> None:
    os._exit(1)


def test_results_come_in_the_order_of_the_tasks() -> None:
    assert list(in_order(late_if_even, "job", range(9), workers=2)) == [
        f"job {task}" for task in range(9)
    ]


@pytest.mark.parametrize(("workers", "most"), [(1, 1), (2, 2 * AHEAD)])
def test_few_tasks_are_taken_ahead(workers: int, most: int) -> None:
    taken = 0

    def tasks() -> Iterator[int]:
        nonlocal taken
        for task in range(30):
            taken += 1
            yield task

    for done, _ in enumerate(in_order(late_if_even, "job", tasks(), workers)):
        assert taken - done <= most


def test_a_worker_that_dies_is_said() -> None:
    with pytest.raises(BuildError, match="a worker process died"):
        list(in_order(die, None, range(3), workers=2))
