"""Accepted answers of open-ended questions, in the published order."""

from typing import Any

import pytest

from proactive_agent.scenarios import (
    OWN,
    SCENARIOS,
    AcceptedAnswer,
    DataFolder,
    Environment,
)
from proactive_agent.scenarios.protocol_pack import FILE_NAME, load_pack
from proactive_agent.tools import Answer, Intervention, UserError
from tests.proactive_agent.scripted import sample_of

PUBLISHED = {"rod": 2, "vsod": 3, "mvp-n": 2, "imagenet-c": 1, "quickdraw": 1, "changeit": 2,
             "coco": 2}  # fmt: skip
"""Number of proactive answers by scenario."""


def environment(scenario: str, **how: Any) -> Environment[Any]:
    single_turn = how.pop("single_turn", True)
    found = DataFolder().environment(scenario, sample_of(scenario), **how)
    found.single_turn = single_turn
    return found


def kinds(answers: list[AcceptedAnswer]) -> str:
    return "".join(answer.kind[0] for answer in answers)


def test_what_each_scenario_accepts() -> None:
    place, wait = "Look from another place", "Wait for a free view"
    camera = Intervention("move_camera")
    rewind = AcceptedAnswer("Go back in the video", Intervention("seek_video", "rewind"))
    waiting = Intervention("seek_video", "wait")
    assert {name: environment(name).accepted_answers() for name in SCENARIOS} == {
        "rod": [
            ("Push away what hides the object", Intervention("move_object")), (place, camera),
        ],
        "vsod": [(wait, waiting), rewind, (place, camera), ("Horse", None)],
        "mvp-n": [("Turn the object", Intervention("rotate_object")), (place, camera)],
        "imagenet-c": [
            ("Correct the contrast", Intervention("enhance_image", "contrast")), ("Hen", None),
        ],
        "quickdraw": [("Go on drawing", Intervention("add_details")), ("Cat", None)],
        "changeit": [("Wait for the box to be opened", waiting), rewind, ("Bulldog", None)],
        "coco": [
            ("Point the camera elsewhere", camera),
            ("Step back to show more", Intervention("move_camera", "farther")), ("Horse", None),
        ],
    }  # fmt: skip


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_as_many_are_proactive_as_the_published_judge_counts(
    scenario: str, official_pack_folder: Any
) -> None:
    assert kinds(environment(scenario).accepted_answers()).count("p") == PUBLISHED[scenario]
    judge = load_pack(official_pack_folder / FILE_NAME).wording.judge
    assert judge is not None
    assert judge.proactive_answers[SCENARIOS[scenario].title] == PUBLISHED[scenario]


def test_in_several_turns_the_category_counts_where_the_multiple_choice_takes_it() -> None:
    rod = environment("rod", single_turn=False)
    assert kinds(rod.accepted_answers()) == "pp"
    rod.step(Intervention("move_object", "left"))
    assert kinds(rod.accepted_answers()) == "ppc"
    assert kinds(environment("mvp-n", single_turn=False).accepted_answers()) == "ppc"


def test_on_the_clear_frame_asking_is_still_seen() -> None:
    assert kinds(environment("rod", clear=True).accepted_answers()) == "ppc"
    assert kinds(environment("imagenet-c", clear=True).accepted_answers()) == "pc"


def test_on_the_reference_frame_the_category_alone_counts() -> None:
    assert {kinds(environment(name, reference=True).accepted_answers()) for name in SCENARIOS} == {
        "c"
    }


def test_a_video_can_always_be_wished_on_or_back() -> None:
    found = environment("changeit", single_turn=False)
    found.step(Intervention("seek_video", "wait"))
    assert kinds(found.accepted_answers()) == "ppc"


def test_a_question_asked_once_ends_with_its_turn() -> None:
    found = environment("vsod")
    outcome = found.step(Intervention("seek_video", "wait"))
    assert (outcome.verdicts.suggestion, outcome.stop) == ("correct", "turn_limit")
    assert found.frame == found.sample.first_image
    wrong = environment("vsod")
    assert wrong.step(Intervention("add_details"), forgiving=True).stop == "invalid"
    assert environment("vsod").fewest_suggestions() is None


def test_asked_once_no_name_counts_for_a_frame_that_cannot_tell() -> None:
    found = environment("mvp-n")
    found.step(Answer(found.sample.answer))
    assert not found.correct


def test_own_wording_has_a_phrase_for_everything() -> None:
    for name, scenario in SCENARIOS.items():
        assert len(OWN.open_ended_answers.get(name, ())) == len(scenario.open_ended)


def test_a_pack_of_an_older_version_is_told_clearly() -> None:
    old = OWN.model_copy(update={"open_ended_answers": {}})
    with pytest.raises(UserError, match="Write it again with: data protocol DIR"):
        old.open_ended("rod")
