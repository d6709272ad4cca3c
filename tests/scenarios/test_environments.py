"""The seven environments against the protocol. All expectations were derived by hand."""

import random
from typing import Any

import pytest

from proactive_agent.scenarios.environment import Environment, ImageRef, SampleError
from proactive_agent.scenarios.registry import SCENARIOS
from proactive_agent.scenarios.wording import OWN
from proactive_agent.tools import Abstain, Answer, Intervention, Invalid
from tests.scenarios import official_layout

LEFT, RIGHT = Intervention("move_object", "left"), Intervention("move_object", "right")
REWIND, WAIT = Intervention("seek_video", "rewind"), Intervention("seek_video", "wait")
ROTATE, DETAILS = Intervention("rotate_object"), Intervention("add_details")
DENOISE = Intervention("enhance_image", "denoise")
CONTRAST = Intervention("enhance_image", "contrast")
CAMERA = {d: Intervention("move_camera", d) for d in ("left", "right", "up", "down", "farther")}
RIGHT_ANSWER, WRONG_ANSWER = Answer("Owl."), Answer("Cat.")

SAMPLES: dict[str, dict[str, Any]] = {
    "rod": {
        "options": ["Move the blocks to the left.", "I do not know.", "Move it to the right."],
        "image_template": "rod/x-s{image}.png",
        "first_image": 7,
        "num_images": 14,
    },
    "vsod": {
        "options": ["I cannot tell.", "Rewind the video.", "Wait for the bus to pass."],
        "image_template": "vsod/{image}.png",
        "first_image": 0,
        "num_images": 5,
        "strong_occlusions": True,
    },
    "mvp-n": {
        "options": ["Rotate the object.", "I do not know.", "Show another view."],
        "image_template": "mvp/{informative}_{image}.png",
        "first_image": 8,
        "num_images": 3,
        "reference_image": 30,
        "valid_images": [8, 2, 30],
    },
    "imagenet-c": {
        "options": ["Denoise the image.", "Raise the contrast.", "I do not know."],
        "quality_answer": "Denoise the image.",
        "image_template": "in/{level}.png",
        "first_image": 5,
        "num_images": 5,
        "reference_image": 1,
    },
    "quickdraw": {
        "options": ["Add more details.", "I do not know."],
        "image_template": "qd/{image}.png",
        "first_image": 0,
        "num_images": 3,
        "reference_image": 2,
    },
    "changeit": {
        "options": ["Rewind the video.", "Wait for the object to appear.", "I cannot tell."],
        "image_template": "cit/{image}.png",
        "first_image": 2,
        "num_images": 9,
        "reference_image": 6,
        "step_size": 2,
        "max_steps": 6,
    },
    "coco": {
        "options": ["Move the camera to the left.", "I do not know."],
        "image_template": "coco/1.png",
        "first_image": 0,
        "num_images": 1,
        "direction": "left",
        "granularity": 3,
        "horizontal_step": 10,
        "vertical_step": 5,
        "crop": {"left": 40, "top": 20, "width": 60, "height": 48},
    },
}
FIRST_SUGGESTION = {
    "rod": LEFT, "vsod": WAIT, "mvp-n": ROTATE, "imagenet-c": DENOISE, "quickdraw": DETAILS,
    "changeit": WAIT, "coco": CAMERA["left"],
}  # fmt: skip
REFERENCE_FRAMES = {
    "rod": "rod/x-s0.png",
    "vsod": "vsod/0000.png",
    "mvp-n": "mvp/1_0030.png",
    "imagenet-c": "in/1.png",
    "quickdraw": "qd/0002.png",
    "changeit": "cit/6.png",
    "coco": "coco/1.png",
}
TURN_LIMITS = {
    "rod": 14, "vsod": 5, "mvp-n": 3, "imagenet-c": 5, "quickdraw": 3, "changeit": 6, "coco": 3,
}  # fmt: skip
NAMES = tuple(SAMPLES)


def make(
    name: str, *, reference: bool = False, clear: bool = False, **changes: Any
) -> Environment[Any]:
    fields = {
        "id": 1,
        "prompt": "What is it?",
        "categories": ["Cat.", "Owl.", "Dog.", "Seal."],
        "answer": "Owl.",
        "reference_image": 0,
        **SAMPLES[name],
        **changes,
    }
    scenario = SCENARIOS[name]
    sample = scenario.sample_type.model_validate(fields)
    scenario.check(sample)
    return scenario(sample, OWN, reference=reference, clear=clear)


def paths(environment: Environment[Any], *actions: Intervention) -> list[str]:
    """Returns the pictures shown before and after each action."""
    shown = [environment.observe().image.path]
    for action in actions:
        assert environment.step(action).verdicts.suggestion == "correct"
        shown.append(environment.observe().image.path)
    return shown


def texts(environment: Environment[Any]) -> list[str]:
    return [option.text for option in environment.observe().options]


class TestEveryScenario:
    @pytest.mark.parametrize("name", NAMES)
    def test_options_stand_in_the_order_of_the_sample_then_the_categories(self, name: str) -> None:
        changes = {"first_image": 4} if name == "changeit" else {}
        seen = make(name, **changes).observe()
        assert seen.texts == [*SAMPLES[name]["options"], "Cat.", "Owl.", "Dog.", "Seal."]

    @pytest.mark.parametrize("name", NAMES)
    def test_a_valid_suggestion_goes_on(self, name: str) -> None:
        outcome = make(name).step(FIRST_SUGGESTION[name])
        assert (outcome.verdicts, outcome.stop) == (("correct", "mismatch"), None)

    @pytest.mark.parametrize("name", NAMES)
    def test_a_wrong_category_ends_it(self, name: str) -> None:
        environment = make(name)
        outcome = environment.step(WRONG_ANSWER)
        assert (outcome.verdicts, outcome.stop) == (("mismatch", "wrong"), "answered")
        assert not environment.correct

    @pytest.mark.parametrize("name", NAMES)
    def test_abstaining_ends_it(self, name: str) -> None:
        outcome = make(name).step(Abstain("I do not know."))
        assert (outcome.verdicts, outcome.stop) == (("wrong", "mismatch"), "abstained")

    @pytest.mark.parametrize("name", NAMES)
    def test_an_unreadable_reply_ends_it(self, name: str) -> None:
        outcome = make(name).step(Invalid("empty"))
        assert (outcome.verdicts, outcome.stop) == (("mismatch", "mismatch"), "invalid")

    @pytest.mark.parametrize("name", NAMES)
    def test_a_suggestion_that_does_not_apply_ends_it(self, name: str) -> None:
        outcome = make(name).step(Intervention("move_piano"))
        assert (outcome.verdicts, outcome.stop) == (("wrong", "mismatch"), "invalid")

    @pytest.mark.parametrize("name", NAMES)
    def test_forgiving_play_loses_the_turn_only(self, name: str) -> None:
        environment = make(name)
        before = environment.observe().image
        outcome = environment.step(Intervention("move_piano"), forgiving=True)
        assert (outcome.stop, environment.turn) == (None, 1)
        assert environment.observe().image == before

    @pytest.mark.parametrize("name", NAMES)
    def test_forgiving_play_ends_at_the_turn_limit(self, name: str) -> None:
        environment = make(name)
        stops = [
            environment.step(Intervention("move_piano"), forgiving=True).stop
            for _ in range(environment.max_steps)
        ]
        assert stops == [None] * (environment.max_steps - 1) + ["turn_limit"]

    @pytest.mark.parametrize("name", NAMES)
    @pytest.mark.parametrize("action", [WRONG_ANSWER, Abstain(), Invalid("empty")], ids=str)
    def test_forgiving_play_forgives_suggestions_alone(self, name: str, action: Any) -> None:
        assert make(name).step(action, forgiving=True).stop is not None

    @pytest.mark.parametrize("name", NAMES)
    def test_no_turn_after_the_end(self, name: str) -> None:
        environment = make(name)
        environment.step(Abstain())
        with pytest.raises(RuntimeError, match="abstained"):
            environment.step(RIGHT_ANSWER)

    @pytest.mark.parametrize("seed", range(40))
    @pytest.mark.parametrize("name", NAMES)
    def test_the_best_actions_reach_the_right_answer(self, name: str, seed: int) -> None:
        fields = official_layout.random_sample(name, random.Random(seed), 0)
        environment = SCENARIOS[name](SCENARIOS[name].sample_type.model_validate(fields), OWN)
        while environment.stop is None:
            environment.step(environment.best_action())
        # ROD takes no category in its first turn, so one turn cannot be won.
        assert environment.correct == (not (name == "rod" and environment.max_steps == 1))


class TestReferenceCondition:
    @pytest.mark.parametrize("name", NAMES)
    def test_shows_the_reference_frame_whole(self, name: str) -> None:
        assert make(name, reference=True).observe().image == ImageRef(REFERENCE_FRAMES[name])

    @pytest.mark.parametrize("name", NAMES)
    def test_offers_the_categories_alone(self, name: str) -> None:
        seen = make(name, reference=True).observe()
        assert seen.texts == ["Cat.", "Owl.", "Dog.", "Seal."]

    @pytest.mark.parametrize("name", NAMES)
    def test_the_right_category_counts_at_once(self, name: str) -> None:
        environment = make(name, reference=True)
        assert environment.step(RIGHT_ANSWER).verdicts == ("mismatch", "correct")
        assert environment.correct

    @pytest.mark.parametrize("name", NAMES)
    @pytest.mark.parametrize("forgiving", [False, True])
    def test_a_suggestion_ends_it(self, name: str, forgiving: bool) -> None:
        outcome = make(name, reference=True).step(FIRST_SUGGESTION[name], forgiving=forgiving)
        assert (outcome.verdicts, outcome.stop) == (("wrong", "mismatch"), "invalid")

    def test_rod_asks_a_general_question(self) -> None:
        assert make("rod", reference=True).observe().question == OWN.reference_questions["rod"]
        assert make("rod").observe().question == "What is it?"


class TestTurnLimit:
    @pytest.mark.parametrize("name", NAMES)
    def test_is_the_published_one(self, name: str) -> None:
        assert make(name).max_steps == TURN_LIMITS[name]

    @pytest.mark.parametrize(
        ("direction", "options", "limit"),
        [
            ("left_up", ["Move the camera to the left.", "Move the camera up."], 6),
            ("zoom", ["Move farther from the object."], 4),
        ],
    )
    def test_of_coco_follows_the_direction(
        self, direction: str, options: list[str], limit: int
    ) -> None:
        environment = make("coco", direction=direction, options=[*options, "I do not know."])
        assert environment.max_steps == limit

    def test_a_valid_suggestion_in_the_last_turn_is_the_end(self) -> None:
        environment = make("vsod", num_images=2)
        assert environment.step(WAIT).stop is None
        outcome = environment.step(WAIT)
        assert (outcome.verdicts.suggestion, outcome.stop) == ("correct", "turn_limit")
        assert not environment.correct

    def test_the_right_category_in_the_last_turn_counts(self) -> None:
        environment = make("vsod", num_images=2)
        environment.step(WAIT)
        assert environment.step(RIGHT_ANSWER).stop == "answered"
        assert environment.correct

    @pytest.mark.parametrize(("name", "turns"), [("mvp-n", 2), ("imagenet-c", 4), ("quickdraw", 2)])
    def test_in_the_last_turn_only_the_category_counts(self, name: str, turns: int) -> None:
        asking, answering = make(name), make(name)
        for _ in range(turns):
            asking.step(FIRST_SUGGESTION[name])
            answering.step(FIRST_SUGGESTION[name])
        assert asking.step(FIRST_SUGGESTION[name]).verdicts == ("wrong", "mismatch")
        assert answering.step(RIGHT_ANSWER).verdicts == ("mismatch", "correct")


class TestPrefix:
    @pytest.mark.parametrize("name", ["vsod", "changeit"])
    def test_of_video_frames_stands_before_the_question(self, name: str) -> None:
        assert make(name).observe().question == f"{OWN.prefixes[name]} What is it?"

    @pytest.mark.parametrize("name", ["mvp-n", "imagenet-c", "quickdraw", "coco"])
    def test_others_have_none(self, name: str) -> None:
        assert make(name).observe().question == "What is it?"


def test_a_move_to_a_frame_that_is_not_there_is_an_error_of_the_sample() -> None:
    environment = make("changeit", first_image=0, num_images=2, step_size=2)
    with pytest.raises(SampleError, match="sample 1: there is no frame 2"):
        environment.step(WAIT)
