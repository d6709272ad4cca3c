"""The arms of the experiment: scenarios to train on, rewards of a suggestion, and adapters."""

from typing import NamedTuple

from proactive_agent.scenarios.registry import SCENARIOS


class Arm(NamedTuple):
    """One way to train."""

    trained: tuple[str, ...]
    """Scenarios in the train split; the others are unseen."""
    reward: float
    """Reward of a valid suggestion (r_p)."""
    adapter: str = ""
    """A name of the options; empty for the options that `train` has for Nano."""
    options: tuple[str, ...] = ()
    """Further options of `train`."""

    @property
    def title(self) -> str:
        """The arm in words."""
        parts = (" and ".join(self.trained), f"r_p {self.reward}", self.adapter)
        return ", ".join(filter(None, parts))

    @property
    def slug(self) -> str:
        """The arm as part of a folder's name."""
        return "-".join((*self.trained, str(self.reward), *self.adapter.split()))

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
SMALL = (
    "--max-steps", "60", "--beta", "0.1", "--lora-rank", "16", "--lora-alpha", "16",
    *(word for layer in "qkvo" for word in ("--lora-target", f"{layer}_proj")),
)  # fmt: skip
"""Options for an adapter on the attention layers only."""
ARMS = (
    Arm(OWN, 0.5),
    Arm(OWN, 1.0),
    Arm(PAPERS, 0.5),
    Arm(OWN, 0.5, "small adapter", SMALL),
)
"""Our pair of scenarios with two rewards, the paper's pair, and our pair with a small adapter."""
