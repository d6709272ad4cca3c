"""The small benchmark before, during and after a training.

The runner of `run` plays it with the model in memory. Its runs are written to the folder
`evaluations` of the training, in the usual format: `compare` and `trace` read them.
"""

import asyncio
import copy
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proactive_agent.metrics import Summary
from proactive_agent.providers import ProviderOptions
from proactive_agent.providers.local import Local
from proactive_agent.records.manifest import ProviderSettings, Settings
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.runs.planned_run import PlannedRun
from proactive_agent.runs.session import Session
from proactive_agent.scenarios.open_data import open_data
from proactive_agent.training.events import Evaluated, Note, OnEvent, Working
from proactive_agent.training.folder import Journal
from proactive_agent.training.model import device_of, is_first_process
from proactive_agent.training.prepared import Prepared
from proactive_agent.training.selection import count_frames
from proactive_agent.training.settings import never_asks_remark

if TYPE_CHECKING:
    from proactive_agent.providers.local.loading import Loaded


EVALUATIONS = "evaluations"
CONDITIONS = ("zero-shot", "clear")
BEFORE, AFTER = "before", "after"


def step_label(step: int) -> str:
    """Returns the label of the evaluation at a step."""
    return f"step-{step:06d}"


class Evaluation:
    """Plays the small benchmark in the first process while the others wait."""

    def __init__(self, prepared: Prepared, journal: Journal, on_event: OnEvent) -> None:
        self._prepared = prepared
        self._journal = journal
        self._on_event = on_event
        self._trained = list(count_frames(prepared.chosen.train))

    @property
    def wanted(self) -> bool:
        """Whether the small benchmark is played at all."""
        return self._prepared.settings.eval_limit > 0

    def before(self) -> None:
        """Plays it with the initial model, unless it was played before an interruption."""
        done = all((run / "summary.json").exists() for run in run_folders(self._out, BEFORE))
        if self.wanted and not done:
            model = self._prepared.loaded.model
            model.to(device_of(self._prepared.settings))
            values = self._play(model, BEFORE, self._prepared.settings.model)
            self._journal.write("benchmark", 0, values)
            if remark := never_asks_remark(values, self._prepared.settings):
                self._on_event(Note(remark))

    def during(self, trainer: Any) -> None:
        """Plays it every `eval_every` steps, by a callback of the trainer."""
        from proactive_agent.training.callbacks import EverySteps

        every = self._prepared.settings.eval_every
        if self.wanted and _is_split(trainer):
            self._on_event(
                Note(
                    "ZeRO-3 splits the weights, so the benchmark is played only before the training"
                )
            )
        elif self.wanted and every:
            trainer.add_callback(EverySteps(every, lambda step: self._between(trainer, step)))

    def after(self, trainer: Any) -> None:
        """Plays it with the trained model."""
        if self.wanted and not _is_split(trainer):
            values = self._play(_model_of(trainer), AFTER, str(self._out))
            self._journal.write("benchmark", trainer.state.global_step, values)

    def _between(self, trainer: Any, step: int) -> None:
        from transformers import Trainer

        label = step_label(step)
        values = self._play(_model_of(trainer), label, f"{self._out}@{label}")
        due = trainer.control.should_log
        # `trainer.log` would also log and reset the metrics that GRPO gathered in this step, and
        # logging marks the step as logged.
        Trainer.log(trainer, values)
        trainer.control.should_log = due

    def _play(self, model: Any, label: str, name: str) -> dict[str, float]:
        from accelerate import PartialState

        values: dict[str, float] = {}
        if is_first_process():
            self._on_event(Working("benchmark"))
            runs = play_benchmark(self._prepared, model, label, name)
            values = averages(runs, self._trained)
            self._on_event(Evaluated(label, values))
        PartialState().wait_for_everyone()
        return {f"benchmark/{name}": value for name, value in values.items()}

    @property
    def _out(self) -> Path:
        return self._prepared.out


def _model_of(trainer: Any) -> Any:
    return trainer.accelerator.unwrap_model(trainer.model)


def _is_split(trainer: Any) -> bool:
    """Whether no process holds all weights (DeepSpeed ZeRO-3)."""
    plugin = trainer.args.deepspeed_plugin
    return bool(plugin and plugin.zero_stage == 3)


class _ModelInMemory(Local):
    """A `local:` provider for the model in memory."""

    def __init__(self, prepared: Prepared, model_in_memory: "Loaded", name: str) -> None:
        options = ProviderOptions(batch_size=prepared.settings.device_batch_size)
        super().__init__(prepared.source, model_in_memory, options)
        self._name = name
        self._prepared = prepared

    def manifest(self) -> dict[str, Any]:
        """Returns the manifest; after the first step, that of a trained model."""
        if self._name == self._prepared.settings.model:
            return super().manifest()
        settings = self._prepared.settings
        training = {
            "model": self._prepared.source.shown,
            "method": settings.method,
            "reward_suggestion": settings.reward_suggestion,
            "scenarios": list(count_frames(self._prepared.chosen.train)),
        }
        other = {"model": Path(self._name).name, "commit": None, "folder_sha256": None}
        return {**super().manifest(), **other, "training": training}


def play_benchmark(prepared: Prepared, model: Any, label: str, name: str) -> dict[str, Summary]:
    """Plays some samples of every scenario, from their first frames and from their clear frames.

    `name` is the name of the model in the runs. Returns the summaries of the runs by condition.
    """
    with _as_provider(prepared, model, name) as provider:
        return asyncio.run(_play(prepared, provider, label, name))


def averages(runs: dict[str, Summary], trained: Sequence[str]) -> dict[str, float]:
    """Averages the results over the trained and over the unseen scenarios."""
    found = {}
    for part in ("trained", "unseen"):
        for condition, summary in runs.items():
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
    """Returns the run folders of one evaluation."""
    return [out / EVALUATIONS / f"{label}-{condition}" for condition in CONDITIONS]


async def _play(prepared: Prepared, provider: Local, label: str, name: str) -> dict[str, Summary]:
    runs = [_planned(prepared, provider, label, name, condition) for condition in CONDITIONS]
    try:
        async with Session() as session:
            played = await session.play(runs)
    finally:
        await provider.close()
    return {run.manifest.settings.condition: run.summary for run in played}


def _planned(
    prepared: Prepared, provider: Local, label: str, name: str, condition: str
) -> PlannedRun:
    settings = prepared.settings
    data = open_data(settings.eval_data)
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
            thinking_tokens=0,  # Replies have no thinking room in training either.
            batch_size=settings.device_batch_size,
        ),
    )
    folder = prepared.out / EVALUATIONS / f"{label}-{condition}"
    # An interrupted training may have left an incomplete run.
    shutil.rmtree(folder, ignore_errors=True)
    return PlannedRun(asked, RunFolder(folder), model=provider)


@contextmanager
def _as_provider(prepared: Prepared, model: Any, name: str) -> Iterator[Local]:
    """Yields the model as a provider; restores its training state afterwards."""
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    generation, training = copy.deepcopy(base.generation_config), model.training
    model.eval()
    loaded = prepared.loaded
    model_in_memory = type(loaded)(model, loaded.processor, loaded.template, str(model.device))
    try:
        yield _ModelInMemory(prepared, model_in_memory, name)
    finally:
        base.generation_config = generation
        model.train(training)
