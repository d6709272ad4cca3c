"""Estimates requests, tokens and cost of a run before the first request.

Texts are counted by length and pictures by size, so tokens may be wrong by about a third. The
thinking of a model lies between none and its room; see `CostEstimate.shown`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from proactive_agent.providers import ImagePart, Request
from proactive_agent.providers.api import prices
from proactive_agent.providers.api.prices import Price
from proactive_agent.providers.api.thinking import TYPICAL
from proactive_agent.tools.install import install_command

RESULT = 24
"""Tokens of the text around each further picture."""


@dataclass(frozen=True, slots=True)
class Turns:
    """Counts for three kinds of models.

    `fewest`: the model answers in the first turn. `needed`: it asks until it sees the object.
    `most`: it asks until the turn limit.
    """

    fewest: int = 0
    needed: int = 0
    most: int = 0

    def __add__(self, other: "Turns") -> "Turns":
        return Turns(self.fewest + other.fewest, self.needed + other.needed, self.most + other.most)

    def __mul__(self, factor: int) -> "Turns":
        return Turns(self.fewest * factor, self.needed * factor, self.most * factor)


@dataclass(frozen=True, slots=True)
class PromptSize:
    """Tokens of an episode's first request, and the growth with each further request."""

    first: int = 0
    growth: int = 0

    def tokens(self, turns: int) -> int:
        """Returns the input tokens of an episode: each request holds all earlier ones."""
        return turns * self.first + self.growth * turns * (turns - 1) // 2


@dataclass(frozen=True, slots=True)
class CostEstimate:
    """Requests, input tokens and output tokens, each for the three kinds of models."""

    turns: Turns = Turns()
    given: Turns = Turns()
    written: Turns = Turns()
    longest: int = 0
    """Most turns of an episode."""

    @classmethod
    def of(cls, turns: Turns, size: PromptSize) -> "CostEstimate":
        """Estimates one episode."""
        given = Turns(size.tokens(turns.fewest), size.tokens(turns.needed), size.tokens(turns.most))
        return cls(turns, given, turns * prices.REPLY, turns.most)

    def __add__(self, other: "CostEstimate") -> "CostEstimate":
        return CostEstimate(
            self.turns + other.turns,
            self.given + other.given,
            self.written + other.written,
            max(self.longest, other.longest),
        )

    def __mul__(self, factor: int) -> "CostEstimate":
        turns, given, written = self.turns, self.given, self.written
        return CostEstimate(turns * factor, given * factor, written * factor, self.longest)

    def shown(self, spec: str, price: Price | None, room: int | None = 0) -> Iterator[str]:
        """Yields lines of text about one model.

        `room` is its room for thinking per reply, in tokens; None if it is unknown whether it
        thinks. The lower numbers assume a typical thought, the upper one a thought that fills it.
        """
        given = self.given
        typical, most_thought = min(room or 0, TYPICAL), room or 0
        thought = Turns(
            self.turns.fewest * typical, self.turns.needed * typical, self.turns.most * most_thought
        )
        written = self.written + thought
        yield (
            f"{spec}: {given.fewest:,} to {given.most:,} input tokens "
            f"({given.needed:,} to see every object), "
            f"{written.fewest:,} to {written.most:,} output tokens"
        )
        if room:
            yield f"  thinking included: {typical:,} to {room:,} tokens per reply"
        elif room is None:
            yield "  thinking not included: the replies show whether the model thinks"
        if price is None:
            yield f"  cost unknown: {_why_unknown()}; pass --price IN,OUT"
            return
        fewest = price.input * given.fewest + price.output * written.fewest
        needed = price.input * given.needed + price.output * written.needed
        most = price.input * given.most + price.output * written.most
        yield f"  ${fewest:.2f} to ${most:.2f}; ${needed:.2f} to see every object ({price.source})"


def _why_unknown() -> str:
    if prices.has_price_list():
        return "the model is in no price list"
    return f"the price list is missing ({install_command('api')})"


def prompt_size(request: Request | None, longest_edge: int, *, keeps: bool) -> PromptSize:
    """Measures a first request. `keeps`: later requests repeat the conversation."""
    if request is None:
        return PromptSize()
    parts = (part for message in request.messages for part in getattr(message, "content", ()))
    sizes = {
        part.key: prices.sent_size(part.load().size, longest_edge)
        for part in parts
        if isinstance(part, ImagePart)
    }
    first = prices.input_tokens(request, sizes)
    width, height = next(reversed(sizes.values()), (0, 0))
    picture = width * height // prices.PIXELS_PER_TOKEN
    return PromptSize(first, picture + RESULT + prices.REPLY if keeps else 0)
