"""What a run's episodes amount to (`protocol.md` section 4).

acc is the share of episodes that end with the right category; psr, the proactive suggestion rate,
is the mean of turns - 1.  Episodes that met an error count for neither; they are counted apart.
All sums are of whole numbers, so the order of the episodes does not matter.
"""

from collections import Counter
from collections.abc import Iterable

from pydantic import BaseModel

from proactive_agent.records import EpisodeRecord, TurnRecord, UsageRecord
from scenarios import SCENARIOS
from tools.actions import UNRELATED_REQUEST

COUNTED = ("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens")
PICODOLLARS = 10**12
"""Of a dollar.  A token costs some of them, so whole numbers lose nothing."""


class Actions(BaseModel):
    """How many turns did what."""

    proactive: int = 0
    """Asked for an intervention, or called `ask_clarification`."""
    abstain: int = 0
    predict: int = 0
    unrelated: int = 0
    """A message that called no tool and asked for nothing that helps."""
    invalid: int = 0
    """Could not be read."""


class ScenarioSummary(BaseModel):
    """One scenario of a run."""

    episodes: int
    """Played to their end."""
    errors: int
    """Not counted in anything below but `turns` and tokens."""
    correct: int
    acc: float | None
    """Share of right answers, 0 to 1; null without episodes."""
    psr: float | None
    """Mean of turns - 1, as published."""
    suggestions: float | None
    """Mean of suggestions made and accepted."""
    turn_limit: int
    """Episodes that asked until the turn limit."""
    turns: int
    actions: Actions
    invalid: dict[str, int]
    """Replies that stand for no action, by reason."""
    lenient_only: int
    """Replies that only the lenient parser understood."""
    input_tokens: int | None
    """Null where any reply's count is unknown."""
    output_tokens: int | None
    cached_tokens: int | None
    reasoning_tokens: int | None
    cost_usd: float | None
    """US dollars; null where any reply's cost is unknown."""
    cache_hits: int
    """Replies that were on disk and cost nothing."""


class Summary(BaseModel):
    """A run's `summary.json`."""

    scenarios: dict[str, ScenarioSummary]
    acc: float | None
    """Macro average over the scenarios."""
    psr: float | None
    errors: int


class Tally:
    """Running sums over episodes of one scenario."""

    def __init__(self) -> None:
        self.episodes = self.errors = self.correct = 0
        self.extra_turns = self.suggestions = self.turn_limit = self.turns = self.lenient_only = 0
        self.actions: Counter[str] = Counter()
        self.invalid: Counter[str] = Counter()
        self.counts: dict[str, int | None] = dict.fromkeys(COUNTED, 0)
        self.picodollars: int | None = 0
        self.cache_hits = 0

    def add(self, episode: EpisodeRecord) -> None:
        """Counts an episode in."""
        self.turns += len(episode.turns)
        for turn in episode.turns:
            self._add_usage(turn.usage)
        if episode.error is not None:
            self.errors += 1
            return
        self.episodes += 1
        self.correct += episode.outcome.correct
        self.extra_turns += episode.outcome.turns - 1
        self.suggestions += episode.outcome.suggestions
        self.turn_limit += episode.outcome.stop == "turn_limit"
        for turn in episode.turns:
            self._add_turn(turn)

    def _add_usage(self, usage: UsageRecord) -> None:
        for name, total in self.counts.items():
            self.counts[name] = _plus(total, getattr(usage, name))
        cost = usage.cost_usd
        self.picodollars = _plus(
            self.picodollars, None if cost is None else round(cost * PICODOLLARS)
        )
        self.cache_hits += usage.cache_hits

    def _add_turn(self, turn: TurnRecord) -> None:
        self.actions[_kind(turn)] += 1
        if turn.action.why is not None:
            self.invalid[turn.action.why] += 1
        unread = (turn.verdict.suggestion, turn.verdict.category) == ("mismatch", "mismatch")
        self.lenient_only += unread and turn.lenient_verdict is not None

    def summary(self) -> ScenarioSummary:
        """The sums as metrics."""
        return ScenarioSummary(
            episodes=self.episodes,
            errors=self.errors,
            correct=self.correct,
            acc=self._mean(self.correct),
            psr=self._mean(self.extra_turns),
            suggestions=self._mean(self.suggestions),
            turn_limit=self.turn_limit,
            turns=self.turns,
            actions=Actions(**self.actions),
            invalid=dict(sorted(self.invalid.items())),
            lenient_only=self.lenient_only,
            **self.counts,
            cost_usd=None if self.picodollars is None else self.picodollars / PICODOLLARS,
            cache_hits=self.cache_hits,
        )

    def _mean(self, total: int) -> float | None:
        return total / self.episodes if self.episodes else None


class Tallies:
    """Running sums of a whole run."""

    def __init__(self) -> None:
        self.by_scenario: dict[str, Tally] = {}

    def add(self, episode: EpisodeRecord) -> None:
        """Counts an episode in."""
        self.by_scenario.setdefault(episode.scenario, Tally()).add(episode)

    def summary(self) -> Summary:
        """The metrics so far, scenarios in the paper's order."""
        known = [name for name in SCENARIOS if name in self.by_scenario]
        scenarios = {name: self.by_scenario[name].summary() for name in known}
        return Summary(
            scenarios=scenarios,
            acc=_macro(s.acc for s in scenarios.values()),
            psr=_macro(s.psr for s in scenarios.values()),
            errors=sum(s.errors for s in scenarios.values()),
        )


def summarise(episodes: Iterable[EpisodeRecord]) -> Summary:
    """The metrics of a run."""
    tallies = Tallies()
    for episode in episodes:
        tallies.add(episode)
    return tallies.summary()


def _kind(turn: TurnRecord) -> str:
    if turn.via == "text" and turn.action.tool == UNRELATED_REQUEST.tool:
        return "unrelated"
    kinds = {"intervention": "proactive", "answer": "predict"}
    return kinds.get(turn.action.kind, turn.action.kind)


def _macro(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _plus(total: int | None, value: int | None) -> int | None:
    return None if total is None or value is None else total + value
