"""The reward: 1 for the right category, less for a valid suggestion, 0 otherwise.

The code that reads and judges replies in a run reads and judges them here. If a suggestion earns
as much as the answer, the model learns to ask in every turn.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Self

from proactive_agent.play.protocols import Protocol
from proactive_agent.play.seeds import derive_seed
from proactive_agent.providers import Reply
from proactive_agent.scenarios import Environment
from proactive_agent.scenarios.sample import Sample
from proactive_agent.tools import Abstain, Action, Answer, Intervention, Vague
from proactive_agent.tools.actions import UNRELATED_REQUEST
from proactive_agent.training.prompts import state_of
from proactive_agent.training.rows import QuestionRow
from proactive_agent.training.settings import TrainingSettings

Kind = Literal["ask", "vague", "answer", "abstain", "unrelated", "invalid"]
LogMetric = Callable[[str, float], None]
"""TRL's function that logs a metric by name."""


@dataclass(frozen=True, slots=True)
class Score:
    """Judgement of one reply."""

    kind: Kind
    """`vague`: a wish without a concrete change. `unrelated`: a message that asks for nothing
    that helps."""
    category: bool
    """Whether the reply names the right category."""
    suggestion: bool
    """Whether the reply is a suggestion that changes the picture."""
    clear: bool
    """Whether the frame is clear, so that no help is needed."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Amounts that the reward consists of."""

    suggestion: float = 0.5
    price: float = 0.0
    """Subtracted for each suggestion, valid, vague or not."""
    over_asking: float = 0.0
    """Subtracted for a suggestion on a clear frame."""

    @classmethod
    def of(cls, settings: TrainingSettings) -> Self:
        """Returns the rule of the settings."""
        return cls(
            settings.reward_suggestion, settings.suggestion_price, settings.over_asking_penalty
        )

    def parts(self, score: Score) -> dict[str, float]:
        """Returns the parts of the reward by name; their sum is the reward."""
        asks = score.kind in ("ask", "vague")
        return {
            "category": float(score.category),
            "suggestion": self.suggestion * score.suggestion,
            "price": -self.price * asks,
            "over_asking": -self.over_asking * (asks and score.clear),
        }

    def reward(self, score: Score) -> float:
        """Returns the reward of one reply."""
        return sum(self.parts(score).values())


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
