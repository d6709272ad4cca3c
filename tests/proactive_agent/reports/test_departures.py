from typing import Any

import pytest

from proactive_agent.reports.departures import departure_notes
from proactive_agent.reports.tables import EMBEDDED_NOTE
from tests.proactive_agent.reports.comparison.playing import OFFICIAL, answers, played

AS_PUBLISHED: dict[str, Any] = {"protocol": "mcqa", "data": OFFICIAL}


def test_a_run_as_published_has_no_departures() -> None:
    assert departure_notes([played("a", answers("1"), **AS_PUBLISHED)]) == []


@pytest.mark.parametrize(
    ("changed", "note"),
    [
        ({"protocol": "tools", "toolset": "published"},
         "All runs: tool calls instead of multiple choice."),
        ({"parser": "lenient"}, "All runs: replies read by the lenient parser."),
        ({"forgiving": True}, "All runs: suggestions that do not apply did not end the episode."),
        ({"limit": 3}, "All runs: not all samples."),
        ({"data": {**OFFICIAL, "filtered": False}},
         "All runs: the filter of the official data was not applied."),
        ({"data": {**OFFICIAL, "wording": "own v1"}},
         "All runs: wording that differs from the published one."),
        ({"protocol": "oeg"}, "All runs: a judge prompt other than the paper's."),
        ({"data": {}}, EMBEDDED_NOTE),
    ],
)  # fmt: skip
def test_each_departure_is_noted(changed: dict[str, Any], note: str) -> None:
    assert departure_notes([played("a", answers("1"), **AS_PUBLISHED | changed)]) == [note]


def test_the_toolset_is_noted_for_the_tools_protocol() -> None:
    notes = departure_notes([played("a", answers("1"), data=OFFICIAL, toolset="all")])
    assert notes[1:] == ["All runs: a toolset other than the published options."]


def test_a_departure_of_some_runs_names_them() -> None:
    runs = [
        played("a", answers("1"), **AS_PUBLISHED),
        played("b", answers("1"), **AS_PUBLISHED, forgiving=True),
    ]
    assert departure_notes(runs) == [
        "Suggestions that do not apply did not end the episode: openai:b."
    ]


def test_runs_on_the_embedded_suite_are_named_if_others_are_not() -> None:
    runs = [
        played("a", answers("1"), **AS_PUBLISHED),
        played("b", answers("1"), protocol="mcqa"),
    ]
    assert departure_notes(runs) == [EMBEDDED_NOTE, "On the embedded suite: openai:b."]


def test_failed_episodes_are_counted() -> None:
    assert departure_notes([played("a", answers("1--"), **AS_PUBLISHED)]) == [
        "2 episodes ended with an error and are left out."
    ]
