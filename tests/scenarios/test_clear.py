"""Condition `clear`, and the fewest suggestions that lead to the reference frame."""

from typing import Any

import pytest

from proactive_agent.scenarios.environment import ImageRef
from proactive_agent.scenarios.wording import OWN
from proactive_agent.tools import Abstain
from tests.scenarios.test_environments import (
    FIRST_SUGGESTION,
    NAMES,
    REFERENCE_FRAMES,
    RIGHT_ANSWER,
    WRONG_ANSWER,
    make,
    texts,
)


class TestClear:
    @pytest.mark.parametrize("name", NAMES)
    def test_shows_the_reference_frame_whole(self, name: str) -> None:
        assert make(name, clear=True).observe().image == ImageRef(REFERENCE_FRAMES[name])

    @pytest.mark.parametrize("name", NAMES)
    def test_offers_what_the_first_state_does(self, name: str) -> None:
        assert make(name, clear=True).observe().texts == make(name).observe().texts

    def test_what_the_first_state_does_not_offer_stays_away(self) -> None:
        offered = texts(make("changeit", clear=True, first_image=1))
        assert offered == ["Wait for the object to appear.", "I cannot tell."]

    @pytest.mark.parametrize("forgiving", [False, True])
    @pytest.mark.parametrize("name", NAMES)
    def test_asking_is_wrong_and_ends_it(self, name: str, forgiving: bool) -> None:
        outcome = make(name, clear=True).step(FIRST_SUGGESTION[name], forgiving=forgiving)
        assert (outcome.verdicts, outcome.stop) == (("wrong", "mismatch"), "invalid")

    @pytest.mark.parametrize("name", NAMES)
    def test_the_right_category_counts_at_once(self, name: str) -> None:
        environment = make(name, clear=True)
        assert environment.step(RIGHT_ANSWER).verdicts == ("mismatch", "correct")
        assert environment.correct

    def test_a_wrong_category_and_giving_up_end_it(self) -> None:
        assert make("rod", clear=True).step(WRONG_ANSWER).verdicts == ("mismatch", "wrong")
        assert make("rod", clear=True).step(Abstain()).stop == "abstained"

    @pytest.mark.parametrize("name", NAMES)
    def test_the_best_is_to_answer(self, name: str) -> None:
        assert make(name, clear=True).best_action() == RIGHT_ANSWER

    def test_rod_asks_what_does_not_speak_of_blocks(self) -> None:
        assert make("rod", clear=True).observe().question == OWN.reference_questions["rod"]


class TestFewestSuggestions:
    @pytest.mark.parametrize(
        ("name", "fewest"),
        [
            ("rod", 7), ("vsod", 0), ("mvp-n", 2), ("imagenet-c", 4), ("quickdraw", 2),
            ("changeit", 2), ("coco", 2),
        ],
    )  # fmt: skip
    def test_lead_to_the_reference_frame(self, name: str, fewest: int) -> None:
        assert make(name).fewest_suggestions() == fewest

    @pytest.mark.parametrize(("goal", "fewest"), [(2, 2), (3, 2), (4, 1)])
    def test_go_the_shorter_way_round(self, goal: int, fewest: int) -> None:
        assert make("vsod", reference_image=goal).fewest_suggestions() == fewest

    def test_leave_a_turn_for_the_answer(self) -> None:
        assert make("changeit", max_steps=2).fewest_suggestions() == 1

    def test_are_unknown_where_the_way_leaves_the_sample(self) -> None:
        ahead = make("quickdraw", first_image=3, reference_image=5)
        assert ahead.fewest_suggestions() is None

    @pytest.mark.parametrize("where", [{"reference": True}, {"clear": True}], ids=str)
    @pytest.mark.parametrize("name", NAMES)
    def test_are_none_on_the_reference_frame(self, name: str, where: dict[str, Any]) -> None:
        assert make(name, **where).fewest_suggestions() is None
