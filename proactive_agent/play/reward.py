"""The reward: 1 for the right category, less for a valid suggestion, 0 otherwise.

Training and the RL environments share this rule. If a suggestion earns as much as the answer, a
model learns to ask in every turn.
"""

from dataclasses import dataclass
from typing import Literal

from proactive_agent.records.episode import EpisodeRecord

Kind = Literal["ask", "vague", "answer", "abstain", "unrelated", "invalid"]


@dataclass(frozen=True, slots=True)
class Score:
    """Judgement of one reply."""

    kind: Kind
    """`vague`: a request without a concrete change. `unrelated`: a message that asks for nothing
    helpful."""
    category: bool
    """Whether the reply names the right category."""
    suggestion: bool
    """Whether the reply is a suggestion that changes the picture."""
    clear: bool
    """Whether the frame is clear, so that no help is needed."""


@dataclass(frozen=True, slots=True)
class RewardRule:
    """Amounts that the reward consists of."""

    suggestion: float = 0.5
    """Earned by a valid suggestion, if the right category is not named."""
    price: float = 0.0
    """Subtracted for each suggestion, valid, vague or not."""
    over_asking: float = 0.0
    """Subtracted for a suggestion on a clear frame, and in a whole episode for each suggestion
    beyond the fewest that lead to the reference frame."""

    def parts(self, score: Score) -> dict[str, float]:
        """Returns the parts of the reward of one reply by name; their sum is the reward."""
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

    def episode_parts(self, record: EpisodeRecord | None) -> dict[str, float]:
        """Returns the parts of the reward of a whole episode by name; their sum is the reward.

        The right category at the end earns 1, else a valid suggestion earns its amount. An episode
        that was cut off has no record and earns 0, as does one that ended with an error.
        """
        if record is None or record.error is not None:
            return {"category": 0.0, "suggestion": 0.0, "price": 0.0, "over_asking": 0.0}
        asked = sum(turn.action.kind in ("intervention", "vague") for turn in record.turns)
        beyond = max(0, asked - record.fewest) if record.fewest is not None else 0
        right = record.outcome.correct
        return {
            "category": float(right),
            "suggestion": self.suggestion * (not right and record.outcome.suggestions > 0),
            "price": -self.price * asked,
            "over_asking": -self.over_asking * beyond,
        }

    def episode_reward(self, record: EpisodeRecord | None) -> float:
        """Returns the reward of a whole episode."""
        return sum(self.episode_parts(record).values())
