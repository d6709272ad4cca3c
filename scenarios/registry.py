"""The registry of scenarios, and how the command line names them."""

from collections.abc import Iterable
from typing import Any

from proactive_agent.scenarios.changeit import ChangeIt
from proactive_agent.scenarios.coco import Coco
from proactive_agent.scenarios.environment import Environment
from proactive_agent.scenarios.imagenet_c import ImageNetC
from proactive_agent.scenarios.mvp_n import MvpN
from proactive_agent.scenarios.quickdraw import QuickDraw
from proactive_agent.scenarios.rod import Rod
from proactive_agent.scenarios.sample import quoted
from proactive_agent.scenarios.vsod import Vsod
from proactive_agent.tools import UserError
from proactive_agent.tools.suggestions import known_names

EnvironmentType = type[Environment[Any]]


class _Registry(dict[str, EnvironmentType]):
    def __missing__(self, name: str) -> EnvironmentType:
        # Names also come from files: run.json, episodes.jsonl, plans.
        raise UserError(f"unknown scenario {quoted(name)}; {known_names(name, self)}")


SCENARIOS: dict[str, EnvironmentType] = _Registry(
    (environment.name, environment)
    for environment in (Rod, Vsod, MvpN, ImageNetC, QuickDraw, ChangeIt, Coco)
)
"""All scenarios by short name, in the paper's order. An unknown name raises UserError."""


def split_sample(text: str) -> tuple[str, str]:
    """Returns the short name and the sample id of `SCENARIO:ID`. Raises UserError."""
    scenario, colon, sample_id = text.partition(":")
    if not colon or not sample_id:
        raise UserError(f"sample {text!r}: expected SCENARIO:ID, for example rod:3")
    return find_scenario(scenario).name, sample_id


def find_scenarios(texts: Iterable[str]) -> list[str]:
    """Returns the distinct short names of comma-separated scenario names. Raises UserError."""
    found = (find_scenario(name).name for text in texts for name in text.split(","))
    return list(dict.fromkeys(found))


def find_scenario(name: str) -> EnvironmentType:
    """Returns the scenario of a short name, file stem or title, in any case. Raises UserError."""
    wanted = name.strip().lower()
    for environment in SCENARIOS.values():
        if wanted in (environment.name, environment.stem.lower(), environment.title.lower()):
            return environment
    return SCENARIOS[name]  # raises UserError
