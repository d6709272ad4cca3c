"""What a run may cost at most."""

from proactive_agent.providers import StoppedError
from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.tools import UserError


class BudgetSpentError(StoppedError):
    """The dollars are spent, or what is left of them would not do for one more episode."""


class Budget:
    """US dollars for one or several runs together.

    No request is sent once they are spent.  So that few episodes are cut short (their replies are
    paid for and lost), none is begun that would likely not be finished: as many dollars are kept
    back as the episodes in flight need by the mean of those that ended.
    """

    def __init__(self, usd: float) -> None:
        self.usd = usd
        self.spent = 0.0
        self._in_flight = 0
        self._ended = 0
        self._ended_usd = 0.0

    def begin(self) -> None:
        """An episode is about to begin.  Raises BudgetSpentError where it would not be finished."""
        self.check()
        mean = self._ended_usd / self._ended if self._ended else 0.0
        # What those in flight have spent already is counted twice: a little too careful.
        if self.spent + mean * (self._in_flight + 1) > self.usd:
            raise BudgetSpentError(self._message())
        self._in_flight += 1

    def end(self, episode: EpisodeRecord | None) -> None:
        """An episode that was begun has ended; None: it was cut short."""
        self._in_flight -= 1
        if episode is not None:
            judged = (turn.judgement.usage for turn in episode.turns if turn.judgement)
            self._ended += 1
            self._ended_usd += sum(usage.cost_usd or 0.0 for usage in (episode.usage, *judged))

    def check(self) -> None:
        """A request is about to be sent.  Raises BudgetSpentError where none may be."""
        if self.spent >= self.usd:
            raise BudgetSpentError(self._message())

    def add(self, cost_usd: float | None, of: str = "the model") -> None:
        """A reply came.  Raises UserError where nobody knows what it cost."""
        if cost_usd is None and of != "the model":
            raise UserError(
                f"a budget needs known costs, and nobody knows those of {of}; play without a "
                "judge that costs, and judge the run afterwards: judge RUN takes --price"
            )
        if cost_usd is None:
            raise UserError(
                "a budget needs known costs: name the price with --price IN,OUT "
                "(dollars per million tokens), for an API that counts its tokens"
            )
        self.spent += cost_usd

    def _message(self) -> str:
        return f"${self.spent:.4f} of the budget of ${self.usd:g} are spent"
