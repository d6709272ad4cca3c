"""The reward: 1 for the right category, less for a valid suggestion, else nothing.

Replies are read and judged by what reads and judges them in a run.  A suggestion that is worth as
much as the answer teaches a model to ask for ever.
"""

import random
from dataclasses import dataclass
from typing import Literal, Self

from proactive_agent.play.protocols import Protocol
from proactive_agent.play.seeds import derive_seed
from proactive_agent.play.simulated_user import understand
from proactive_agent.providers import Reply
from proactive_agent.scenarios import Environment
from proactive_agent.scenarios.sample import Sample
from proactive_agent.tools import Abstain, Action, Answer, Intervention, Question
from proactive_agent.tools.actions import UNRELATED_REQUEST
from proactive_agent.training.prompts import state_of
from proactive_agent.training.rows import QuestionRow
from proactive_agent.training.settings import TrainingSettings

Kind = Literal["ask", "answer", "abstain", "unrelated", "invalid"]


@dataclass(frozen=True, slots=True)
class Score:
    """What a reply did, and whether it was right."""

    kind: Kind
    """`unrelated` is a message that asks for nothing that helps."""
    category: bool
    """The right category, where it counts."""
    suggestion: bool
    """A suggestion that changes the picture."""
    clear: bool
    """The frame holds enough information."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What is paid for what."""

    suggestion: float = 0.5
    price: float = 0.0
    """Taken off for each suggestion, valid or not."""
    over_asking: float = 0.0
    """Taken off for a suggestion on a clear frame."""

    @classmethod
    def of(cls, settings: TrainingSettings) -> Self:
        """The rule that the settings name."""
        return cls(
            settings.reward_suggestion, settings.suggestion_price, settings.over_asking_penalty
        )

    def parts(self, score: Score) -> dict[str, float]:
        """The reward's parts by name; their sum is the reward."""
        asks = score.kind == "ask"
        return {
            "category": float(score.category),
            "suggestion": self.suggestion * score.suggestion,
            "price": -self.price * asks,
            "over_asking": -self.over_asking * (asks and score.clear),
        }

    def reward(self, score: Score) -> float:
        """Of one reply."""
        return sum(self.parts(score).values())


def score_row(row: QuestionRow, reply: Reply, protocol: Protocol, seed: int = 0) -> Score:
    """What a reply to a row did.  Never raises, whatever the model wrote."""
    return score_reply(state_of(row), reply, protocol, row.clear, seed)


def score_reply(
    state: Environment[Sample], reply: Reply, protocol: Protocol, clear: bool, seed: int = 0
) -> Score:
    """What a reply did in a state; the simulated user reads what is asked for in words."""
    reading = protocol.read(reply, state.observe(), state)
    action = reading.action
    if isinstance(action, Question):
        rng = random.Random(derive_seed(seed, state.name, state.sample.id, action.text))
        action = understand(action.text, state, rng).intervention
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
        case _:
            return "invalid"
