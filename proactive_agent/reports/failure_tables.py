"""Counts the failures of a run by group and scenario, with example episodes."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pydantic import BaseModel

from proactive_agent.records.episode import EpisodeKey
from proactive_agent.records.failure_groups import FailureGroup
from proactive_agent.records.failures import Episode, group
from proactive_agent.reports.tables import percent
from proactive_agent.reports.tables.grid import Cell, Grid, Group, Line
from proactive_agent.scenarios import SCENARIOS
from proactive_agent.terminal.console import plain

NONE = "·"
EXAMPLES = 2
"""Examples per group, from different scenarios if possible."""


class Share(BaseModel):
    """A number of episodes and their share of a whole."""

    episodes: int
    share: float
    """0 to 1."""


class GroupSummary(BaseModel):
    """The failures of one group."""

    name: str
    title: str
    meaning: str
    episodes: int
    share: float
    """Share of all failures, 0 to 1."""
    scenarios: dict[str, Share]
    """Number of these failures and their share of the episodes, by scenario that has any."""
    examples: list[EpisodeKey]


class Failures(BaseModel):
    """The failures of a run, as `why` shows them."""

    episodes: int
    failed: int
    right: dict[str, Share]
    """Right episodes by scenario."""
    groups: list[GroupSummary]
    """Largest group first."""


class _GroupFound(NamedTuple):
    group: FailureGroup
    counts: Counter[str]
    examples: list[EpisodeKey]


def find_failures(episodes: Iterable[Episode]) -> Failures:
    """Counts failures by group and scenario. The first episodes of a group are its examples."""
    played: Counter[str] = Counter()
    right: Counter[str] = Counter()
    found: dict[FailureGroup, _GroupFound] = {}
    for episode in episodes:
        played[episode.scenario] += 1
        failure = group(episode)
        if failure is None:
            right[episode.scenario] += 1
            continue
        one = found.setdefault(failure, _GroupFound(failure, Counter(), []))
        one.counts[episode.scenario] += 1
        _keep_example(one.examples, episode.key)
    failed = played.total() - right.total()
    largest_first = sorted(found.values(), key=lambda one: -one.counts.total())
    return Failures(
        episodes=played.total(),
        failed=failed,
        right={name: _share(right[name], played[name]) for name in _in_order(played)},
        groups=[_summary(one, failed, played) for one in largest_first],
    )


def failures_grid(title: str, failures: Failures) -> Grid:
    """Makes a table with a line per group and a column per scenario (per cent of its episodes)."""
    right = [Cell(percent(share.share)) for share in failures.right.values()]
    lines = [Line("right", [Cell(f"{failures.episodes - failures.failed:,}"), *right], strong=True)]
    for one in failures.groups:
        shares = [one.scenarios.get(name) for name in failures.right]
        cells = [Cell(percent(share.share) if share else NONE) for share in shares]
        lines.append(Line(one.title, [Cell(f"{one.episodes:,}"), *cells]))
    columns = ["n", *map(_short, failures.right)]
    return Grid(f"{title}; n, and % of a scenario's episodes", columns, [Group(lines)])


def _keep_example(examples: list[EpisodeKey], key: EpisodeKey) -> None:
    if len(examples) < EXAMPLES:
        examples.append(key)
    elif examples[-1].scenario == examples[0].scenario != key.scenario:
        examples[-1] = key


def _summary(one: _GroupFound, failed: int, played: Counter[str]) -> GroupSummary:
    return GroupSummary(
        name=one.group.name,
        title=one.group.title,
        meaning=one.group.meaning,
        episodes=one.counts.total(),
        share=one.counts.total() / failed,
        scenarios={n: _share(one.counts[n], played[n]) for n in _in_order(one.counts)},
        examples=one.examples,
    )


def _share(part: int, whole: int) -> Share:
    return Share(episodes=part, share=part / whole)


def _in_order(names: Iterable[str]) -> Sequence[str]:
    """Sorts scenarios in the paper's order. Unknown ones come last."""
    present = set(names)
    return [name for name in SCENARIOS if name in present] + sorted(present - set(SCENARIOS))


def _short(scenario: str) -> str:
    return SCENARIOS[scenario].title if scenario in SCENARIOS else plain(scenario)
