"""Open-ended questions: what a free reply may say to be right (`protocol.md` section 4).

An accepted answer is a proactive one (a wish that the user changes the scene, in general words) or
the right category.  Their order is the published one: judges answer with one verdict for each.
"""

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from proactive_agent.tools import Intervention

if TYPE_CHECKING:
    from proactive_agent.scenarios.environment import Environment

SAMPLES = 100
"""How many samples of a scenario are asked, as published."""


class AcceptedAnswer(NamedTuple):
    """One of the answers that a reply may give."""

    text: str
    """Without a final full stop."""
    intervention: Intervention | None = None
    """What a proactive one asks for, in any direction where it has no argument; None: a category.
    """

    @property
    def kind(self) -> Literal["proactive", "category"]:
        """Whether it asks for something, or names what is there."""
        return "category" if self.intervention is None else "proactive"


def accepted_answers(environment: "Environment[Any]") -> list[AcceptedAnswer]:
    """What counts in this state, the proactive answers first."""
    answers = [] if environment.reference else environment.open_ended_suggestions()
    categories = environment.accepted_categories()
    return answers + [AcceptedAnswer(category.removesuffix(".")) for category in categories]
