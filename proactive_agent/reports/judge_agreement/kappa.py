"""How far two judges agree: raw agreement and Cohen's kappa, from a table of two by two."""

from collections.abc import Iterable
from typing import NamedTuple, Self


class Agreement(NamedTuple):
    """How often which of two raters said yes."""

    both: int = 0
    first_only: int = 0
    second_only: int = 0
    neither: int = 0

    @classmethod
    def of(cls, pairs: Iterable[tuple[bool, bool]]) -> Self:
        """Counts pairs of verdicts."""
        counts = [0, 0, 0, 0]
        for first, second in pairs:
            counts[(0 if first else 2) + (0 if second else 1)] += 1
        both, first_only, second_only, neither = counts
        return cls(both, first_only, second_only, neither)

    @property
    def total(self) -> int:
        """Pairs counted."""
        return sum(self)

    @property
    def raw(self) -> float | None:
        """Share of pairs that agree; None without pairs."""
        return (self.both + self.neither) / self.total if self.total else None

    @property
    def kappa(self) -> float | None:
        """Cohen's kappa: agreement beyond chance.  None where chance alone would agree."""
        if self.raw is None:
            return None
        first = (self.both + self.first_only) / self.total
        second = (self.both + self.second_only) / self.total
        chance = first * second + (1 - first) * (1 - second)
        return None if chance == 1 else (self.raw - chance) / (1 - chance)
