"""Scripted models: the floor, the ceiling, and the two failure modes.

They see what a model sees and pick among what it could reply.  Their picks depend on the request's
seed alone, so a run is the same in any order.
"""

import random
from collections.abc import Callable, Sequence
from typing import ClassVar, Literal

from proactive_agent.providers.base import Provider, ProviderError, ProviderOptions
from proactive_agent.providers.messages import Choice, Reply, Request, Usage
from proactive_agent.tools import Action, UserError

Policy = Callable[[Sequence[Choice], random.Random], Choice]


def _any(choices: Sequence[Choice], rng: random.Random) -> Choice:
    return rng.choice(choices)


def _first(choices: Sequence[Choice], rng: random.Random) -> Choice:
    return choices[0]


def _always(kind: Literal["ask", "answer"]) -> Policy:
    def pick(choices: Sequence[Choice], rng: random.Random) -> Choice:
        return rng.choice([c for c in choices if c.kind == kind] or choices)

    return pick


POLICIES: dict[str, Policy] = {
    "random": _any,
    "always-ask": _always("ask"),
    "never-ask": _always("answer"),
    "first-option": _first,
}
ORACLE = "oracle"
BASELINES = (ORACLE, *POLICIES)


class PolicyBaseline(Provider):
    """Picks by a fixed rule: at random, always asking, never asking, or what stands first."""

    uses_temperature: ClassVar[bool] = False

    def __init__(self, policy: Policy) -> None:
        self.policy = policy

    @property
    def concurrency(self) -> int:
        return 32

    async def complete(self, request: Request) -> Reply:
        return _reply(request, self.policy(request.choices, random.Random(request.seed)))


class OracleBaseline(Provider):
    """Asks along the shortest way to the reference frame, then gives the right category."""

    sees_environment: ClassVar[bool] = True
    uses_temperature: ClassVar[bool] = False

    @property
    def concurrency(self) -> int:
        return 32

    async def complete(self, request: Request) -> Reply:
        if request.best is None:
            raise ProviderError("no_environment", "the oracle needs requests that show the way")
        return _reply(request, _choice_for(request.best(), request.choices))


def create_baseline(model: str, options: ProviderOptions) -> Provider:
    """The provider of `baseline:NAME`.  Raises UserError for an unknown name."""
    if model == ORACLE:
        return OracleBaseline()
    if model not in POLICIES:
        raise UserError(f"unknown baseline {model!r}; known: {', '.join(BASELINES)}")
    return PolicyBaseline(POLICIES[model])


def _choice_for(action: Action, choices: Sequence[Choice]) -> Choice:
    for choice in choices:
        if choice.action == action:
            return choice
    # An abstention compares by its wording; any of them will do.
    return next(choice for choice in choices if choice.kind == "abstain")


def _reply(request: Request, choice: Choice) -> Reply:
    calls = (choice.call,) if choice.call else ()
    return Reply(
        text=choice.text,
        tool_calls=calls,
        finish_reason="tool_calls" if calls else "stop",
        tool_format="native" if request.tools else None,
        usage=Usage(input_tokens=0, output_tokens=0, cached_tokens=0, cost_usd=0.0),
    )
