"""Completes scenarios, conditions and models in a shell; `run_handles` completes runs."""

from collections.abc import Iterable
from typing import Any

import click
from click.shell_completion import CompletionItem


def complete_scenario(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Completes the last of several scenarios, separated by commas."""
    from proactive_agent.scenarios.registry import SCENARIOS

    return _last_part(incomplete, ",", SCENARIOS)


def complete_condition(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Completes the last of several conditions, as in `zero-shot,hint+stateless`."""
    from proactive_agent.play.conditions.registry import CONDITIONS

    return _last_part(incomplete, ",+", CONDITIONS)


def complete_model(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Completes baselines, short names of local models, and the providers themselves."""
    from proactive_agent.providers.baselines import BASELINES
    from proactive_agent.providers.local.aliases import ALIASES, SHORT_NAMES
    from proactive_agent.providers.registry import provider_names

    names = {
        "baseline": [f"baseline:{name}" for name in BASELINES],
        "local": [f"local:{name}" for name in SHORT_NAMES],
        "vllm": [f"vllm:{name}" for name in ALIASES],
        "human": ["human"],
    }
    every = [spec for name in provider_names() for spec in names.get(name, [f"{name}:"])]
    return _last_part(incomplete, "", every)


COMPLETED: dict[str, Any] = {
    "scenarios": complete_scenario,
    "conditions": complete_condition,
    "providers": complete_model,
    "judge": complete_model,
    "user": complete_model,
}
"""Completions by the parameter of `run`."""


def _last_part(incomplete: str, separators: str, names: Iterable[str]) -> list[CompletionItem]:
    start = max((incomplete.rfind(one) + 1 for one in separators), default=0)
    given, begun = incomplete[:start], incomplete[start:]
    return [CompletionItem(given + name) for name in names if name.startswith(begun)]
