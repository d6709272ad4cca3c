"""Labelled requests to the simulated user, against which its readings are measured.

`requests.jsonl` holds a line of JSON per request:

    {"scenario": "coco", "request": "Zoom out, please.", "expected": "move_camera(farther)",
     "held_out": false}

`expected` is an intervention, a tool without a direction ("move_camera", any direction is right),
`vague` or `none`. Labelling rules: the first change that the request names counts. It is `vague` if
it wishes for help, more information or a better picture without naming a change, and `none` if it
asks for a change that the scenario does not have, or for no change at all.

The rules were widened on the requests that are not `held_out`. The others were written and labelled
before that, and only their totals are looked at.
"""

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from proactive_agent.metrics.statistics import Estimate
from proactive_agent.metrics.statistics.shares import Proportion, estimate_of
from proactive_agent.play.budget import Budget
from proactive_agent.play.model_user import NONE, VAGUE, ModelUser, UserReplyError
from proactive_agent.play.simulated_user import understand
from proactive_agent.providers import ProviderError, RequestKey
from proactive_agent.reports.judge_agreement.agreement import each
from proactive_agent.reports.tables.grid import Cell, Grid, Group, Line
from proactive_agent.reports.tables.numbers import percent_cell
from proactive_agent.scenarios import SCENARIOS
from proactive_agent.tools import Intervention, Vague

REQUESTS_FILE = Path(__file__).with_name("requests.jsonl")
"""The labelled requests that are part of the package."""


class LabelledRequest(BaseModel):
    """A request with its label."""

    model_config = ConfigDict(extra="forbid")

    scenario: str
    request: str
    expected: str
    held_out: bool

    @property
    def interventions(self) -> list[Intervention]:
        """The interventions of the scenario."""
        return list(dict.fromkeys(SCENARIOS[self.scenario].keywords.values()))

    def is_right(self, found: str) -> bool:
        """Whether a reading agrees with the label."""
        return found == self.expected or found.startswith(f"{self.expected}(")


class RequestScores(NamedTuple):
    """How well the readings of requests agree with their labels, with Wilson intervals."""

    agreement: Estimate
    """Share of all requests that are read as labelled."""
    recall: Estimate
    """Share of the requests for an intervention that are read as that intervention."""
    precision: Estimate
    """Share of the requests read as an intervention whose label it is."""
    vague: Estimate
    """Share of the vague requests that are read as vague."""
    none: Estimate
    """Share of the other requests that are read as asking for nothing that is possible."""


def read_requests(*, held_out: bool) -> list[LabelledRequest]:
    """Reads the embedded requests of one part."""
    lines = REQUESTS_FILE.read_text(encoding="utf-8").splitlines()
    requests = map(LabelledRequest.model_validate_json, lines)
    return [request for request in requests if request.held_out is held_out]


def read_by_rules(request: LabelledRequest) -> str:
    """Returns the reading of a request by the rules, in the form of a label."""
    action = understand(request.request, request.interventions, random.Random(0)).action
    if isinstance(action, Vague):
        return VAGUE
    return str(action) if action in request.interventions else NONE


async def read_all(
    user: ModelUser | None,
    requests: Sequence[LabelledRequest],
    on_read: Callable[[], None],
    concurrency: int | None = None,
    budget: Budget | None = None,
) -> list[str | ProviderError | UserReplyError]:
    """Returns the readings of requests by a model, or by the rules if `user` is None.

    Errors are returned in place of their readings. Raises UserError, StoppedError.
    """

    async def read(number: int, one: LabelledRequest) -> str | ProviderError | UserReplyError:
        if user is None:
            return read_by_rules(one)
        key = RequestKey(one.scenario, number, 0)
        try:
            found = await user.read(one.request, one.interventions, key, budget)
        except (ProviderError, UserReplyError) as error:
            return error
        return str(found.choice or (VAGUE if found.is_vague else NONE))

    at_once = concurrency or (user.provider.concurrency if user else 1)
    return await each(requests, read, on_read, at_once)


def requests_grid(
    title: str, requests: Sequence[LabelledRequest], readings: Sequence[str | Exception]
) -> Grid:
    """Makes the table of scores, with a line for development and one for held-out requests."""
    lines = []
    for name, held_out in (("development", False), ("held out", True)):
        pairs = [
            (one, found)
            for one, found in zip(requests, readings, strict=True)
            if one.held_out is held_out and isinstance(found, str)
        ]
        if pairs:
            scores = score_requests(*zip(*pairs, strict=True))
            cells = [Cell(str(len(pairs))), *map(percent_cell, scores)]
            lines.append(Line(name, cells))
    return Grid(title, ["", *(f"{name} %" for name in RequestScores._fields)], [Group(lines)])


def score_requests(requests: Sequence[LabelledRequest], readings: Sequence[str]) -> RequestScores:
    """Compares readings with labels."""
    pairs = list(zip(requests, readings, strict=True))
    right = [request.is_right(found) for request, found in pairs]

    def part(chosen: Callable[[str, str], bool]) -> Estimate:
        hits = [
            hit
            for (request, found), hit in zip(pairs, right, strict=True)
            if chosen(request.expected, found)
        ]
        return estimate_of(Proportion(sum(hits) / len(hits), len(hits)) if hits else None)

    other = (VAGUE, NONE)
    return RequestScores(
        agreement=part(lambda expected, found: True),
        recall=part(lambda expected, found: expected not in other),
        precision=part(lambda expected, found: found not in other),
        vague=part(lambda expected, found: expected == VAGUE),
        none=part(lambda expected, found: expected == NONE),
    )
