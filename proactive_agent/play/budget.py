"""The budget of a run: an upper limit on its costs."""

from proactive_agent.providers import StoppedError
from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.tools import UserError


class BudgetSpentError(StoppedError):
    """The budget is spent, or the rest is too small for another episode."""


class Budget:
    """A budget in US dollars, shared by one or several runs.

    No request is sent once it is spent. The replies of an unfinished episode are paid for and
    lost, so no episode begins that the budget would probably not finish: the mean cost of the
    finished episodes is reserved for each episode in flight.
    """

    def __init__(self, usd: float) -> None:
        self.usd = usd
        self.spent = 0.0
        self._reserved = 0.0
        self._in_flight = 0
        self._ended = 0
        self._ended_usd = 0.0

    def begin(self) -> None:
        """Reserves money for a new episode. Raises BudgetSpentError if too little is left."""
        self.check()
        mean = self._ended_usd / self._ended if self._ended else 0.0
        # Counts the spending of episodes in flight twice, which errs on the safe side.
        if self.spent + mean * (self._in_flight + 1) > self.usd:
            raise BudgetSpentError(self._message())
        self._in_flight += 1

    def end(self, episode: EpisodeRecord | None) -> None:
        """Ends an episode that `begin` counted. `episode` is None if it was cut short."""
        self._in_flight -= 1
        if episode is not None:
            judged = [turn.judgement.usage for turn in episode.turns if turn.judgement]
            read = [turn.user.usage for turn in episode.turns if turn.user]
            self._ended += 1
            self._ended_usd += sum(
                usage.cost_usd or 0.0 for usage in (episode.usage, *judged, *read)
            )

    def check(self) -> None:
        """Raises BudgetSpentError if no further request may be sent."""
        if self.spent >= self.usd:
            raise BudgetSpentError(self._message())

    def add(self, cost_usd: float | None, of: str = "the model") -> None:
        """Adds the cost of a reply. Raises UserError if the cost is unknown."""
        if cost_usd is None and of == "the simulated user":
            raise UserError(
                "a budget needs known costs, and those of the simulated user are unknown; play "
                "with --user rules"
            )
        if cost_usd is None and of != "the model":
            raise UserError(
                f"a budget needs known costs, and those of {of} are unknown; play with --judge "
                "rules, and judge the run afterwards with judge RUN --price IN,OUT"
            )
        if cost_usd is None:
            raise UserError(
                "a budget needs known costs: give the price with --price IN,OUT (dollars per "
                "million tokens); the API must report its token counts. A Python model reports "
                "the cost of a reply as Usage(cost_usd=…)"
            )
        self.spent += cost_usd

    @property
    def left(self) -> float:
        """US dollars that are neither spent nor reserved."""
        return self.usd - self.spent - self._reserved

    def reserve(self, usd: float) -> None:
        """Reserves the expected cost of requests in a batch; a negative number frees it."""
        self._reserved += usd

    def paid_before(self, usd: float) -> None:
        """Records that an earlier process paid this cost for the next reply."""
        self.spent -= usd

    def too_small(self, usd: float) -> BudgetSpentError:
        """Returns the error for requests of a batch that would cost about `usd`."""
        return BudgetSpentError(
            f"{self._message()}, and the rest is too small for requests of about ${usd:.4f}"
        )

    def _message(self) -> str:
        return f"${self.spent:.4f} of the budget of ${self.usd:g} are spent"
