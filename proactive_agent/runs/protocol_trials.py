"""Plays episodes of every protocol to find out whether a model can be evaluated."""

from collections.abc import Sequence
from typing import get_args

from proactive_agent.play.episode import play_episode
from proactive_agent.providers import Finding, Provider
from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.records.manifest import ProviderSettings, Settings
from proactive_agent.runs.model_pool import ModelPool
from proactive_agent.runs.prepare import make_judge, make_play
from proactive_agent.settings import ProtocolName

PROTOCOLS: tuple[ProtocolName, ...] = get_args(ProtocolName)


async def try_protocols(
    provider: Provider, scenarios: Sequence[str], sampling: ProviderSettings
) -> list[Finding]:
    """Plays the first sample of each scenario with each protocol; returns a finding for each.

    A model of one picture per request plays `tools` with the condition `stateless`. Wrong answers
    count as success; errors count as failure. Raises UserError and StoppedError.
    """
    return [await _try(provider, protocol, tuple(scenarios), sampling) for protocol in PROTOCOLS]


async def _try(
    provider: Provider,
    protocol: ProtocolName,
    scenarios: tuple[str, ...],
    sampling: ProviderSettings,
) -> Finding:
    stateless = provider.max_pictures == 1 and protocol == "tools"
    settings = Settings(
        provider="check",
        scenarios=scenarios,
        protocol=protocol,
        condition="stateless" if stateless else "zero-shot",
        provider_settings=sampling,
    )
    pool = ModelPool()
    data = pool.data(settings)
    play = make_play(settings, data, provider, make_judge(settings, pool, None))
    episodes = [
        await play_episode(play, scenario, next(iter(data.samples(scenario))))
        for scenario in scenarios
    ]
    return _finding(f"{protocol}, {settings.condition}", episodes)


def _finding(name: str, episodes: Sequence[EpisodeRecord]) -> Finding:
    turns = [turn for episode in episodes for turn in episode.turns]
    errors = [episode.error for episode in episodes if episode.error]
    if errors:
        return Finding("protocol", False, f"{name}: {errors[0].kind}: {errors[0].message}")
    parts = [f"{name}: played without an error; turns: {len(turns)}"]
    cut_off = sum(turn.reply.finish_reason == "length" for turn in turns)
    if cut_off:
        parts.append(f"cut off by --max-tokens: {cut_off}")
    return Finding("protocol", True, "; ".join(parts))
