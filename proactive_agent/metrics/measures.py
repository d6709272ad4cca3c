"""Measures an episode as a row of numbers.

Rows are summed over the repeats of a sample and over samples. Each metric is the ratio of two sums
(`RATIOS`). Episodes can be whole records or outlines.
"""

from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from math import nan
from typing import NamedTuple

from proactive_agent.records.episode import CUT_OFF, EpisodeRecord, TurnRecord, VerdictRecord
from proactive_agent.records.last_answer import is_informed
from proactive_agent.records.outline import EpisodeOutline, TurnOutline, VerdictOutline
from proactive_agent.scenarios import SCENARIOS
from proactive_agent.tools.actions import UNRELATED_REQUEST
from proactive_agent.tools.phrases import requests_in

Episode = EpisodeOutline | EpisodeRecord
Turn = TurnOutline | TurnRecord
Verdict = VerdictOutline | VerdictRecord
Row = tuple[float, ...]

ACTION_KINDS = ("proactive", "vague", "abstain", "predict", "unrelated", "invalid")

_COURSE = (
    "episodes", "correct", "informed", "extra_turns", "suggestions", "turn_limit", "right_at_once",
    "extra_asks", "right_with_fewest",
)  # fmt: skip
_CALLS = ("calls", "valid_calls", "scene_calls", "fitting_calls", "right_calls")
_PARSERS = ("parser_gap", "parser_open", "lenient_only")
_FIRST = ("asked_at_once", "judged", "cc", "ps", "agg", "judge_problems")
_MEAN_COSTS = ("input_tokens", "output_tokens", "cost_usd", "seconds")
_COSTS = (
    "turns", "cut_off", *_MEAN_COSTS, "cached_tokens", "reasoning_tokens", "cache_hits",
    "judge_cost_usd", "user_cost_usd",
)  # fmt: skip
COLUMNS = (*_COURSE, *ACTION_KINDS, *_CALLS, *_PARSERS, *_FIRST, *_COSTS)

_NOTHING = (0,) * len(COLUMNS)
_NO_CALLS = (0,) * len(_CALLS)
_NO_DIFFERENCE = (0,) * len(_PARSERS)
_UNRELATED = UNRELATED_REQUEST.tool


class Ratio(NamedTuple):
    """A metric: the sum of one column divided by the sum of another."""

    over: str
    of: str
    share: bool = False
    """Whether the things that `over` counts are a subset of those that `of` counts."""


RATIOS = {
    "acc": Ratio("correct", "episodes", share=True),
    "informed": Ratio("informed", "episodes", share=True),
    "psr": Ratio("extra_turns", "episodes"),
    "suggestions": Ratio("suggestions", "episodes"),
    "extra_asks": Ratio("extra_asks", "right_with_fewest"),
    "at_limit": Ratio("turn_limit", "episodes", share=True),
    "right_at_once": Ratio("right_at_once", "episodes", share=True),
    "asked_at_once": Ratio("asked_at_once", "episodes", share=True),
    **{kind: Ratio(kind, "turns", share=True) for kind in ACTION_KINDS},
    "cut_off": Ratio("cut_off", "turns", share=True),
    "valid_calls": Ratio("valid_calls", "calls", share=True),
    "fitting_calls": Ratio("fitting_calls", "scene_calls", share=True),
    "right_calls": Ratio("right_calls", "fitting_calls", share=True),
    "parser_gap": Ratio("parser_gap", "episodes"),
    "cc": Ratio("cc", "judged", share=True),
    "ps": Ratio("ps", "judged", share=True),
    "agg": Ratio("agg", "judged", share=True),
    **{f"mean_{cost}": Ratio(cost, "episodes") for cost in _MEAN_COSTS},
}
"""All ratio metrics, by the field names of `Rates`."""


def measure(episode: Episode) -> Row:
    """Returns the row of an episode, in the order of COLUMNS.

    An episode that ended with an error has only costs.
    """
    if not episode.turns:
        return _NOTHING
    if episode.error is not None:
        return (*_NOTHING[: -len(_COSTS)], *_costs(episode))
    return (
        *_course(episode),
        *_turns(episode.turns),
        *_calls(episode),
        *_parsers(episode),
        *_first(episode),
        *_costs(episode),
    )


class Tallies:
    """Running sums of a run's episodes, without intervals. Each episode must be added once."""

    def __init__(self) -> None:
        self.errors = 0
        self._sums: defaultdict[str, list[float]] = defaultdict(lambda: [0.0] * len(COLUMNS))

    def add(self, episode: Episode) -> None:
        """Adds an episode to the sums."""
        if episode.error is not None:
            self.errors += 1
            return
        sums = self._sums[episode.scenario]
        for index, value in enumerate(measure(episode)):
            sums[index] += value

    @property
    def acc(self) -> float | None:
        """The macro average of acc so far."""
        return self._macro("acc")

    @property
    def psr(self) -> float | None:
        """The macro average of psr so far."""
        return self._macro("psr")

    def _macro(self, name: str) -> float | None:
        over, of = COLUMNS.index(RATIOS[name].over), COLUMNS.index(RATIOS[name].of)
        values = [sums[over] / sums[of] for sums in self._sums.values()]
        return sum(values) / len(values) if values else None


def _is_unrelated(turn: Turn) -> bool:
    return turn.action.tool == _UNRELATED and turn.via == "text"


def extra_turns(episode: Episode) -> int:
    """Returns the turns before the last one, without those with a vague question."""
    return sum(turn.action.kind != "vague" for turn in episode.turns[:-1])


def _course(episode: Episode) -> Row:
    outcome = episode.outcome
    right, turns, suggestions = outcome.correct, outcome.turns, outcome.suggestions
    informed = is_informed(episode)
    comparable = right and episode.fewest is not None
    return (
        1,
        right,
        nan if informed is None else informed,
        extra_turns(episode),
        suggestions,
        outcome.stop == "turn_limit",
        right and turns == 1,
        turns - 1 - (episode.fewest or 0) if comparable else 0,
        comparable,
    )


def _turns(turns: Sequence[Turn]) -> Row:
    kinds = [turn.action.kind for turn in turns]
    unrelated = sum(turn.via == "text" for turn in turns if turn.action.tool == _UNRELATED)
    return (
        kinds.count("intervention") - unrelated,
        kinds.count("vague"),
        kinds.count("abstain"),
        kinds.count("answer"),
        unrelated,
        kinds.count("invalid"),
    )


def _calls(episode: Episode) -> Row:
    """Counts tool calls: all, valid ones, and valid ones that change the scene.

    Of the last, counts those whose tool the scenario has, and those that the state accepts.
    """
    if episode.protocol != "tools":
        return _NO_CALLS
    own = _tools_of(episode.scenario)
    calls = valid = scene = fitting = right = 0
    for turn in episode.turns:
        if turn.via == "call":
            action = turn.action
            calls += 1
            valid += action.kind != "invalid"
            if action.kind == "intervention" and action.question is None:
                scene += 1
                if action.tool in own:
                    fitting += 1
                    right += turn.verdict.suggestion == "correct"
    return (calls, valid, scene, fitting, right)


@cache
def _tools_of(scenario: str) -> frozenset[str]:
    return frozenset(found.tool for found in SCENARIOS[scenario].keywords.values())


def _parsers(episode: Episode) -> Row:
    """Counts how the lenient parser changes the result, and the replies that only it understood."""
    if episode.protocol != "mcqa":
        return _NO_DIFFERENCE
    differing = [turn for turn in episode.turns if turn.lenient_verdict is not None]
    if not differing:
        return _NO_DIFFERENCE
    unread = [t for t in differing if t.verdict.suggestion == t.verdict.category == "mismatch"]
    return (*_parser_difference(episode), len(unread))


def _parser_difference(episode: Episode) -> tuple[int, int]:
    """Returns the lenient parser's gain (1, 0 or -1 right episodes), and 1 if that is unknown.

    Both parsers play the same episode up to the first turn that they end differently. If the
    parser that was not used reads an accepted suggestion in that turn, the rest is unknown. Such
    an episode counts as no difference.
    """
    right, last = episode.outcome.correct, episode.turns[-1]
    for turn in episode.turns:
        if turn.lenient_verdict is None:
            continue
        ends = turn is last and episode.outcome.stop in ("turn_limit", "left_video")
        official = _end(turn.verdict, ends)
        lenient = _end(turn.lenient_verdict, ends)
        if official == lenient:
            continue
        happened = "none" if turn is not last else "right" if right else "wrong"
        other = lenient if official == happened else official
        if other == "none":
            return (0, 1)
        gain = (other == "right") - right
        return (gain if other == lenient else -gain, 0)
    return (0, 0)


def _end(verdict: Verdict, ends: bool) -> str:
    """Returns how a turn with this verdict ends the episode: `right`, `wrong` or `none`.

    `ends`: the episode ends after this turn, even if a suggestion was accepted.
    """
    if verdict.category == "correct":
        return "right"
    return "none" if verdict.suggestion == "correct" and not ends else "wrong"


def _first(episode: Episode) -> Row:
    """Measures the first turn: whether it asks, and its verdict as an open-ended answer."""
    turn = episode.turns[0]
    if turn.judgement is None:
        return (_asks(turn), 0, 0, 0, 0, 0)
    met = {answer.kind for answer in turn.judgement.answers if answer.met}
    asks, names = "proactive" in met, "category" in met
    problem = turn.judgement.problem is not None
    return (asks, 1, names, asks, asks or names, problem)


def _asks(turn: Turn) -> bool:
    """Whether a turn asks for help, possible, vague or not, with a call or in words."""
    if _is_unrelated(turn):
        return bool(requests_in(turn.action.question or ""))
    return turn.action.kind in ("intervention", "vague")


def _costs(episode: Episode) -> Row:
    usage = episode.usage
    return (
        len(episode.turns),
        sum(turn.reply.finish_reason == CUT_OFF for turn in episode.turns),
        _known(usage.input_tokens),
        _known(usage.output_tokens),
        _known(usage.cost_usd),
        _known(usage.seconds),
        _known(usage.cached_tokens),
        _known(usage.reasoning_tokens),
        usage.cache_hits,
        sum(map(_judge_cost, episode.turns)) if episode.protocol == "oeg" else 0,
        sum(_known(turn.user.usage.cost_usd) for turn in episode.turns if turn.user),
    )


def _judge_cost(turn: Turn) -> float:
    """The cost of the judge; rules cost nothing."""
    judgement = turn.judgement
    if judgement is None or judgement.judge.startswith("rules"):
        return 0
    return _known(judgement.usage.cost_usd)


def _known(value: float | None) -> float:
    """Returns the value, or NaN if it is unknown."""
    return nan if value is None else value
