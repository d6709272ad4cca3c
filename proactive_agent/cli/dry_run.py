"""`run --dry-run`: shows the first request, where it would go, and how many there may be."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, islice
from typing import Any, Self

from rich.rule import Rule

from proactive_agent.play.episode import Play, play_episode
from proactive_agent.play.judges.choose import RULES
from proactive_agent.providers import (
    ApiAccess,
    Provider,
    ProviderError,
    Reply,
    Request,
)
from proactive_agent.providers.api.batch.submissions import open_batches
from proactive_agent.providers.api.prices import find_price
from proactive_agent.providers.api.server import OWN_SERVER_KEY
from proactive_agent.providers.api.thinking import planned_room
from proactive_agent.providers.registry import is_remote
from proactive_agent.providers.workers.address import cluster_name
from proactive_agent.records.episode import EpisodeKey
from proactive_agent.records.manifest import ProviderSettings, Settings
from proactive_agent.runs.cost_estimate import CostEstimate, PromptSize, Turns, prompt_size
from proactive_agent.runs.generation import sampling_of
from proactive_agent.runs.model_pool import ModelPool
from proactive_agent.runs.planned_run import PlannedRun
from proactive_agent.runs.prepare import (
    NextEpisode,
    check_settings,
    episodes_left,
    make_play,
)
from proactive_agent.runs.resumable import reasons_against_resuming
from proactive_agent.runs.trust import Trust, addressees, models_of, runs_foreign_code
from proactive_agent.scenarios import Environment, Sample
from proactive_agent.settings.agent_names import names_agent
from proactive_agent.settings.model import LOCAL
from proactive_agent.settings.model_spec import split_spec
from proactive_agent.terminal.console import console, safe
from proactive_agent.tools import UserError
from proactive_agent.tools.counting import number_of
from proactive_agent.views.requests import request_text

LONG = 200
"""Characters of JSON from which on a field of a body is not shown."""


@dataclass(frozen=True)
class _Remainder:
    """The episodes of a run that are still to be played."""

    run: PlannedRun
    done: frozenset[EpisodeKey]

    @classmethod
    def of(cls, run: PlannedRun) -> Self:
        return cls(run, frozenset(run.folder.keys_done() if run.begun else ()))

    @property
    def settings(self) -> Settings:
        return self.run.settings

    def episodes(self, pool: ModelPool) -> Iterator[NextEpisode]:
        return episodes_left(self.settings, pool.data(self.settings), self.done)


class _Listener(Provider):
    """Keeps the first request and fails instead of answering."""

    def __init__(self) -> None:
        self.request: Request | None = None

    async def complete(self, request: Request) -> Reply:
        self.request = request
        raise ProviderError("dry_run", "nothing is asked in a dry run")


def show_dry_run(planned: Sequence[PlannedRun]) -> None:
    """Shows the first request and the costs of the episodes that are left.

    Loads no model and writes nothing.
    """
    pool = ModelPool()
    for one in planned:
        check_settings(one, pool)
    every = [_Remainder.of(one) for one in planned]
    firsts = [(one, episode) for one in every for episode in islice(one.episodes(pool), 1)]
    if not firsts:
        console.print("No episode is left to play.", markup=False)
        return
    left = [one for one, _ in firsts]
    planned = [one.run for one in left]
    first, (scenario, sample, _) = firsts[0]
    play = make_play(first.settings, pool.data(first.settings), _Listener())
    console.print(Rule(f"first request: {scenario}, sample {sample.id}"))
    request, problem = _first_request(play, scenario, sample)
    if request is None:
        console.print(safe(problem))
    else:
        console.print(request_text(request), soft_wrap=True)
        console.print(Rule("sent where"))
        asyncio.run(_show_sent(planned, request))
    console.print(Rule("requests that are left" if any(one.done for one in every) else "requests"))
    estimates = _show_requests(left, pool)
    _show_costs(planned, estimates)
    if any(one.settings.protocol == "oeg" and one.settings.judge != RULES for one in planned):
        console.print(
            "The judge is asked once for each reply; these requests are not counted above.",
            markup=False,
        )
    if any(one.settings.protocol == "tools" and one.settings.user != RULES for one in planned):
        console.print(
            "The simulated user is asked once for each request in free words; these requests are "
            "not counted above.",
            markup=False,
        )


def show_resumed(planned: Sequence[PlannedRun], trust: Trust) -> None:
    """Shows what `--resume` would load, ask and send, then the dry run of what is left.

    Loads no model and writes nothing, so it needs no trust.
    """
    pool = ModelPool()
    for one in planned:
        console.print(Rule(safe(str(one.folder.path))))
        for line in _consequences(one, trust, pool):
            console.print(safe(line), soft_wrap=True)
    show_dry_run(planned)


def _consequences(run: PlannedRun, trust: Trust, pool: ModelPool) -> Iterator[str]:
    settings = run.settings
    data = pool.data(settings)
    left = sum(1 for _ in episodes_left(settings, data, run.folder.keys_done()))
    yield f"{left:,} episodes are left; data: {settings.data or 'the embedded suite'}"
    yield from _waiting(run)
    if left:
        for reason in reasons_against_resuming(run.folder, run.folder.read_manifest(), data):
            yield f"refused: {reason}"
    servers = {server.spec: server for server in addressees(settings)}
    for spec in models_of(settings):
        other = "judge" if settings.protocol == "oeg" else "simulated user"
        yield f"{'model' if spec == settings.provider else other}: {spec}"
        if server := servers.get(spec):
            key = f"with the key {OWN_SERVER_KEY}" if server.gets_key else "without a key"
            yield f"  pictures and prompts go to {server.shown}, {key}"
            if server.gets_key and not server.is_trusted(trust):
                yield f"  refused without --trust-host {server.shown}"
        elif is_remote(spec):
            yield "  pictures and prompts go to the company's own server, with its key"
        else:
            yield f"  {_place(spec, run.access)}"
    if reason := runs_foreign_code(settings):
        yield f"on this machine, the model {reason}"
        if not trust.remote_code:
            yield "  refused without --trust-remote-code"


def _waiting(run: PlannedRun) -> Iterator[str]:
    if waiting := open_batches(run.folder.batches):
        requests = sum(one.requests for one in waiting)
        yield (
            f"{requests:,} requests are submitted in batches whose replies are not read yet; they "
            "are paid for, but counted below"
        )
        if not run.access.batch_api:
            yield "  refused without --batch-api"


def _first_request(play: Play, scenario: str, sample: Sample) -> tuple[Request | None, str]:
    """Returns the first request of an episode, or None and the reason."""
    listener = _Listener()
    episode = asyncio.run(play_episode(replace(play, provider=listener), scenario, sample))
    return listener.request, episode.error.message if episode.error else ""


async def _show_sent(planned: Sequence[PlannedRun], request: Request) -> None:
    """Shows for each model where the first request would go, and the fields of its body.

    Models behind an API are made, which needs their keys and libraries, but not asked.
    """
    pool = ModelPool()
    models: dict[object, PlannedRun] = {}
    for run in planned:
        models.setdefault(run.model_key, run)
    for run in models.values():
        settings = run.settings
        name = run.label or settings.provider
        if not is_remote(settings.provider):
            where = _place(settings.provider, run.access)
            console.print(safe(f"{name}: {where}"), soft_wrap=True)
            continue
        written = settings.provider_settings
        own = replace(request, sampling=sampling_of(settings))
        try:
            # Without the reply cache, because a dry run writes nothing.
            provider = pool.provider(settings.provider, written, replace(run.access, cache=None))
            preview = await provider.preview(own)
        except (UserError, ProviderError) as error:
            message = str(error)
            named = message if message.startswith(name) else f"{name}: {message}"
            console.print(safe(named), soft_wrap=True)
            continue
        if preview:
            console.print(safe(f"{name}: to {preview.address}", "bold"), soft_wrap=True)
            console.print(safe(f"  {_fields(preview.body)}"), soft_wrap=True)
    judges_and_users = {
        spec: _place(spec, run.access)
        for run in planned
        for spec in models_of(run.settings)[1:]
        if not is_remote(spec)
    }
    for spec, where in judges_and_users.items():
        console.print(safe(f"{spec}: {where}"), soft_wrap=True)
    await pool.close()


def _place(spec: str, access: ApiAccess) -> str:
    """Where the prompts of a model go that is not behind an API."""
    if names_agent(spec):
        return "started once per episode; the agent decides where it sends pictures"
    if split_spec(spec).provider in LOCAL:
        if access.ray is not None:
            return f"prompts and pictures go to the workers of {cluster_name(access.ray)}"
        if access.workers is not None:
            return f"nothing is sent; {number_of(access.workers, 'worker')} on this machine"
    return "nothing is sent; the model runs on this machine"


def _fields(body: dict[str, Any]) -> str:
    """Formats a body as JSON, without the long fields, which the first request shows."""
    shown = {}
    for name, value in body.items():
        long = isinstance(value, list | str) and len(json.dumps(value)) > LONG
        shown[name] = "<above>" if long else value
    return json.dumps(shown, ensure_ascii=False)


def _show_requests(planned: Sequence[_Remainder], pool: ModelPool) -> list[CostEstimate]:
    """Shows the number of requests of each kind of model (see `Turns`).

    Returns the estimate of each run.
    """
    # Runs that differ only in the model need one estimate, if the same episodes are left.
    keys = [(_without_model(one.settings), one.done) for one in planned]
    totals: dict[tuple[Settings, frozenset[EpisodeKey]], CostEstimate] = {}
    for key, number in Counter(keys).items():
        settings, done = key
        if len(planned) > 1:
            models = f", each of {number} models" if number > 1 else ""
            console.print(f"{settings.protocol}, {settings.condition}{models}", markup=False)
        totals[key] = _show_scenarios(settings, done, pool)
    estimates = [totals[key] for key in keys]
    turns = sum((estimate.turns for estimate in estimates), Turns())
    console.print(_range("in all", turns), markup=False)
    return estimates


def _without_model(settings: Settings) -> Settings:
    """Returns the settings that affect the number of requests and the first request."""
    image_size = settings.provider_settings.image_size
    how = ProviderSettings(image_size=image_size)
    return replace(settings, provider="", provider_settings=how)


def _show_scenarios(
    settings: Settings, done: frozenset[EpisodeKey], pool: ModelPool
) -> CostEstimate:
    play = make_play(settings, pool.data(settings), _Listener())
    total = CostEstimate()
    for scenario in settings.scenarios:
        part = _estimate(play, settings, scenario, done)
        console.print(_range(scenario, part.turns), markup=False)
        total += part
    return total


def _show_costs(planned: Sequence[PlannedRun], estimates: Sequence[CostEstimate]) -> None:
    """Shows tokens and dollars of each API model, over all of its runs."""
    models: dict[object, list[tuple[PlannedRun, CostEstimate]]] = {}
    for one, estimate in zip(planned, estimates, strict=True):
        if is_remote(one.settings.provider) and estimate.turns.fewest:
            models.setdefault(one.model_key, []).append((one, estimate))
    if models:
        console.print(Rule("tokens and cost, about"))
    for runs in models.values():
        first = runs[0][0]
        access = first.access
        price = find_price(first.settings.provider, access.price, batch=access.batch_api)
        total = sum((estimate for _, estimate in runs), CostEstimate())
        how = first.settings.provider_settings
        sampling, effort = sampling_of(first.settings), how.reasoning
        room = planned_room(first.settings.provider, sampling, effort)
        name = first.label or first.settings.provider
        if len(runs) > 1:
            name += f", {len(runs)} runs"
        for line in total.shown(name, price, room):
            console.print(line, markup=False, soft_wrap=True)
        if access.batch_api:
            waves = "1 wave" if total.longest == 1 else f"1 to {total.longest} waves"
            console.print(f"  batch API: {waves} of batches, each up to a day", markup=False)


def _estimate(
    play: Play, settings: Settings, scenario: str, done: frozenset[EpisodeKey]
) -> CostEstimate:
    """Estimates what is left of a scenario from the tokens of the first sample that is left."""
    first: PromptSize | None = None
    total = CostEstimate()
    keeps = play.condition.keeps_conversation(play.protocol.keeps_conversation)
    left = episodes_left(replace(settings, scenarios=(scenario,)), play.data, done)
    for _, episodes in groupby(left, lambda one: one.sample.id):
        (_, sample, _), *more = episodes
        if first is None:
            request, _ = _first_request(play, scenario, sample)
            first = prompt_size(request, settings.provider_settings.image_size, keeps=keeps)
        turns = _turns(play.environment(scenario, sample), settings)
        total += CostEstimate.of(turns, first) * (1 + len(more))
    return total


def _turns(environment: Environment[Any], settings: Settings) -> Turns:
    if environment.shows_reference or (settings.protocol == "oeg" and not settings.multi_turn):
        return Turns(1, 1, 1)
    while environment.stop is None:
        environment.step(environment.best_action())
    return Turns(1, environment.turn, environment.max_steps)


def _range(name: str, turns: Turns) -> str:
    return (
        f"{name:<12} {turns.fewest:>7,} to {turns.most:>9,}; "
        f"{turns.needed:>7,} to see every object and answer"
    )
