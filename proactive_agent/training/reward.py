"""Judges replies in training, for the rule in `play/reward.py`.

Replies are read and judged by the same code as in a run.
"""

import random
from collections.abc import Callable
from typing import Literal

from proactive_agent.play.protocols import Protocol
from proactive_agent.play.reward import Kind, RewardRule, Score
from proactive_agent.play.seeds import derive_seed
from proactive_agent.providers import Reply
from proactive_agent.scenarios import Environment
from proactive_agent.scenarios.sample import Sample
from proactive_agent.tools import Abstain, Action, Answer, Intervention, Vague
from proactive_agent.tools.actions import UNRELATED_REQUEST
from proactive_agent.training.prompts import state_of
from proactive_agent.training.rows import QuestionRow
from proactive_agent.training.settings import TrainingSettings

LogMetric = Callable[[str, float], None]
"""TRL's function that logs a metric by name."""


def rule_of(settings: TrainingSettings) -> RewardRule:
    """Returns the rule of the settings."""
    return RewardRule(
        settings.reward_suggestion, settings.suggestion_price, settings.over_asking_penalty
    )


def score_row(row: QuestionRow, reply: Reply, protocol: Protocol, seed: int = 0) -> Score:
    """Judges a reply to a row. Never raises, for any text of the model."""
    return score_reply(state_of(row), reply, protocol, row.clear, seed)


def score_reply(
    state: Environment[Sample], reply: Reply, protocol: Protocol, clear: bool, seed: int = 0
) -> Score:
    """Judges a reply in a state. The simulated user reads questions in free text."""
    user_rng = random.Random(derive_seed(seed, state.name, state.sample.id))
    reading = protocol.read_by_rules(reply, state.observe(), state, user_rng)
    action = reading.action
    verdicts = state.judge(action)
    return Score(
        kind=_kind(action, reading.via),
        category=verdicts.category == "correct",
        suggestion=verdicts.suggestion == "correct",
        clear=clear,
    )


def _kind(action: Action, via: Literal["call", "text"]) -> Kind:
    match action:
        case Intervention():
            return "unrelated" if via == "text" and action == UNRELATED_REQUEST else "ask"
        case Answer():
            return "answer"
        case Abstain():
            return "abstain"
        case Vague():
            return "vague"
        case _:
            return "invalid"
