"""The judge of a name: `rules`, or a model."""

from collections.abc import Iterable

from proactive_agent.play.judges.base import Judge
from proactive_agent.play.judges.model import ModelJudge
from proactive_agent.play.judges.official_prompt import OfficialPrompt
from proactive_agent.play.judges.own_prompt import OwnPrompt
from proactive_agent.play.judges.prompt import JudgePrompt
from proactive_agent.play.judges.rules import RulesJudge
from proactive_agent.providers import Provider
from proactive_agent.providers.registry import check_spec
from proactive_agent.scenarios import SCENARIOS
from proactive_agent.scenarios.wording import Wording
from proactive_agent.tools import UserError

RULES = "rules"
CANNOT_JUDGE = frozenset({"baseline", "human"})
"""Providers that pick among options instead of writing."""


def check_judge(
    spec: str, prompt_name: str, wording: Wording, scenarios: Iterable[str] = ()
) -> None:
    """Tries everything but the model.  Raises UserError."""
    for scenario in scenarios:
        if SCENARIOS[scenario].open_ended:
            wording.open_ended(scenario)
    if spec != RULES:
        name, _ = check_spec(spec)
        if name in CANNOT_JUDGE:
            raise UserError(f"{name} picks among options and cannot judge; use rules, or a model")
        _prompt(prompt_name, wording)
    elif prompt_name == "official":
        raise UserError("the official prompt asks a model: name one with --judge NAME:MODEL")


def choose_judge(
    spec: str, prompt_name: str, wording: Wording, provider: Provider | None = None
) -> Judge:
    """The judge of `rules`, or `provider`, which is the model of a `name:model`."""
    if provider is None:
        return RulesJudge()
    return ModelJudge(spec, provider, _prompt(prompt_name, wording))


def _prompt(name: str, wording: Wording) -> JudgePrompt:
    return OfficialPrompt(wording) if name == "official" else OwnPrompt()
