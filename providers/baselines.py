"""Scripted baselines: chance level, the upper bound, and the two failure modes.

A baseline picks one of the possible replies of a request. The pick depends only on the request and
its seed, so results do not depend on the order of episodes.
"""

import random
from collections.abc import Callable, Sequence
from typing import ClassVar, Literal

from proactive_agent.providers.base import Provider, ProviderError, ProviderOptions
from proactive_agent.providers.messages import Choice, Reply, Request, Usage
from proactive_agent.tools import Action, UserError
from proactive_agent.tools.suggestions import known_names

Policy = Callable[[Request, random.Random], Choice]


def _any(request: Request, rng: random.Random) -> Choice:
    return rng.choice(request.choices)


def _first(request: Request, rng: random.Random) -> Choice:
    return request.choices[0]


def _always(kind: Literal["ask", "answer"]) -> Policy:
    def pick(request: Request, rng: random.Random) -> Choice:
        return rng.choice([c for c in request.choices if c.kind == kind] or request.choices)

    return pick


def _ask_once(request: Request, rng: random.Random) -> Choice:
    """Asks in the first turn for any change that is on offer, then guesses."""
    return _always("answer" if request.key.turn else "ask")(request, rng)


POLICIES: dict[str, Policy] = {
    "random": _any,
    "always-ask": _always("ask"),
    "never-ask": _always("answer"),
    "ask-once": _ask_once,
    "first-option": _first,
}
ORACLE = "oracle"
TEXT_ONLY = "text-only"
BASELINES = (ORACLE, *POLICIES, TEXT_ONLY)
DEFAULT_BASELINES = tuple(name for name in BASELINES if name != "first-option")
"""The baselines that `run` plays if no model is named."""


class PolicyBaseline(Provider):
    """Picks a reply by a fixed rule: at random, always ask, never ask, ask once, first option."""

    uses_temperature: ClassVar[bool] = False

    def __init__(self, policy: Policy) -> None:
        self.policy = policy

    @property
    def concurrency(self) -> int:
        return 32

    async def complete(self, request: Request) -> Reply:
        return _reply(request, self.policy(request, random.Random(request.seed)))


class OracleBaseline(Provider):
    """Takes the shortest path to the reference frame, then gives the right category."""

    sees_environment: ClassVar[bool] = True
    uses_temperature: ClassVar[bool] = False

    @property
    def concurrency(self) -> int:
        return 32

    async def complete(self, request: Request) -> Reply:
        if request.best is None:
            raise ProviderError(
                "no_environment", "baseline:oracle needs the environment's best action in requests"
            )
        return _reply(request, _choice_for(request.best(), request.choices))


class TextOnlyBaseline(Provider):
    """Sees no picture: it guesses by the answers of the other samples.

    It asks only in turns in which no category counts.
    """

    sees_statistics: ClassVar[bool] = True
    uses_temperature: ClassVar[bool] = False

    @property
    def concurrency(self) -> int:
        return 32

    async def complete(self, request: Request) -> Reply:
        if request.blind is None:
            raise ProviderError(
                "no_statistics", "baseline:text-only needs the answers of other samples in requests"
            )
        return _reply(request, _choice_for(request.blind(), request.choices))


def create_baseline(model: str, options: ProviderOptions) -> Provider:
    """The provider of `baseline:NAME`. Raises UserError for an unknown name."""
    if model == ORACLE:
        return OracleBaseline()
    if model == TEXT_ONLY:
        return TextOnlyBaseline()
    if model not in POLICIES:
        raise UserError(f"unknown baseline {model!r}; {known_names(model, BASELINES)}")
    return PolicyBaseline(POLICIES[model])


def _choice_for(action: Action, choices: Sequence[Choice]) -> Choice:
    for choice in choices:
        if choice.action == action:
            return choice
    # Two abstentions differ in their wording only, so any of them is right.
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
