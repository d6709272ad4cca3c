from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from proactive_agent.metrics import PlayedRun
from proactive_agent.reports.first_turns import PUBLISHED_SHARE, first_turns
from proactive_agent.tools import UserError
from tests.proactive_agent.reports.comparison.playing import answers, played


def run(name: str, rights: str, samples: int = 4, **settings: Any) -> PlayedRun:
    """A run of a model on data with that many samples of COCO."""
    settings = {"provider": f"local:{name}", "protocol": "mcqa"} | settings
    made = played(name, answers(rights, "coco"), **settings)
    file = made.manifest.data.files["coco"]
    files = {"coco": file.model_copy(update={"samples": samples, "kept": samples})}
    data = made.manifest.data.model_copy(update={"files": files})
    return replace(made, manifest=made.manifest.model_copy(update={"data": data}))


def test_right_first_turns_are_counted_by_sample() -> None:
    found = first_turns([run("a", "1A01"), run("b", "0001")])
    assert found.models == ["local:a", "local:b"]
    assert found.right == {"coco": {0: 1, 1: 0, 2: 0, 3: 2}}, "A is right after asking"


@pytest.mark.parametrize(
    ("models", "needed"), [(1, 1), (4, 1), (5, 2), (8, 2), (21, 6), (22, 6), (24, 6), (25, 7)]
)
def test_at_least_a_quarter_of_the_models_drops_a_sample(models: int, needed: int) -> None:
    found = first_turns([run(str(number), "0000") for number in range(models)])
    assert found.needed(PUBLISHED_SHARE) == needed


def test_the_filter_keeps_the_other_samples() -> None:
    rights = ["1111", "0111", "0011", "0001"]
    found = first_turns([run(str(number), right) for number, right in enumerate(rights)])
    for share, kept in ((25, set()), (50, {0}), (75, {0, 1}), (100, {0, 1, 2})):
        assert found.kept(Fraction(share, 100)).filter == {"coco": frozenset(kept)}


@pytest.mark.parametrize(
    ("runs", "message"),
    [
        ([run("a", "1111"), run("a", "1111")], "two runs of local:a: run-a and run-a"),
        ([run("a", "1111"), run("b", "111", limit=3)],
         "run-b does not cover all samples: 3 of 4 of coco; play without --limit"),
        ([run("a", "11-1")], "samples met errors or were not reached"),
        ([run("a", "1111", condition="hint")], "run-a cannot be used: the condition is hint"),
        ([run("a", "1111", protocol="oeg")], "the protocol is oeg"),
        ([run("a", "1111", repeats=2)], "samples were played repeatedly"),
        ([run("a", "1111"), run("b", "1111", protocol="tools")],
         r"run-a and run-b differ in protocol \(mcqa, tools\)"),
        ([run("a", "1111"), run("b", "1111", file="1")],
         r"run-a and run-b used different data \(coco\)"),
    ],
)  # fmt: skip
def test_runs_that_do_not_cover_the_same_samples_are_refused(
    runs: Sequence[PlayedRun], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        first_turns(runs)


def test_a_filter_that_left_samples_out_is_named() -> None:
    filtered = run("a", "111")
    file = filtered.manifest.data.files["coco"].model_copy(update={"kept": 3})
    data = filtered.manifest.data.model_copy(update={"files": {"coco": file}})
    manifest = filtered.manifest.model_copy(update={"data": data})
    with pytest.raises(UserError, match="play with --condition unfiltered"):
        first_turns([replace(filtered, manifest=manifest)])


def test_runs_of_different_scenarios_are_refused() -> None:
    other = played("b", answers("1111", "rod"), provider="local:b", protocol="mcqa")
    with pytest.raises(UserError, match="only one of them has coco, rod; play both with the same"):
        first_turns([run("a", "1111"), other])
