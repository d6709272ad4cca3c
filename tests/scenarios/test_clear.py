"""Condition `clear`, and the fewest suggestions that lead to the reference frame."""

from typing import Any

import pytest

from proactive_agent.scenarios.clear_window import Box, clear_window, fits
from proactive_agent.scenarios.environment import ImageRef
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
    def test_shows_the_reference_frame_in_the_size_of_the_first(self, name: str) -> None:
        shown = make(name, clear=True).observe().image
        assert shown._replace(crop=None, like=None) == ImageRef(REFERENCE_FRAMES[name])
        assert shown.like == make(name).observe().image

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

    @pytest.mark.parametrize("name", NAMES)
    def test_asks_what_the_first_state_does(self, name: str) -> None:
        assert make(name, clear=True).observe().question == make(name).observe().question


class TestClearWindow:
    """A first crop of 200 x 300 pixels, and the last one, which is 200 pixels wider."""

    first, last = (300, 0, 500, 300), (100, 0, 500, 300)

    def test_holds_the_part_that_is_added(self) -> None:
        window = clear_window(self.first, self.last, zoom=False)
        assert window == (100, 0, 350, 300)
        assert fits(window, self.first)

    def test_gets_the_proportions_of_the_first_crop_if_there_is_room(self) -> None:
        window = clear_window((150, 100, 350, 200), (50, 0, 350, 200), zoom=False)
        assert window == (50, 0, 300, 125)

    @pytest.mark.parametrize(
        ("first", "last"),
        [((0, 0, 60, 300), (0, 0, 160, 300)), ((300, 0, 400, 480), (0, 0, 400, 480))],
        ids=["too small", "too narrow"],
    )
    def test_some_first_crops_have_none(self, first: Box, last: Box) -> None:
        assert not fits(clear_window(first, last, zoom=False), first)


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
