"""`run --dry-run`: the first prompt, the tools, and how many requests a run may need."""

import asyncio
import json
from collections.abc import Sequence
from typing import Self

from rich.rule import Rule

from proactive_agent.episode import Play, play_episode
from proactive_agent.manifest import Settings, fingerprint
from proactive_agent.runner import make_play, open_data
from proactive_agent.terminal import console, safe
from providers import Provider, ProviderError, ProviderOptions, Reply, Request, TextPart
from tools.render import for_openai


class _Listener(Provider):
    """Keeps the first request and answers nothing."""

    def __init__(self) -> None:
        self.request: Request | None = None

    @classmethod
    def create(cls, model: str, options: ProviderOptions) -> Self:
        return cls()

    async def complete(self, request: Request) -> Reply:
        self.request = request
        raise ProviderError("dry_run", "nothing is asked in a dry run")


def show_dry_run(every: Sequence[Settings]) -> None:
    """Shows what would be asked.  No model is loaded and nothing is written."""
    settings = every[0]
    data = open_data(settings)
    fingerprint(data, settings.scenarios)
    listener = _Listener()
    play = make_play(settings, data, listener)
    scenario = settings.scenarios[0]
    for sample in data.samples(scenario, limit=1):
        episode = asyncio.run(play_episode(play, scenario, sample))
        console.print(Rule(f"first request: {scenario}, sample {sample.id}"))
        if listener.request is None:
            console.print(safe(episode.error.message if episode.error else ""))
        else:
            _show(listener.request)
    console.print(Rule("requests"))
    _show_estimate(play, settings, len(every))


def _show(request: Request) -> None:
    for message in request.messages:
        for part in getattr(message, "content", ()):
            if isinstance(part, TextPart):
                console.print(safe(part.text))
            else:
                image = part.load()
                console.print(f"<picture, {image.width} x {image.height} pixels>", markup=False)
    if request.tools:
        tools = json.dumps(for_openai(request.tools), indent=2, ensure_ascii=False)
        console.print(safe(tools, "dim"))


def _show_estimate(play: Play, settings: Settings, providers: int) -> None:
    """Requests of models that answer at once, ask until they see, ask to the turn limit."""
    totals = [0, 0, 0]
    for scenario in settings.scenarios:
        counts = [0, 0, 0]
        for sample in play.data.samples(scenario, settings.limit):
            counts[0] += 1
            environment = play.data.environment(
                scenario, sample, reference=play.condition.reference
            )
            counts[2] += 1 if environment.reference else environment.max_steps
            while environment.stop is None:
                environment.step(environment.best_action())
            counts[1] += environment.turn
        totals = [total + count for total, count in zip(totals, counts, strict=True)]
        console.print(_range(scenario, counts), markup=False)
    name = "in all" if providers == 1 else f"{providers} models"
    console.print(_range(name, [count * providers for count in totals]), markup=False)


def _range(name: str, counts: list[int]) -> str:
    fewest, needed, most = counts
    return f"{name:<12} {fewest:>7,} to {most:>9,}; {needed:>7,} to see every object and answer"
