"""The simulated user reads a request in free words and makes one change, if possible.

See `docs/protocol.md`, section "The simulated user". Of several things that a request names, the
first counts. A wish without a concrete change is vague: the user asks what to do.

In multi-turn `oeg` a judge decides whether a reply asks for something helpful, and `grant` follows
the paper's rule for such conversations (Table 10).
"""

import random
from collections.abc import Sequence
from typing import NamedTuple

from proactive_agent.scenarios import Environment, Sample
from proactive_agent.tools import Intervention, Vague
from proactive_agent.tools.actions import UNRELATED_REQUEST
from proactive_agent.tools.phrases import first_request, requests_in

VERSION = "rules v3"
"""Version of the rules. `run.json` records it, and a run of another version is not resumed."""


class Understood(NamedTuple):
    """The simulated user's reading of a request, as an action."""

    action: Intervention | Vague
    mapped: bool = False
    """True if the user chose what the request left open, or did another helpful intervention."""


def understand(request: str, possible: Sequence[Intervention], rng: random.Random) -> Understood:
    """Returns the action that a request stands for, by rules.

    `possible` are the interventions that the user can do. A direction that the request leaves open
    is drawn from them.
    """
    asked = first_request(request)
    if exact := [one for one in asked.interventions if one in possible]:
        return Understood(rng.choice(exact))
    tools = {one.tool for one in asked.interventions if one.argument is None}
    if fitting := [one for one in possible if one.tool in tools]:
        return Understood(rng.choice(fitting), mapped=True)
    if asked.is_vague:
        return Understood(Vague(request))
    return Understood(asked.interventions[0] if asked.interventions else UNRELATED_REQUEST)


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
        return Understood(rng.choice(exact))
    if possible:
        return Understood(rng.choice(possible), mapped=True)
    return Understood(wanted[0])
