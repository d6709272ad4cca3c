"""The condition `random-suggestions`: suggestions of other scenarios, which never help."""

import asyncio
from pathlib import Path

import pytest

from proactive_agent.play.conditions import parse_condition
from proactive_agent.providers import Provider, create_provider
from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.records.manifest import Settings
from proactive_agent.scenarios import SCENARIOS, DataFolder, Sample
from proactive_agent.scenarios.sample import is_abstention
from proactive_agent.tools import UserError
from tests.proactive_agent.running import play_new
from tests.proactive_agent.scripted import Mcqa, Scripted, Sightless, play, sample_of
from tests.scenarios.official_layout import Fields, write_samples

ALWAYS_ASK = create_provider("baseline:always-ask")


def played(
    scenario: str,
    provider: Provider = ALWAYS_ASK,
    sample: Sample | None = None,
    data: DataFolder | None = None,
    seed: int = 0,
) -> EpisodeRecord:
    episode = play(
        scenario, provider, Mcqa(), "random-suggestions", data=data, sample=sample, seed=seed
    )
    return asyncio.run(episode)


def suggested(episode: EpisodeRecord) -> list[str]:
    """Returns the options that are neither abstention nor category."""
    shown = episode.turns[0].options
    categories = sample_of(episode.scenario, int(episode.sample_id)).categories
    return [text for text in shown if text not in categories and not is_abstention(text)]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_places_stay_and_what_they_say_is_foreign(scenario: str) -> None:
    environment = SCENARIOS[scenario]
    for sample in DataFolder().samples(scenario, 8):
        plain = asyncio.run(play(scenario, Scripted("Z"), Mcqa(), sample=sample)).turns[0].options
        shown = played(scenario, Scripted("Z"), sample).turns[0].options
        own = [environment.intervention(text) for text in shown[: -len(sample.categories)]]
        assert own == [None] * len(own)
        stay = [(a, b) for a, b in zip(plain, shown, strict=True) if a not in sample.suggestions]
        assert all(a == b for a, b in stay)
        assert len(set(shown)) == len(shown)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_to_take_one_is_wrong_and_ends_it(scenario: str) -> None:
    episode = played(scenario)
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
    episode = played("rod", Scripted(letter))
    assert episode.turns[0].verdict.suggestion == "wrong"


def test_a_valid_one_that_is_not_shown_is_not_understood() -> None:
    left = next(option for option in sample_of("rod").options if "to the left" in option)
    episode = played("rod", Scripted(left))
    assert episode.turns[0].verdict.suggestion == "mismatch"
    assert episode.turns[0].action.why == "unreadable"


def test_the_right_category_is_right() -> None:
    assert played("coco", Scripted(sample_of("coco").answer)).outcome.correct


def test_who_knows_that_nothing_helps_gives_up() -> None:
    oracle = create_provider("baseline:oracle")
    assert played("rod", oracle).outcome.stop == "abstained"


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


def test_with_tools_it_is_the_toolset_of_other_scenarios(tmp_path: Path) -> None:
    settings = Settings(
        provider="baseline:always-ask",
        scenarios=("rod",),
        condition="random-suggestions",
        limit=1,
    )
    (episode,) = play_new(settings, tmp_path).episodes()
    assert [tool.name for tool in episode.turns[0].tools] == [
        "seek_video", "rotate_object", "enhance_image", "add_details", "move_camera", "answer",
        "abstain",
    ]  # fmt: skip
    assert episode.turns[0].verdict.suggestion == "wrong"
    assert episode.outcome.stop == "invalid"
