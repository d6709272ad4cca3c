"""The labelled requests, and scores in `docs/protocol.md`, section "The simulated user"."""

from collections import Counter
from pathlib import Path

import pytest

from proactive_agent.metrics.statistics import Estimate
from proactive_agent.reports.judge_agreement.requests import (
    LabelledRequest,
    RequestScores,
    read_by_rules,
    read_requests,
    score_requests,
)
from proactive_agent.scenarios import SCENARIOS

PAGE = Path(__file__).parents[4] / "docs" / "protocol.md"
PARTS = {"development": read_requests(held_out=False), "held out": read_requests(held_out=True)}


def scores(requests: list[LabelledRequest]) -> RequestScores:
    return score_requests(requests, list(map(read_by_rules, requests)))


def shown(found: Estimate) -> str:
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    return f"{100 * found.value:.1f} ({100 * found.low:.0f}–{100 * found.high:.0f})"


@pytest.mark.parametrize("name", PARTS)
def test_the_page_shows_the_scores_of_the_rules(name: str) -> None:
    cells = [name, str(len(PARTS[name])), *map(shown, scores(PARTS[name]))]
    assert f"| {' | '.join(cells)} |" in PAGE.read_text(encoding="utf-8").splitlines()


def test_labels_name_what_a_scenario_has_and_no_request_occurs_twice() -> None:
    every = [request for part in PARTS.values() for request in part]
    for request in every:
        known = {"vague", "none"}
        for one in request.interventions:
            known |= {str(one).removesuffix("()"), one.tool}
        assert request.expected in known, request
    assert len({(one.scenario, one.request) for one in every}) == len(every)
    held_out = {one.request for one in PARTS["held out"]}
    assert not held_out & {one.request for one in PARTS["development"]}


def test_every_scenario_has_held_out_requests_of_each_kind() -> None:
    kinds = ("vague", "none")
    found = Counter(
        (one.scenario, one.expected if one.expected in kinds else "change")
        for one in PARTS["held out"]
    )
    assert len(PARTS["held out"]) >= 70
    for scenario in SCENARIOS:
        assert all(found[scenario, kind] for kind in (*kinds, "change"))


def test_scores_count_what_they_say() -> None:
    def one(expected: str) -> LabelledRequest:
        return LabelledRequest(scenario="coco", request="?", expected=expected, held_out=False)

    requests = [
        one("move_camera(left)"), one("move_camera(left)"), one("move_camera"), one("vague"),
        one("none"),
    ]  # fmt: skip
    readings = ["move_camera(left)", "none", "move_camera(up)", "move_camera(up)", "none"]
    found = score_requests(requests, readings)
    assert found.agreement.value == 3 / 5
    assert found.recall.value == 2 / 3
    assert found.precision.value == 2 / 3
    assert found.vague.value == 0
    assert found.none.value == 1
