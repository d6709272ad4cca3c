"""A small benchmark by the real runner, with the model as it is now.

Its runs lie in the training's folder and are like any others: `compare` and `trace` read them.
"""

import asyncio
import copy
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from proactive_agent.metrics import Summary
from proactive_agent.providers import ApiAccess, Provider, ProviderOptions
from proactive_agent.providers.local import Local
from proactive_agent.records.manifest import ProviderSettings, Settings
from proactive_agent.runs import runner
from proactive_agent.runs.model_pool import ModelPool
from proactive_agent.scenarios import DataFolder
from proactive_agent.training.mix import mix_of
from proactive_agent.training.prepared import Prepared

if TYPE_CHECKING:
    from proactive_agent.providers.local.loading import Loaded

FOLDER = "evaluations"
CONDITIONS = ("zero-shot", "clear")


class Played(NamedTuple):
    """One evaluation: a run per condition."""

    label: str
    runs: dict[str, Summary]


class _LiveModel(Local):
    """The model in memory."""

    def __init__(self, prepared: Prepared, lent: "Loaded", name: str) -> None:
        options = ProviderOptions(batch_size=prepared.settings.device_batch_size)
        super().__init__(prepared.source, lent, options)
        self._name = name
        self._prepared = prepared

    def manifest(self) -> dict[str, Any]:
        """As of a folder that is loaded, once the model is no longer the one that was."""
        if self._name == self._prepared.settings.model:
            return super().manifest()
        settings = self._prepared.settings
        training = {
            "model": self._prepared.source.shown,
            "method": settings.method,
            "reward_suggestion": settings.reward_suggestion,
            "scenarios": list(mix_of(self._prepared.chosen.train)),
        }
        other = {"model": Path(self._name).name, "commit": None, "folder_sha256": None}
        return {**super().manifest(), **other, "training": training}


class _Live(ModelPool):
    """Runs share the model that is in memory."""

    def __init__(self, provider: Local) -> None:
        super().__init__()
        self._live = provider

    def provider(
        self, spec: str, how: ProviderSettings, access: ApiAccess | None = None
    ) -> Provider:
        return self._live

    async def release(self, provider: Provider) -> None:
        """Who made it closes it."""


def play_benchmark(prepared: Prepared, model: Any, label: str, name: str) -> Played:
    """Plays some samples of every scenario, as they are and on their clear frames.

    `name` is what the runs call the model.
    """
    with _lent(prepared, model, name) as provider:
        runs = asyncio.run(_play(prepared, provider, label, name))
    return Played(label, runs)


def figures(played: Played, trained: Sequence[str]) -> dict[str, float]:
    """Averages over the trained scenarios and over the unseen ones."""
    found = {}
    for part in ("trained", "unseen"):
        for condition, summary in played.runs.items():
            scenarios = [
                scenario
                for name, scenario in summary.scenarios.items()
                if (name in trained) == (part == "trained")
            ]
            frames = "clear" if condition == "clear" else "ambiguous"
            values = {
                f"asks/{frames}": [scenario.asked_at_once.value for scenario in scenarios],
                f"acc/{frames}": [scenario.acc.value for scenario in scenarios],
            }
            if condition != "clear":
                values["psr"] = [scenario.psr.value for scenario in scenarios]
            for measure, each in values.items():
                if known := [value for value in each if value is not None]:
                    found[f"{part}/{measure}"] = sum(known) / len(known)
    return found


def run_folders(out: Path, label: str) -> list[Path]:
    """The runs of one evaluation."""
    return [out / FOLDER / f"{label}-{condition}" for condition in CONDITIONS]


async def _play(prepared: Prepared, provider: Local, label: str, name: str) -> dict[str, Summary]:
    try:
        return {
            condition: await _run(prepared, provider, label, name, condition)
            for condition in CONDITIONS
        }
    finally:
        await provider.close()


async def _run(
    prepared: Prepared, provider: Local, label: str, name: str, condition: str
) -> Summary:
    settings = prepared.settings
    data = DataFolder(None if settings.eval_data is None else Path(settings.eval_data))
    asked = Settings(
        provider=f"local:{name}",
        data=settings.eval_data,
        scenarios=tuple(data.scenarios()),
        protocol=settings.protocol,
        condition=condition,
        parser=settings.parser,
        limit=settings.eval_limit,
        seed=settings.seed,
        provider_settings=ProviderSettings(
            max_tokens=512 if settings.multi_turn else settings.reply_tokens,
            batch_size=settings.device_batch_size,
        ),
    )
    results = prepared.out / FOLDER
    # What an interrupted training left half done is played again.
    shutil.rmtree(results / f"{label}-{condition}", ignore_errors=True)
    run = runner.prepare_run(asked, results, shared=_Live(provider), run_id=f"{label}-{condition}")
    return await runner.run(run)


@contextmanager
def _lent(prepared: Prepared, model: Any, name: str) -> Iterator[Local]:
    """The model as a provider; afterwards it is as it was, for the training to go on."""
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    generation, training = copy.deepcopy(base.generation_config), model.training
    model.eval()
    loaded = prepared.loaded
    lent = type(loaded)(model, loaded.processor, loaded.template, str(model.device))
    try:
        yield _LiveModel(prepared, lent, name)
    finally:
        base.generation_config = generation
        model.train(training)
