from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from proactive_agent.records.manifest import SETTINGS, Settings
from proactive_agent.reports.departures import departure_notes
from proactive_agent.settings import RunSettings, declared
from tests.proactive_agent.reports.comparison.playing import (
    AS_PUBLISHED,
    EMBEDDED_NOTE,
    OFFICIAL,
    answers,
    played,
)

OPEN_ENDED: dict[str, Any] = {
    "protocol": "oeg", "judge": "local:qwen3-8b", "judge_prompt": "official",
}  # fmt: skip
LIMITS = {"max_tokens": 50, "thinking_tokens": 0}
GREEDY: dict[str, Any] = {"provider_settings": {"generation": "greedy", **LIMITS}}
TOOLS: dict[str, Any] = {"protocol": "tools", "toolset": "published", **GREEDY}
API: dict[str, Any] = {"provider": "openai:a"}


def notes(changes: dict[str, Any]) -> list[str]:
    """The notes on a run as published with these changes."""
    return departure_notes([played("a", answers("1"), **AS_PUBLISHED | changes)])


class Change(NamedTuple):
    """Another value of a setting, and the only note that it adds."""

    value: Any
    note: str
    """Empty if the value departs from nothing that the paper says."""
    base: Mapping[str, Any] = MappingProxyType({})
    """Settings that the run has before the change."""


ONE_CHANGE = {
    # What is played
    "provider": Change("local:b", ""),
    "data": Change("elsewhere", ""),  # recorded as a fingerprint; see below
    "scenarios": Change(("rod",), ""),
    "protocol": Change("tools", "tool calls instead of multiple choice",
                       {"toolset": "published", "provider_settings": {"generation": "checkpoint",
                                                                      **LIMITS}}),
    "condition": Change("clear", "a condition that the paper does not study (clear)"),
    "unfiltered": Change(True, ""),  # recorded as a fingerprint; see below
    "limit": Change(3, "not all samples"),
    "repeats": Change(2, "each sample played 2 times"),
    "seed": Change(1, ""),
    # How it is played
    "toolset": Change("all", "a toolset other than the published options", TOOLS),
    "user": Change("local:u", "a user played by local:u", TOOLS),
    "parser": Change("lenient", "replies read by the lenient parser"),
    "forgiving": Change(True, "suggestions that do not apply did not end the episode"),
    "history_size": Change(112, "conversations with pictures of 112 pixels instead of 224",
                           {"condition": "history"}),
    "icl_reasoning": Change(True, "", {"condition": "icl:1"}),
    "icl_reduced": Change(
        True, "solved examples with small pictures, and of mvp-n only the first and last turn",
        {"condition": "icl:3"},
    ),
    "multi_turn": Change(True, "several open-ended turns, which the paper has for zero-shot only",
                         {**OPEN_ENDED, "condition": "hint"}),
    "judge": Change("rules", "answers judged by rules instead of Qwen3-8B", OPEN_ENDED),
    "judge_prompt": Change("own", "a judge prompt other than the paper's", OPEN_ENDED),
    # The model
    "generation": Change("greedy", "--generation greedy, unlike the paper",
                         {"provider_settings": {"generation": "checkpoint", **LIMITS}}),
    "max_tokens": Change(512, "at most 512 new tokens, unlike the paper", GREEDY),
    "temperature": Change(0.7, "temperature 0.7", GREEDY),
    "thinking_tokens": Change(100, "tokens for thinking in addition to the new tokens", GREEDY),
    "top_p": Change(0.9, "top_p 0.9", GREEDY),
    "top_k": Change(5, "top_k 5", GREEDY),
    "dtype": Change("float16", ""),
    "device": Change("cpu", ""),
    "attention": Change("eager", ""),
    "quantize": Change("4bit", "weights quantized to 4bit"),
    "revision": Change("main", ""),
    "batch_size": Change(1, ""),
    "template_options": Change("{}", "variables of the chat template ({})"),
    "trust_remote_code": Change(True, ""),
    "engine_arg": Change(("quantization=fp8",), "engine arguments quantization=fp8",
                         {"provider": "vllm:a"}),
    "pictures": Change("separate", ""),
    "isolated": Change("no", ""),  # Every table has a note on it; see test_agents.py.
    "agent_usage": Change("usage.json", ""),
    "agent_env": Change(("KEY",), ""),
    # Models behind an API
    "api": Change("chat", "", API),
    "reasoning": Change("high", "reasoning effort high", API),
    "extra_body": Change('{"a": 1}', 'further fields of each request ({"a": 1})', API),
    "header": Change(("A=b",), "", API),
    "api_seed": Change(1, "", API),
    "image_detail": Change("low", "image detail low", API),
    "image_size": Change(512, "pictures scaled to at most 512 pixels", API),
    "image_quality": Change(50, "pictures that are encoded again have quality 50", API),
    "image_format": Change("webp", "all pictures encoded again as webp", API),
}  # fmt: skip
"""A change of every setting. A new setting must be entered here: does it depart from the paper?"""


def test_every_setting_has_an_example() -> None:
    assert set(ONE_CHANGE) == set(SETTINGS)


def test_every_departure_has_an_example() -> None:
    departing = {name for name, one in SETTINGS.items() if one.setting.departure}
    assert {name for name, change in ONE_CHANGE.items() if change.note} == departing


@pytest.mark.parametrize("name", ONE_CHANGE)
def test_one_changed_setting_adds_exactly_its_note(name: str) -> None:
    value, note, base = ONE_CHANGE[name]
    run = played("a", answers("1"), **{**AS_PUBLISHED, **base})
    settings = run.manifest.settings
    if name in declared(RunSettings):
        changed = replace(settings, **{name: value})
    else:
        changed = replace(
            settings, provider_settings=replace(settings.provider_settings, **{name: value})
        )
    before = departure_notes([run])
    manifest = run.manifest.model_copy(update={"settings": changed})
    after = departure_notes([replace(run, manifest=manifest)])
    assert [one for one in after if one not in before] == ([f"All runs: {note}."] if note else [])
    # A picture of an API is always scaled to some size, and some are encoded with some quality.
    assert len(after) - len(before) == (bool(note) and name not in ("image_size", "image_quality"))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"provider_settings": {"generation": "checkpoint", **LIMITS}},
        {"condition": "hint"}, {"condition": "reference"}, {"condition": "history"},
        {"condition": "icl:1"}, {"condition": "icl:3"}, {"condition": "random-suggestions"},
        OPEN_ENDED,
        OPEN_ENDED | {"judge": "openai:Qwen/Qwen3-8B@http://localhost:8000/v1"},
        OPEN_ENDED | {"condition": "hint"},
        OPEN_ENDED | {"multi_turn": True},
        OPEN_ENDED | {"limit": 100},
        {"thinking_room": (0, 0)},
    ],
)  # fmt: skip
def test_a_run_as_published_has_no_departures(changes: dict[str, Any]) -> None:
    assert notes(changes) == []


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"condition": "icl:2"}, "a condition that the paper does not study (icl:2)"),
        ({"condition": "hint+history"}, "a condition that the paper does not study (hint+history)"),
        (OPEN_ENDED | {"limit": 50}, "not all samples"),
        (OPEN_ENDED | {"provider_settings": {"generation": "checkpoint", "max_tokens": 32768}},
         "--generation checkpoint, unlike the paper"),
        ({"thinking_room": (0, 8192)}, "tokens for thinking in addition to the new tokens"),
        ({"described": {"processor_changes": ["no splitting"]}},
         "changed processor (no splitting)"),
        ({"data": {**OFFICIAL, "filtered": False}},
         "the filter of the official data was not applied"),
        ({"data": {**OFFICIAL, "wording": "own v1"}},
         "wording that differs from the published one"),
    ],
)  # fmt: skip
def test_each_further_departure_is_the_only_note(changes: dict[str, Any], note: str) -> None:
    assert notes(changes) == [f"All runs: {note}."]


def test_other_data_have_their_note_and_no_further_one() -> None:
    assert notes({"data": {}}) == [EMBEDDED_NOTE]
    assert notes({"data": {"embedded": False}}) == [
        "Scores on own data cannot be compared with published ones."
    ]


def test_unfiltered_runs_depart_only_where_they_are_not_named() -> None:
    unfiltered = {"condition": "unfiltered", "data": {**OFFICIAL, "filtered": False}}
    run = played("a", answers("1"), **AS_PUBLISHED | unfiltered)
    assert departure_notes([run], unfiltered=True) == []
    assert departure_notes([run]) == ["All runs: the filter of the official data was not applied."]


def test_scripted_models_have_no_generation_that_departs() -> None:
    assert notes({"provider": "baseline:oracle", "provider_settings": {}}) == []


def test_the_defaults_depart_in_generation_and_tokens() -> None:
    assert notes({"provider_settings": {}}) == [
        "All runs: at most 512 new tokens, unlike the paper.",
        "All runs: --generation greedy, unlike the paper.",
    ]
    assert Settings(provider="local:a", scenarios=("rod",)).protocol == "tools"


def test_a_departure_of_some_runs_names_them() -> None:
    runs = [
        played("a", answers("1"), **AS_PUBLISHED),
        played("b", answers("1"), **AS_PUBLISHED | {"provider": "local:b"}, forgiving=True),
    ]
    assert departure_notes(runs) == [
        "Suggestions that do not apply did not end the episode: local:b."
    ]


def test_runs_on_the_embedded_suite_are_named_if_others_are_not() -> None:
    runs = [
        played("a", answers("1"), **AS_PUBLISHED),
        played("b", answers("1"), **AS_PUBLISHED | {"provider": "local:b", "data": {}}),
    ]
    assert departure_notes(runs) == [f"{EMBEDDED_NOTE} This concerns local:b."]


def test_failed_episodes_are_counted() -> None:
    assert departure_notes([played("a", answers("1--"), **AS_PUBLISHED)]) == [
        "2 episodes ended with an error and are left out."
    ]
