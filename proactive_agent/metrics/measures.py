"""What one episode contributes to the metrics, as a row of numbers.

Rows are summed over the repeats of a sample and over samples; each metric is one sum over another
(`RATIOS`).  Episodes are taken as records or as outlines, which read alike.
"""

from collections.abc import Sequence
from functools import cache
from math import nan
from typing import NamedTuple

from proactive_agent.records.episode import EpisodeRecord, TurnRecord, VerdictRecord
from proactive_agent.records.outline import EpisodeOutline, TurnOutline, VerdictOutline
from proactive_agent.scenarios import SCENARIOS
from proactive_agent.tools.actions import UNRELATED_REQUEST
from proactive_agent.tools.phrases import requests_in

Episode = EpisodeOutline | EpisodeRecord
Turn = TurnOutline | TurnRecord
Verdict = VerdictOutline | VerdictRecord
Row = tuple[float, ...]

ACTION_KINDS = ("proactive", "abstain", "predict", "unrelated", "invalid")

_COURSE = (
    "episodes", "correct", "extra_turns", "suggestions", "turn_limit", "right_at_once", "made",
    "fewest",
)  # fmt: skip
_CALLS = ("calls", "valid_calls", "scene_calls", "fitting_calls", "right_calls")
_PARSERS = ("parser_gap", "parser_open", "lenient_only")
_FIRST = ("asked_at_once", "judged", "cc", "ps", "agg", "judge_problems")
_MEAN_COSTS = ("input_tokens", "output_tokens", "cost_usd", "seconds")
_COSTS = (
    "turns", *_MEAN_COSTS, "cached_tokens", "reasoning_tokens", "cache_hits", "judge_cost_usd",
)  # fmt: skip
COLUMNS = (*_COURSE, *ACTION_KINDS, *_CALLS, *_PARSERS, *_FIRST, *_COSTS)

_NOTHING = (0,) * len(COLUMNS)
_NO_CALLS = (0,) * len(_CALLS)
_NO_PARTING = (0,) * len(_PARSERS)
_UNRELATED = UNRELATED_REQUEST.tool


class Ratio(NamedTuple):
    """A metric: the sum of one column over that of another."""

    over: str
    of: str
    share: bool = False
    """Whether the first are some of the second."""


RATIOS = {
    "acc": Ratio("correct", "episodes", share=True),
    "psr": Ratio("extra_turns", "episodes"),
    "suggestions": Ratio("suggestions", "episodes"),
    "efficiency": Ratio("made", "fewest"),
    "at_limit": Ratio("turn_limit", "episodes", share=True),
    "right_at_once": Ratio("right_at_once", "episodes", share=True),
    "asked_at_once": Ratio("asked_at_once", "episodes", share=True),
    **{kind: Ratio(kind, "turns", share=True) for kind in ACTION_KINDS},
    "valid_calls": Ratio("valid_calls", "calls", share=True),
    "fitting_calls": Ratio("fitting_calls", "scene_calls", share=True),
    "right_calls": Ratio("right_calls", "fitting_calls", share=True),
    "parser_gap": Ratio("parser_gap", "episodes"),
    "cc": Ratio("cc", "judged", share=True),
    "ps": Ratio("ps", "judged", share=True),
    "agg": Ratio("agg", "judged", share=True),
    **{f"mean_{cost}": Ratio(cost, "episodes") for cost in _MEAN_COSTS},
}
"""By the names of `Rates`."""


def measure(episode: Episode) -> Row:
    """The row of an episode, in the order of COLUMNS.

    One that met an error has costs and nothing else.
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


def _is_unrelated(turn: Turn) -> bool:
    return turn.action.tool == _UNRELATED and turn.via == "text"


def _course(episode: Episode) -> Row:
    outcome = episode.outcome
    right, turns, suggestions = outcome.correct, outcome.turns, outcome.suggestions
    # Who is right without having asked was not on the way.
    fewest = (episode.fewest or 0) if right and suggestions else 0
    return (
        1,
        right,
        turns - 1,
        suggestions,
        outcome.stop == "turn_limit",
        right and turns == 1,
        suggestions if fewest else 0,
        fewest,
    )


def _turns(turns: Sequence[Turn]) -> Row:
    kinds = [turn.action.kind for turn in turns]
    unrelated = sum(turn.via == "text" for turn in turns if turn.action.tool == _UNRELATED)
    return (
        kinds.count("intervention") - unrelated,
        kinds.count("abstain"),
        kinds.count("answer"),
        unrelated,
        kinds.count("invalid"),
    )


def _calls(episode: Episode) -> Row:
    """Calls; of those that are valid and change the scene, whether such a change is one of the
    scenario's, and whether this state accepts it."""
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
    """What the lenient parser would have changed, and replies that only it understood."""
    if episode.protocol != "mcqa":
        return _NO_PARTING
    differing = [turn for turn in episode.turns if turn.lenient_verdict is not None]
    if not differing:
        return _NO_PARTING
    unread = [t for t in differing if t.verdict.suggestion == t.verdict.category == "mismatch"]
    return (*_parting(episode), len(unread))


def _parting(episode: Episode) -> tuple[int, int]:
    """Whether the lenient parser gains a right episode (1) or loses it (-1), and whether that is
    unknown.

    Up to the first turn that ends the episode by one parser and not, or otherwise, by the other
    both play the same one.  What would have come after it is unknown where the parser that did not
    drive reads a suggestion there; such an episode counts as no difference.
    """
    right, last = episode.outcome.correct, episode.turns[-1]
    for turn in episode.turns:
        if turn.lenient_verdict is None:
            continue
        at_limit = turn is last and episode.outcome.stop == "turn_limit"
        official = _end(turn.verdict, at_limit)
        lenient = _end(turn.lenient_verdict, at_limit)
        if official == lenient:
            continue
        happened = "none" if turn is not last else "right" if right else "wrong"
        other = lenient if official == happened else official
        if other == "none":
            return (0, 1)
        gain = (other == "right") - right
        return (gain if other == lenient else -gain, 0)
    return (0, 0)


def _end(verdict: Verdict, at_limit: bool) -> str:
    """How a turn that is judged like this ends the episode."""
    if verdict.category == "correct":
        return "right"
    return "none" if verdict.suggestion == "correct" and not at_limit else "wrong"


def _first(episode: Episode) -> Row:
    """The first turn: whether it asks, and how it is judged as an open-ended answer."""
    turn = episode.turns[0]
    if turn.judgement is None:
        return (_asks(turn), 0, 0, 0, 0, 0)
    met = {answer.kind for answer in turn.judgement.answers if answer.met}
    asks, names = "proactive" in met, "category" in met
    problem = turn.judgement.problem is not None
    return (asks, 1, names, asks, asks or names, problem)


def _asks(turn: Turn) -> bool:
    """Whether help is asked for, be it possible or not; also in words, where none is needed."""
    if _is_unrelated(turn):
        return bool(requests_in(turn.action.question or ""))
    return turn.action.kind == "intervention"


def _costs(episode: Episode) -> Row:
    usage = episode.usage
    return (
        len(episode.turns),
        _known(usage.input_tokens),
        _known(usage.output_tokens),
        _known(usage.cost_usd),
        _known(usage.seconds),
        _known(usage.cached_tokens),
        _known(usage.reasoning_tokens),
        usage.cache_hits,
        sum(map(_judging, episode.turns)) if episode.protocol == "oeg" else 0,
    )


def _judging(turn: Turn) -> float:
    """What the judge cost; rules cost nothing."""
    judgement = turn.judgement
    if judgement is None or judgement.judge.startswith("rules"):
        return 0
    return _known(judgement.usage.cost_usd)


def _known(value: float | None) -> float:
    """A number, NaN where it is unknown."""
    return nan if value is None else value
