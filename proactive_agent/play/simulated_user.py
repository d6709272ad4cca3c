"""The simulated user reads a request in free words and carries it out if possible.

See `docs/protocol.md`, section "The simulated user". The rule is the paper's for open-ended
conversations (Table 10): a request for an intervention that is possible now is carried out. A
request that could help, but is not possible as worded, is mapped to a random possible intervention.
Any other request counts as a suggestion that does not apply.
"""

import random
from collections.abc import Sequence
from typing import NamedTuple

from proactive_agent.scenarios import Environment, Sample
from proactive_agent.tools import Intervention
from proactive_agent.tools.actions import UNRELATED_REQUEST
from proactive_agent.tools.phrases import requests_in


class Understood(NamedTuple):
    """The simulated user's reading of a request, as an intervention."""

    intervention: Intervention
    mapped: bool
    """True if the request named another intervention that could have helped."""


def understand(request: str, environment: Environment[Sample], rng: random.Random) -> Understood:
    """Returns the intervention that a request leads to in this state."""
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
    """Returns the intervention that the user does for a request that is known to help.

    `wanted` are the helpful interventions, in general terms, that a judge found in the request. If
    none of them is possible as worded, a random possible intervention is done. If no intervention
    is possible at all, the first of `wanted` is returned and fails.
    """
    asked = requests_in(request)
    possible = environment.possible_interventions()
    exact = [intervention for intervention in (*asked, *wanted) if intervention in possible]
    if exact:
        return Understood(rng.choice(exact), mapped=False)
    if possible:
        return Understood(rng.choice(possible), mapped=True)
    return Understood(wanted[0], mapped=False)
