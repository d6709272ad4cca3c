"""Writes a run as an Inspect log (`.eval`), which `inspect view` opens.

Turns become model events, interventions tool events, outcomes scores. The records hold durations
but no timestamps. The time of an event is the start of the run plus the seconds of its episode up
to then.
"""

import gc
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from proactive_agent.disk.inner_folders import make_inner_folder
from proactive_agent.disk.whole_files import written_aside
from proactive_agent.exports.inspect_sample import OUTCOME, PSR, SampleLog
from proactive_agent.metrics import summarise
from proactive_agent.records.manifest import Manifest
from proactive_agent.records.pictures import Pictures
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.reports.runs import data_label
from proactive_agent.runs.generation import sampling_of, temperature_of
from proactive_agent.tools import MissingExtraError


def write_inspect_log(run: RunFolder, file: Path) -> list[Path]:
    """Writes one log with a sample per episode and an epoch per repetition.

    Raises MissingExtraError without inspect-ai.
    """
    try:
        from inspect_ai.log import write_eval_log
    except ModuleNotFoundError:
        raise MissingExtraError("inspect", "export --format inspect") from None
    make_inner_folder(file.parent, within=run.path)
    log = as_eval_log(run)
    with written_aside(file) as partial, _closed_once():
        write_eval_log(log, str(partial), format="eval")
    return [file]


@contextmanager
def _closed_once() -> Iterator[None]:
    """Hides the error of an unfinished archive on a full disk.

    When Python deletes the archive it tries to write its end, and prints a second error.
    """
    try:
        yield
    except OSError as error:
        shown = sys.unraisablehook
        sys.unraisablehook = lambda found: (
            None if isinstance(found.exc_value, OSError) else shown(found)
        )
        try:
            cause: BaseException | None = error
            while cause is not None:
                traceback.clear_frames(cause.__traceback__)
                cause = cause.__context__
            gc.collect()
        finally:
            sys.unraisablehook = shown
        raise


def as_eval_log(run: RunFolder) -> Any:
    """Converts the run to an `EvalLog`."""
    from inspect_ai.log import EvalLog, EvalPlan, EvalPlanStep, EvalStats

    manifest = run.read_manifest()
    settings = manifest.settings
    pictures = Pictures(manifest)
    samples = [SampleLog(episode, manifest, pictures).as_sample() for episode in run.episodes()]
    steps = [EvalPlanStep(solver="proactive_agent", params=settings.as_json())]
    return EvalLog(
        status={"running": "started", "finished": "success", "interrupted": "cancelled"}.get(
            manifest.status, "error"
        ),
        eval=_spec(manifest, samples),
        plan=EvalPlan(name="proactive_agent", steps=steps),
        results=_results(run),
        stats=EvalStats(
            started_at=manifest.started.isoformat(),
            completed_at=manifest.ended.isoformat() if manifest.ended else "",
            model_usage=_sum_of(sample.model_usage for sample in samples),
        ),
        samples=samples,
    )


def _spec(manifest: Manifest, samples: list[Any]) -> Any:
    from inspect_ai.log import EvalConfig, EvalDataset, EvalSpec
    from inspect_ai.model import GenerateConfig

    settings = manifest.settings
    return EvalSpec(
        eval_id=manifest.run_id,
        run_id=manifest.run_id,
        created=manifest.started.isoformat(),
        task=f"proactive_agent {settings.protocol}, {settings.condition}",
        task_id=manifest.run_id,
        task_version=manifest.tool_texts,
        task_args={k: v for k, v in settings.as_json().items() if k != "provider_settings"},
        dataset=EvalDataset(
            name=data_label(manifest),
            samples=len({sample.id for sample in samples}),
            sample_ids=list(dict.fromkeys(sample.id for sample in samples)),
        ),
        model=settings.provider,
        model_generate_config=GenerateConfig(
            max_tokens=sampling_of(settings).max_tokens,
            temperature=temperature_of(manifest),
            seed=settings.seed,
        ),
        config=EvalConfig(epochs=settings.repeats),
        packages=manifest.versions,
        metadata={"data": manifest.data.model_dump(), "provider": manifest.provider},
    )


def _results(run: RunFolder) -> Any:
    """Converts the scores of `summary.json`: the mean over scenarios, and each scenario's score."""
    from inspect_ai.log import EvalMetric, EvalResults, EvalScore

    summary = summarise(run.outlines())
    played = sum(scenario.episodes for scenario in summary.scenarios.values())

    def score(name: str, metric: str) -> EvalScore:
        values = {"mean": getattr(summary, metric).value} | {
            scenario: getattr(one, metric).value for scenario, one in summary.scenarios.items()
        }
        return EvalScore(
            name=name,
            scorer=f"proactive_agent/{name}",
            scored_samples=played,
            unscored_samples=summary.errors,
            metrics={
                key: EvalMetric(name=key, value=value)
                for key, value in values.items()
                if value is not None
            },
        )

    return EvalResults(
        total_samples=played + summary.errors,
        completed_samples=played,
        scores=[score(OUTCOME, "acc"), score(PSR, "psr")],
    )


def _sum_of(usages: Iterator[dict[str, Any]]) -> dict[str, Any]:
    total: dict[str, Any] = {}
    for usage in usages:
        for model, one in usage.items():
            total[model] = total[model] + one if model in total else one
    return total
