"""The random tests draw new examples, and a failure can be replayed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hostile.randomness import examples

REPOSITORY = Path(__file__).parents[2]


def test_a_failure_says_how_to_replay_it() -> None:
    @examples(200)
    @given(st.integers(0, 10**9))
    def some(number: int) -> None:
        assert number % 7 != 3

    with pytest.raises(AssertionError) as failed:
        some()
    notes = "".join(failed.value.__notes__)
    assert "some(" in notes
    assert "@reproduce_failure(" in notes


def test_every_run_of_the_tests_draws_other_examples() -> None:
    code = "from tests.hostile.randomness import SEED; print(SEED)"

    def drawn(**environment: str) -> str:
        kept = {name: value for name, value in os.environ.items() if name != "TEST_SEED"}
        return subprocess.run(
            [sys.executable, "-c", code], cwd=REPOSITORY, env={**kept, **environment}, text=True,
            capture_output=True, check=True,
        ).stdout.strip()  # fmt: skip

    assert drawn() != drawn()
    assert drawn(TEST_SEED="12") == "12"


def test_a_seed_draws_the_same_examples_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def drawn(number: int) -> list[int]:
        monkeypatch.setattr("tests.hostile.randomness.SEED", number)
        tried: list[int] = []

        @examples(20)
        @given(st.integers())
        def some(number: int) -> None:
            tried.append(number)

        some()
        return tried

    assert drawn(1) == drawn(1) != drawn(2)


def test_no_example_is_drawn_when_the_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(10_000))
    monkeypatch.setattr("tests.hostile.randomness.GIVEN", None)
    monkeypatch.setattr("tests.hostile.randomness.FUZZ", 1)
    monkeypatch.setattr("tests.hostile.randomness.time.monotonic", lambda: float(next(clock)))
    tried: list[int] = []

    @examples(50, seconds=9)
    @given(st.integers())
    def some(number: int) -> None:
        tried.append(number)

    some()
    assert 0 < len(tried) <= 10
