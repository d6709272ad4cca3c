"""Tells luck from recognition in the last turn of an episode.

Every function accepts whole records and outlines.
"""

from proactive_agent.records.episode import EpisodeRecord, TurnRecord
from proactive_agent.records.failure_groups import BY_LUCK
from proactive_agent.records.outline import EpisodeOutline, TurnOutline
from proactive_agent.scenarios import SCENARIOS
from proactive_agent.settings.condition_label import parts_of

CLEAR_FRAMES = frozenset({"clear", "reference"})
"""Conditions whose only frame is the reference frame or the clear frame, both informative."""


def is_informed(episode: EpisodeRecord | EpisodeOutline) -> bool | None:
    """Whether an episode ended with the right category on an informative frame; None if unknown."""
    if not episode.outcome.correct:
        return False
    return on_informative_frame(episode)


def on_informative_frame(episode: EpisodeRecord | EpisodeOutline) -> bool | None:
    """Whether the last frame is informative: no suggestion leads closer to the reference frame.

    Returns None if that is unknown. For records without the field `enough` it follows from their
    suggestions, except in scenarios where a suggestion can lead away from the reference frame.
    """
    if not episode.turns:
        return None
    *earlier, last = episode.turns
    if last.enough is not None:
        return last.enough
    if CLEAR_FRAMES & set(parts_of(episode.condition)):
        return True
    if episode.fewest is None:
        return None
    made = sum(turn.verdict.suggestion == "correct" for turn in earlier)
    scenario = SCENARIOS.get(episode.scenario)
    if made < episode.fewest or made == 0:
        return made >= episode.fewest
    return None if scenario is None or scenario.can_lead_away else True


def luck_of(episode: EpisodeRecord | EpisodeOutline, turn: TurnRecord | TurnOutline) -> str | None:
    """Says why a turn with the right category does not count; None for all other turns.

    Such a state accepts no category, and the verdict on the turn is `wrong`.
    """
    if turn.action.kind != "answer" or turn.action.category != episode.target:
        return None
    verdicts = [turn.verdict, turn.lenient_verdict or turn.verdict]
    if any(verdict.category == "correct" for verdict in verdicts):
        return None
    where = "the first turn" if turn is episode.turns[0] else "this turn"
    return f"{BY_LUCK}: no category counts in {where}"
