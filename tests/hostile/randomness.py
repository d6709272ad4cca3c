"""The seed of the random tests, and how much they do.

Each run of the tests draws a new seed and prints it at the end. These environment variables
replay and extend the random tests:

- `TEST_SEED=N` draws the same examples and the same moments again;
- `FUZZ=20` reads 20 times as many examples, without a limit on time;
- `KILLS=20` kills each command 20 times, and `export` in every format.
"""

import functools
import os
import random
import time
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, seed, settings

GIVEN = os.environ.get("TEST_SEED")
SEED = int(GIVEN) if GIVEN else random.SystemRandom().randrange(2**32)
FUZZ = int(os.environ.get("FUZZ", "1"))
ALL_KILLS = "KILLS" in os.environ
KILLS = int(os.environ.get("KILLS", "3"))
SECONDS = 12.0
"""Time after which a fuzz test draws no more examples: slow machines try fewer."""


def rng(name: str) -> random.Random:
    """Returns the random numbers of one test."""
    return random.Random(f"{SEED} {name}")


def examples(number: int, seconds: float = SECONDS) -> Callable[[Any], Any]:
    """Decorates a test with `given`: it tries up to `number` new examples, for some seconds.

    A failure shows the example, and the decorator `reproduce_failure` that replays it alone.
    """
    unlimited = FUZZ > 1 or GIVEN is not None

    def decorate(test: Any) -> Any:
        inner = test.hypothesis.inner_test
        test.hypothesis.inner_test = inner if unlimited else _limited(inner, seconds)
        configured = settings(
            max_examples=number * FUZZ,
            derandomize=False,
            database=None,
            deadline=None,
            print_blob=True,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        )
        return seed(SEED)(configured(test))

    return decorate


def _limited(test: Callable[..., None], seconds: float) -> Callable[..., None]:
    """Skips examples after some seconds, unless one has failed and is being made smaller."""
    begun: float | None = None
    failed = False

    @functools.wraps(test)
    def tried(*arguments: Any, **more: Any) -> None:
        nonlocal begun, failed
        begun = begun or time.monotonic()
        if not failed and time.monotonic() - begun > seconds:
            return
        try:
            test(*arguments, **more)
        except Exception:
            failed = True
            raise

    return tried
