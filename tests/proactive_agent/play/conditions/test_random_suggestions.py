"""The conditions `random-suggestions` and `useless-suggestions`."""

import asyncio
from pathlib import Path

import pytest

from proactive_agent.play.conditions import parse_condition
from proactive_agent.play.protocols import Protocol
from proactive_agent.providers import Provider, create_provider
from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.records.manifest import Settings
from proactive_agent.scenarios import SCENARIOS, DataFolder, Sample
from proactive_agent.scenarios.sample import is_abstention
from proactive_agent.tools import UserError
from proactive_agent.tools.texts import DONE
from tests.proactive_agent.running import play_new
from tests.proactive_agent.scripted import (
    Mcqa,
    Scripted,
    Sightless,
    ToolUse,
    call,
    play,
    sample_of,
)
from tests.scenarios.official_layout import Fields, write_samples

ALWAYS_ASK = create_provider("baseline:always-ask")


def played(
    scenario: str,
    provider: Provider = ALWAYS_ASK,
    sample: Sample | None = None,
    data: DataFolder | None = None,
    seed: int = 0,
    condition: str = "random-suggestions",
    protocol: Protocol | None = None,
    repeat: int = 0,
) -> EpisodeRecord:
    episode = play(
        scenario, provider, protocol or Mcqa(), condition, data=data, sample=sample, seed=seed,
        repeat=repeat,
    )  # fmt: skip
    return asyncio.run(episode)


def suggested(episode: EpisodeRecord) -> list[str]:
    """Returns the options that are neither abstention nor category."""
    shown = episode.turns[0].options
    categories = sample_of(episode.scenario, int(episode.sample_id)).categories
    return [text for text in shown if text not in categories and not is_abstention(text)]


@pytest.mark.parametrize("condition", ["random-suggestions", "useless-suggestions"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_places_stay_and_what_they_say_is_foreign(scenario: str, condition: str) -> None:
    environment = SCENARIOS[scenario]
    for sample in DataFolder().samples(scenario, 8):
        zero_shot = asyncio.run(play(scenario, Scripted("Z"), Mcqa(), sample=sample)).turns[0]
        # Random suggestions are never taken away, not even those that the first state lacks.
        every = [*sample.options, *sample.categories]
        plain = every if condition == "random-suggestions" else zero_shot.options
        shown = played(scenario, Scripted("Z"), sample, condition=condition).turns[0].options
        own = [environment.intervention(text) for text in shown[: -len(sample.categories)]]
        assert own == [None] * len(own)
        stay = [(a, b) for a, b in zip(plain, shown, strict=True) if a not in sample.suggestions]
        assert all(a == b for a, b in stay)
        assert len(set(shown)) == len(shown)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_taking_one_leads_to_a_random_intervention_and_the_question_is_asked_again(
    scenario: str,
) -> None:
    own = {i.tool for i in SCENARIOS[scenario].keywords.values()}
    for sample in DataFolder().samples(scenario, 4):
        episode = played(scenario, sample=sample)
        *taken, last = episode.turns
        assert taken or episode.outcome.stop == "left_video"
        for turn in taken:
            assert turn.verdict.suggestion == "correct"
            assert turn.action.tool not in own
            assert turn.action.performed is not None
            assert turn.action.performed.tool in own
        if episode.outcome.stop == "turn_limit":
            assert last.action.performed is None
        assert len({(t.image.path, t.image.crop) for t in episode.turns[:2]}) == len(
            episode.turns[:2]
        )
        assert [turn.options for turn in taken] == [last.options] * len(taken)
        assert episode.outcome.suggestions == sum(
            turn.verdict.suggestion == "correct" for turn in episode.turns
        )
        assert episode.fewest is None


def test_a_move_that_leaves_the_video_ends_the_episode() -> None:
    samples = list(DataFolder().samples("changeit"))
    episodes = [played("changeit", sample=s, seed=n) for s in samples[:6] for n in range(4)]
    left = [episode for episode in episodes if episode.outcome.stop == "left_video"]
    assert left
    for episode in left:
        performed = episode.turns[-1].action.performed
        assert (episode.outcome.correct, episode.error) == (False, None)
        assert performed is not None
        assert performed.argument in ("rewind", "wait")


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_first_frame_is_not_informative(scenario: str) -> None:
    for sample in DataFolder().samples(scenario, 4):
        with_own = asyncio.run(play(scenario, Scripted("Z"), Mcqa(), sample=sample)).turns[0]
        assert played(scenario, Scripted("Z"), sample).turns[0].enough == with_own.enough is False


def test_the_right_category_counts_after_a_random_intervention() -> None:
    oracle = create_provider("baseline:oracle")
    episode = played("rod", oracle)
    assert episode.turns[0].action.kind == "intervention"
    assert (episode.outcome.correct, episode.outcome.turns) == (True, 2)


def test_the_random_interventions_depend_on_seed_sample_and_repeat() -> None:
    def drawn(sample_id: int, seed: int, repeat: int = 0) -> list[str | None]:
        sample = sample_of("rod", sample_id)
        turns = played("rod", sample=sample, seed=seed, repeat=repeat).turns
        return [turn.action.performed and turn.action.performed.argument for turn in turns]

    assert drawn(0, 0) == drawn(0, 0)
    ways = [drawn(0, 0), drawn(1, 0), drawn(0, 1), drawn(0, 0, repeat=1)]
    assert all(a != b for i, a in enumerate(ways) for b in ways[:i])


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_to_take_a_useless_one_is_wrong_and_ends_it(scenario: str) -> None:
    episode = played(scenario, condition="useless-suggestions")
    assert episode.turns[0].verdict.model_dump() == {
        "suggestion": "wrong", "category": "mismatch",
    }  # fmt: skip
    assert episode.turns[0].action.kind == "intervention"
    assert episode.turns[0].action.tool not in {
        i.tool for i in SCENARIOS[scenario].keywords.values()
    }
    assert episode.outcome.model_dump() == {
        "correct": False, "stop": "invalid", "suggestions": 0, "turns": 1,
    }  # fmt: skip


@pytest.mark.parametrize("letter", ["A", "B", "C"])
def test_no_letter_is_taken_for_the_valid_one_that_stood_there(letter: str) -> None:
    episode = played("rod", Scripted(letter), condition="useless-suggestions")
    assert episode.turns[0].verdict.suggestion == "wrong"


def test_a_valid_one_that_is_not_shown_is_not_understood() -> None:
    left = next(option for option in sample_of("rod").options if "to the left" in option)
    episode = played("rod", Scripted(left))
    assert episode.turns[0].verdict.suggestion == "mismatch"
    assert episode.turns[0].action.why == "unreadable"


def test_the_right_category_is_right() -> None:
    assert played("coco", Scripted(sample_of("coco").answer)).outcome.correct


def test_a_policy_that_knows_that_nothing_helps_gives_up() -> None:
    oracle = create_provider("baseline:oracle")
    assert played("rod", oracle, condition="useless-suggestions").outcome.stop == "abstained"


def test_the_draw_is_seeded_per_sample() -> None:
    first, second = sample_of("rod", 0), sample_of("rod", 1)
    assert suggested(played("rod", sample=first)) == suggested(played("rod", sample=first))
    drawn = {
        tuple(suggested(played("rod", sample=s, seed=n))) for s in (first, second) for n in (0, 1)
    }
    assert len(drawn) == 4


# Source of the suggestions -----------------------------------------------------------------------


def fields(scenario: str, **changes: object) -> Fields:
    return sample_of(scenario).model_dump() | changes


def test_they_are_those_of_the_same_folder(tmp_path: Path) -> None:
    options = ["Draw one more of the details.", "Please add details.", "I do not know."]
    write_samples(tmp_path, "rod", [fields("rod")])
    write_samples(tmp_path, "quickdraw", [fields("quickdraw", options=options)])
    data = DataFolder(tmp_path)
    episode = played("rod", Sightless("Z"), data=data)
    assert set(suggested(episode)) == set(options[:2])


def test_a_scenario_alone_takes_those_of_the_embedded_suite(tmp_path: Path) -> None:
    write_samples(tmp_path, "rod", [fields("rod")])
    own = suggested(played("rod", Sightless("Z"), data=DataFolder(tmp_path)))
    assert own == suggested(played("rod", Sightless("Z")))


def test_too_many_for_all_others_is_an_error_record() -> None:
    many = [f"Move the blocks to the left, {i} times." for i in range(999)]
    sample = sample_of("rod").model_copy(update={"options": [*many, "I do not know."]})
    episode = played("rod", Scripted(), sample)
    assert episode.error is not None
    assert (episode.error.source, episode.error.kind) == ("data", "sample")


def test_a_fault_in_another_scenarios_file_is_found_before_anything_is_asked(
    tmp_path: Path,
) -> None:
    write_samples(tmp_path, "rod", [fields("rod")])
    (tmp_path / "coco2014_preprocessed.jsonl").write_text("{}\n")
    with pytest.raises(UserError, match=r"coco2014_preprocessed\.jsonl, line 1"):
        parse_condition("random-suggestions", "mcqa").check_run(["rod"], DataFolder(tmp_path))


# With tools --------------------------------------------------------------------------------------


def test_with_tools_a_foreign_call_leads_to_a_random_intervention() -> None:
    right = sample_of("rod").answer.removesuffix(".")
    provider = Scripted(call("rotate_object"), call("answer", category=right))
    episode = played("rod", provider, protocol=ToolUse("random"))
    performed = episode.turns[0].action.performed
    assert performed is not None
    assert performed.tool == "move_object"
    done = next(o for o in sample_of("rod").options if f"to the {performed.argument}" in o)
    assert episode.turns[1].prompt == DONE.format(what=done.removesuffix("."))
    assert episode.outcome.correct


@pytest.mark.parametrize("condition", ["random-suggestions", "useless-suggestions", "zero-shot"])
def test_with_tools_no_request_in_words_is_read(condition: str) -> None:
    """Otherwise asking for help would be useful; the multiple choice reads no request either."""
    provider = Scripted("Please move the blocks to the left.")
    episode = played("rod", provider, condition=condition, protocol=ToolUse("random"))
    (turn,) = episode.turns
    assert (turn.action.kind, turn.action.why) == ("invalid", "unreadable")
    assert episode.outcome.stop == "invalid"


@pytest.mark.parametrize("condition", ["random-suggestions", "useless-suggestions"])
def test_with_tools_it_is_the_toolset_of_other_scenarios(tmp_path: Path, condition: str) -> None:
    settings = Settings(
        provider="baseline:always-ask",
        scenarios=("rod",),
        condition=condition,
        limit=1,
    )
    (episode,) = play_new(settings, tmp_path).episodes()
    assert [tool.name for tool in episode.turns[0].tools] == [
        "seek_video", "rotate_object", "enhance_image", "add_details", "move_camera", "answer",
        "abstain",
    ]  # fmt: skip
    useless = condition == "useless-suggestions"
    assert episode.turns[0].verdict.suggestion == ("wrong" if useless else "correct")
    assert episode.outcome.stop == ("invalid" if useless else "turn_limit")
