"""Makes the judge that a run asks for: `rules`, or a model."""

from collections.abc import Iterable

from proactive_agent.play.judges.base import Judge
from proactive_agent.play.judges.model import SAMPLING, ModelJudge, model_judge_name
from proactive_agent.play.judges.prompts import JudgePrompt, OfficialPrompt, OwnPrompt
from proactive_agent.play.judges.rules import RulesJudge
from proactive_agent.providers import Provider, Sampling
from proactive_agent.providers.registry import check_spec
from proactive_agent.scenarios import SCENARIOS
from proactive_agent.scenarios.wording import Wording
from proactive_agent.tools import UserError

RULES = "rules"
CANNOT_JUDGE = frozenset({"agent", "baseline", "human"})
"""Providers that pick an option instead of writing text."""


def check_judge(
    spec: str, prompt_name: str, wording: Wording, scenarios: Iterable[str] = ()
) -> None:
    """Checks everything about a judge except that its model answers. Raises UserError."""
    for scenario in scenarios:
        if SCENARIOS[scenario].open_ended:
            wording.open_ended(scenario)
    if spec != RULES:
        name, _ = check_spec(spec)
        if name in CANNOT_JUDGE:
            raise UserError(
                f"--judge {spec}: {name} picks an option and cannot judge; use --judge rules "
                "or a model, for example openai:gpt-4.1"
            )
        _prompt(prompt_name, wording)
    elif prompt_name == "official":
        raise UserError(
            "--judge-prompt official asks a model, and --judge is rules; name a model with "
            "--judge NAME:MODEL"
        )


def choose_judge(
    spec: str,
    prompt_name: str,
    wording: Wording,
    provider: Provider | None = None,
    sampling: Sampling = SAMPLING,
) -> Judge:
    """Returns the judge that asks `provider`, the model of `spec`; without one, the rules."""
    if provider is None:
        return RulesJudge()
    return ModelJudge(spec, provider, _prompt(prompt_name, wording), sampling)


def judge_name(spec: str, prompt_name: str, wording: Wording, sampling: Sampling = SAMPLING) -> str:
    """Returns the name that `choose_judge` gives a judge, without loading its model."""
    if spec == RULES:
        return RulesJudge.name
    return model_judge_name(spec, _prompt(prompt_name, wording), sampling)


def _prompt(name: str, wording: Wording) -> JudgePrompt:
    return OfficialPrompt(wording) if name == "official" else OwnPrompt()
