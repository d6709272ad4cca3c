"""The arms of the experiment: scenarios to train on, and rewards of a valid suggestion."""

from typing import NamedTuple

from proactive_agent.scenarios.registry import SCENARIOS


class Arm(NamedTuple):
    """One way to train."""

    trained: tuple[str, ...]
    """Scenarios in the train split; the others are unseen."""
    reward: float
    """Reward of a valid suggestion (r_p)."""

    @property
    def title(self) -> str:
        """The arm in words."""
        return f"{' and '.join(self.trained)}, r_p {self.reward}"

    @property
    def slug(self) -> str:
        """The arm as part of a folder's name."""
        return "-".join((*self.trained, str(self.reward)))

    @property
    def unseen(self) -> tuple[str, ...]:
        """The scenarios that are not trained on."""
        return tuple(name for name in SCENARIOS if name not in self.trained)

    @property
    def rows(self) -> dict[str, tuple[str, ...]]:
        """The scenarios of each row of a table, by the row's name."""
        every = (*self.trained, *self.unseen)
        each = {name: (name,) for name in every}
        return {"trained": self.trained, "unseen": self.unseen, "all": every, **each}


OWN, PAPERS = ("quickdraw", "rod"), ("quickdraw", "coco")
ARMS = (Arm(OWN, 0.5), Arm(OWN, 1.0), Arm(PAPERS, 0.5))
"""Our pair with two rewards, and the paper's pair of scenarios."""
