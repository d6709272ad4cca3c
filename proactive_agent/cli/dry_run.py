"""`run --dry-run`: the first prompt, the tools, and how many requests a run may need."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Self

from rich.rule import Rule

from proactive_agent.cost_estimate import Estimate, PromptSize, Turns, prompt_size
from proactive_agent.episode import Play, play_episode
from proactive_agent.manifest import Settings, fingerprint
from proactive_agent.runner import make_play, open_data
from proactive_agent.terminal import console, safe
from providers import (
    ApiAccess,
    Provider,
    ProviderError,
    ProviderOptions,
    Reply,
    Request,
    TextPart,
)
from providers.api.prices import find_price
from providers.registry import is_remote
from scenarios import Sample
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


def show_dry_run(every: Sequence[Settings], access: ApiAccess) -> None:
    """Shows what would be asked.  No model is loaded and nothing is written."""
    settings = every[0]
    data = open_data(settings)
    fingerprint(data, settings.scenarios)
    play = make_play(settings, data, _Listener())
    scenario = settings.scenarios[0]
    for sample in data.samples(scenario, limit=1):
        console.print(Rule(f"first request: {scenario}, sample {sample.id}"))
        request, problem = _first_request(play, scenario, sample)
        if request is None:
            console.print(safe(problem))
        else:
            _show(request)
    console.print(Rule("requests"))
    total = _show_requests(play, settings, len(every))
    priced = [one for one in every if is_remote(one.provider)]
    if priced and total.turns.fewest:
        console.print(Rule("tokens and cost, about"))
    for one in priced:
        price = find_price(one.provider, access.price)
        for line in total.shown(one.provider, price):
            console.print(line, markup=False, soft_wrap=True)


def _first_request(play: Play, scenario: str, sample: Sample) -> tuple[Request | None, str]:
    """The first request of an episode, or why there is none."""
    listener = _Listener()
    episode = asyncio.run(play_episode(replace(play, provider=listener), scenario, sample))
    return listener.request, episode.error.message if episode.error else ""


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


def _show_requests(play: Play, settings: Settings, providers: int) -> Estimate:
    """Requests of models that answer at once, ask until they see, ask to the turn limit."""
    total = Estimate()
    for scenario in settings.scenarios:
        part = _estimate(play, settings, scenario)
        console.print(_range(scenario, part.turns), markup=False)
        total += part
    name = "in all" if providers == 1 else f"{providers} models"
    console.print(_range(name, total.turns * providers), markup=False)
    return total


def _estimate(play: Play, settings: Settings, scenario: str) -> Estimate:
    """One scenario; the tokens are those of its first sample."""
    first: PromptSize | None = None
    total = Estimate()
    keeps = play.condition.keeps_conversation(play.protocol.keeps_conversation)
    for sample in play.data.samples(scenario, settings.limit):
        if first is None:
            request, _ = _first_request(play, scenario, sample)
            first = prompt_size(request, settings.provider_settings.image_size, keeps=keeps)
        environment = play.data.environment(scenario, sample, reference=play.condition.reference)
        most = 1 if environment.reference else environment.max_steps
        while environment.stop is None:
            environment.step(environment.best_action())
        total += Estimate.of(Turns(1, environment.turn, most), first)
    return total


def _range(name: str, turns: Turns) -> str:
    return (
        f"{name:<12} {turns.fewest:>7,} to {turns.most:>9,}; "
        f"{turns.needed:>7,} to see every object and answer"
    )
