"""The simulated user: reads a free request and does what it asks for, if that is possible.

The rule is the paper's for open-ended conversations (Table 10): a request that matches an
intervention possible now is done; one that would help, but cannot be done here as worded, is mapped
to a seeded random possible one; anything else fails like a suggestion that does not apply.
"""

import random
from collections.abc import Sequence
from typing import NamedTuple

from proactive_agent.scenarios import Environment, Sample
from proactive_agent.tools import Intervention
from proactive_agent.tools.actions import UNRELATED_REQUEST
from proactive_agent.tools.phrases import requests_in


class Understood(NamedTuple):
    """What the user takes a request for."""

    intervention: Intervention
    mapped: bool
    """True where the request named something else that would have helped."""


def understand(request: str, environment: Environment[Sample], rng: random.Random) -> Understood:
    """What a request means in this state."""
    asked = requests_in(request)
    possible = environment.possible_interventions()
    if exact := [intervention for intervention in asked if intervention in possible]:
        return Understood(rng.choice(exact), mapped=False)
    if possible and any(i.tool in environment.helpful_tools for i in asked):
        return Understood(rng.choice(possible), mapped=True)
    return Understood(UNRELATED_REQUEST, mapped=False)


def grant(
    request: str,
    wanted: Sequence[Intervention],
    environment: Environment[Sample],
    rng: random.Random,
) -> Understood:
    """What the user does for a request of which it is known that it helps.

    `wanted` are the helpful things that it was found to ask for, in general terms.  What is not
    possible here as worded is mapped to something that is; where nothing is, nothing is done.
    """
    asked = requests_in(request)
    possible = environment.possible_interventions()
    exact = [intervention for intervention in (*asked, *wanted) if intervention in possible]
    if exact:
        return Understood(rng.choice(exact), mapped=False)
    if possible:
        return Understood(rng.choice(possible), mapped=True)
    return Understood(wanted[0], mapped=False)
