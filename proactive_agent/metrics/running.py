"""The metrics of a run while it is played, without intervals."""

from collections import defaultdict

from proactive_agent.metrics.measures import COLUMNS, RATIOS, Episode, measure


class Tallies:
    """Running sums of a run's episodes; each must come once."""

    def __init__(self) -> None:
        self.errors = 0
        self._sums: defaultdict[str, list[float]] = defaultdict(lambda: [0.0] * len(COLUMNS))

    def add(self, episode: Episode) -> None:
        """Counts an episode in."""
        if episode.error is not None:
            self.errors += 1
            return
        sums = self._sums[episode.scenario]
        for index, value in enumerate(measure(episode)):
            sums[index] += value

    @property
    def acc(self) -> float | None:
        """Macro average so far."""
        return self._macro("acc")

    @property
    def psr(self) -> float | None:
        """Macro average so far."""
        return self._macro("psr")

    def _macro(self, name: str) -> float | None:
        over, of = COLUMNS.index(RATIOS[name].over), COLUMNS.index(RATIOS[name].of)
        values = [sums[over] / sums[of] for sums in self._sums.values()]
        return sum(values) / len(values) if values else None
