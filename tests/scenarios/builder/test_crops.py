"""First and last COCO crops, for random pictures and boxes."""

import random
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from proactive_agent.scenarios import OWN, SCENARIOS
from proactive_agent.scenarios.builder import SkipError
from proactive_agent.scenarios.builder.coco import DIRECTIONS, allowed_directions, build_coco
from proactive_agent.scenarios.builder.items import Box
from proactive_agent.scenarios.builder.wording import move_suggestions
from proactive_agent.scenarios.coco import CocoSample
from proactive_agent.tools import Answer


@st.composite
def scenes(draw: st.DrawFn) -> tuple[Image.Image, Box]:
    width, height = draw(st.integers(32, 640)), draw(st.integers(32, 640))
    left, top = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    box = Box(left, top, draw(st.integers(left + 1, width)), draw(st.integers(top + 1, height)))
    return Image.new("1", (width, height)), box


def way(fields: dict[str, Any]) -> list[Box]:
    """Returns the crops that the environment shows on the way to the reference."""
    words = {
        "id": 0, "prompt": "?", "options": [*move_suggestions(fields["direction"]), "I cannot."],
        "categories": ["A", "B"], "answer": "A",
    }  # fmt: skip
    state = SCENARIOS["coco"](CocoSample.model_validate(fields | words), OWN)
    crops = []
    while True:
        crop = state.image().crop
        assert crop is not None
        assert crop == tuple(map(int, crop))
        crops.append(Box(*map(int, crop)))
        action = state.best_action()
        if isinstance(action, Answer):
            assert state.step(action).stop == "answered"
            assert state.correct
            return crops
        state.step(action)


@settings(deadline=None)
@given(scenes(), st.sampled_from(DIRECTIONS), st.integers(0, 10**6))
@example((Image.new("1", (345, 32)), Box(0, 0, 344, 1)), "left", 3)
@example((Image.new("1", (34, 32)), Box(0, 0, 1, 1)), "left", 0)
def test_the_first_crop_misses_the_box_and_the_last_holds_it(
    scene: tuple[Image.Image, Box], direction: str, seed: int
) -> None:
    picture, box = scene
    try:
        fields = build_coco(picture, box, random.Random(seed), direction).fields
    except SkipError:
        assume(False)
    crops = way(fields)
    assert crops[0].overlap(box) <= 0.1 * box.area
    assert crops[-1].holds(box)
    for crop in crops:
        assert Box(0, 0, *picture.size).holds(crop)
        assert min(crop.width, crop.height) >= 32


@settings(deadline=None)
@given(scenes(), st.integers(0, 10**6))
def test_a_direction_that_is_allowed_can_be_built(
    scene: tuple[Image.Image, Box], seed: int
) -> None:
    picture, box = scene
    for direction in allowed_directions(picture.size, box, random.Random(seed)):
        assert build_coco(picture, box, random.Random(seed + 1), direction)


def test_a_small_object_in_a_large_picture_allows_every_direction_but_zoom() -> None:
    allowed = allowed_directions((640, 480), Box(300, 200, 340, 240), random.Random(0))
    assert sorted(allowed) == sorted(set(DIRECTIONS) - {"zoom"})


def test_a_large_object_allows_zoom() -> None:
    assert "zoom" in allowed_directions((640, 480), Box(100, 80, 500, 440), random.Random(0))


def test_no_room_at_all_is_said() -> None:
    with pytest.raises(SkipError, match="leaves no room"):
        build_coco(Image.new("RGB", (40, 40)), Box(2, 2, 38, 38), random.Random(0))
