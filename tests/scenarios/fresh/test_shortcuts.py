"""Policies that lack the needed information are right by chance on fresh scenes.

`python -m benchmarks.fresh_shortcuts` measures the same with more scenes.
"""

import pytest

from benchmarks.fresh_shortcuts import bound, picture_cases, right_guesses, right_text_guesses
from proactive_agent.scenarios import SCENARIOS

GROUPS = 3
EACH = 12
SIZE = 96
TEXTS = 400


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_texts_do_not_tell_the_answer(scenario: str) -> None:
    assert right_text_guesses(scenario, TEXTS) <= bound(TEXTS)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_first_frames_do_not_tell_the_answer(scenario: str) -> None:
    found = picture_cases(scenario, groups=GROUPS, each=EACH, size=SIZE)
    right = {name: right_guesses(cases) for name, cases in found.items()}
    limit = bound(GROUPS * EACH * 4)
    assert {name: count for name, count in right.items() if count > limit} == {}


def test_the_probe_sees_a_thing_that_is_shown() -> None:
    """Reference frames of the same things are told apart, so the probe can learn."""
    found = picture_cases("mvp-n", groups=GROUPS, each=EACH, size=SIZE, reference=True)
    assert right_guesses(found["thumbnail"]) > bound(GROUPS * EACH * 4)
