"""Terminal view of a training: its rows, a progress line, and its results."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich import box
from rich.console import RenderableType
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from proactive_agent.cli.ending import exit_code
from proactive_agent.terminal.console import console, messages, safe
from proactive_agent.tools import UserError
from proactive_agent.training.checkpoints import last_checkpoint, step_of
from proactive_agent.training.events import (
    Evaluated,
    Event,
    Mixed,
    Note,
    ReadProgress,
    Started,
    Stepped,
    Working,
)
from proactive_agent.training.folder import (
    MANIFEST,
    TrainingManifest,
    is_being_trained,
    read_manifest,
)
from proactive_agent.training.settings import TrainingSettings


def show_training(
    settings: TrainingSettings | None, out: Path, *, dry_run: bool, trust_remote_code: bool = False
) -> None:
    """Trains and shows the progress. Without settings, resumes the training in `out`.

    `trust_remote_code` is the user's consent for a resumed training. A dry run only shows what
    would be done.
    """
    from proactive_agent.training.model import is_first_process
    from proactive_agent.training.session import check, check_resumed, resume, train

    view = _View()
    try:
        with view.progress:
            if dry_run and settings is None:
                manifest = read_manifest(out)
                for line in consequences(out, manifest, trust_remote_code=trust_remote_code):
                    console.print(safe(line), soft_wrap=True)
                check_resumed(out, manifest, view.show)
                return
            if settings is None:
                manifest = resume(out, view.show, trust_remote_code=trust_remote_code)
            elif dry_run:
                check(settings, out, view.show)
                return
            else:
                manifest = train(settings, out, view.show)
    except KeyboardInterrupt as error:
        view.say(f"interrupted; {resume_hint(out)}")
        sys.exit(exit_code(error))
    if is_first_process():
        options = f"--provider local:{out} --protocol {manifest.settings.protocol}"
        line = f"evaluate it: python -m proactive_agent run {options}"
        console.print(line, markup=False, soft_wrap=True)


def consequences(
    out: Path, manifest: TrainingManifest, *, trust_remote_code: bool
) -> Iterator[str]:
    """Yields what `train --resume` would load, run and send, for its dry run."""
    settings = manifest.settings
    yield f"{out}: {manifest.status}; it would be resumed from {_start(out, manifest)}"
    if is_being_trained(out):
        yield "  refused now, because another process trains into this folder"
    yield f"model: {settings.model}"
    if settings.trust_remote_code:
        yield "  code from the model's repository runs on this machine"
        if not trust_remote_code:
            yield "  refused without --trust-remote-code"
    yield f"data: {settings.data}"
    yield f"test data: {settings.eval_data or 'the embedded suite'}"
    if settings.deepspeed:
        yield f"configuration of DeepSpeed: {settings.deepspeed}"
    if settings.vllm == "server":
        yield f"prompts, pictures and weights go to {settings.vllm_server or 'the vLLM server'}"
    for service in settings.report_to:
        yield f"the metrics of every step are sent to {service}"


def resume_hint(out: Path) -> str:
    """Returns the command that resumes an interrupted training, and the step it starts from.

    Never raises: the interruption is reported even if `train.json` was damaged meanwhile.
    """
    if not os.path.lexists(out / MANIFEST):
        return "nothing was written"
    try:
        manifest = read_manifest(out)
    except UserError as error:
        return f"it cannot be resumed: {error}"
    trust = " --trust-remote-code" if manifest.settings.trust_remote_code else ""
    command = f"python -m proactive_agent train --resume --out {out}{trust}"
    return f"to resume from {_start(out, manifest)}: {command}"


def _start(out: Path, manifest: TrainingManifest) -> str:
    """Returns the place from which a training would be resumed."""
    checkpoint = last_checkpoint(out, marked=manifest.marked_checkpoints)
    return f"step {step_of(checkpoint)}" if checkpoint else "the start (no checkpoint yet)"


class _Count(ProgressColumn):
    """Steps done, and the total if it is known."""

    def render(self, task: Task) -> Text:
        done = f"{task.completed:,.0f}"
        if task.total is not None:
            done += f"/{task.total:,.0f}"
        return Text(done if task.total or task.completed else "")


class _Left(TimeRemainingColumn):
    """Remaining time, followed by the word `left`."""

    def render(self, task: Task) -> Text:
        left = super().render(task)
        return Text.assemble(left, " left") if task.time_remaining is not None else Text("")


class _ProgressLine(Progress):
    """A progress bar with the metrics of the last step below it."""

    metrics = ""

    def get_renderables(self) -> Iterator[RenderableType]:
        yield self.make_tasks_table(self.tasks)
        if self.metrics:
            yield Text(self.metrics)


class _View:
    """Shows the events of a training on the terminal."""

    def __init__(self) -> None:
        self.progress = _ProgressLine(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            _Count(),
            TimeElapsedColumn(),
            _Left(),
            console=messages,
            transient=True,
            disable=not messages.is_terminal,
        )
        self._task = self.progress.add_task("", total=None)
        self._task_name = ""

    def show(self, event: Event) -> None:
        """Shows an event."""
        match event:
            case Note(text):
                self.say(text)
            case Mixed():
                self._show_mix(event)
            case ReadProgress(what, done):
                self._read(what, done)
            case Working(what):
                self._work(what)
            case Started(phase, steps, done):
                self.progress.metrics = ""
                self.progress.reset(self._task, description=phase, completed=done, total=steps)
            case Stepped(phase, step, values):
                self.progress.metrics = metrics_line(values) or self.progress.metrics
                self.progress.update(self._task, description=phase, completed=step)
            case Evaluated(label, values):
                for line in evaluation_lines(label, values):
                    self.say(line)

    def say(self, text: str) -> None:
        """Prints a remark above the progress line. Outside a terminal it is not wrapped."""
        messages.print(safe(text), soft_wrap=not messages.is_terminal)

    def _show_mix(self, mixed: Mixed) -> None:
        """Prints the rows. The progress line pauses, as both consoles may be one terminal."""
        self.progress.stop()
        console.print(_mix_table(mixed))
        self.progress.start()

    def _work(self, what: str) -> None:
        if self.progress.tasks[0].total is None:
            self.progress.reset(self._task, total=None)
        self.progress.update(self._task, description=what)

    def _read(self, what: str, more: int) -> None:
        if self._task_name != what:
            self._task_name = what
            self.progress.reset(self._task, description=what, total=None)
        self.progress.advance(self._task, more)


SHOWN = {
    "reward": "reward",
    "ask_rate/ambiguous": "asks",
    "ask_rate/clear": "on clear",
    "invalid_rate": "invalid",
    "kl": "KL",
    "entropy": "entropy",
    "loss": "loss",
}
"""Metrics of the progress line, and their names there."""


def metrics_line(values: dict[str, Any]) -> str:
    """Formats the main metrics of a step."""
    shown = {name: values[key] for key, name in SHOWN.items() if values.get(key) is not None}
    if "reward" in shown:
        shown.pop("loss", None)
    line = _numbers(shown)
    if (speed := values.get("tokens_per_second")) is not None:
        line += f" {speed:.0f} tok/s"
    return line


def evaluation_lines(label: str, values: dict[str, float]) -> list[str]:
    """Formats the small benchmark: a line for trained and one for unseen scenarios."""
    lines = []
    for part in ("trained", "unseen"):
        own = {
            name.removeprefix(f"{part}/"): value
            for name, value in values.items()
            if name.startswith(f"{part}/")
        }
        if own:
            lines.append(
                f"{label}, {part}: asks {_share(own, 'asks/ambiguous')} "
                f"(on clear frames {_share(own, 'asks/clear')}), "
                f"acc {_share(own, 'acc/ambiguous')} ({_share(own, 'acc/clear')}), "
                f"psr {own.get('psr', 0):.1f}"
            )
    return lines


def _share(values: dict[str, float], name: str) -> str:
    return f"{values[name]:.0%}" if name in values else "-"


def _numbers(values: dict[str, float]) -> str:
    return " ".join(f"{name} {value:.2f}" for name, value in values.items())


def _mix_table(mixed: Mixed) -> Table:
    table = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, title="rows to train on", title_justify="left"
    )
    table.add_column("scenario")
    for name in ("ambiguous", "clear", "held out"):
        table.add_column(name, justify="right")
    for scenario, frames in mixed.train.items():
        counts = mixed.held_out.get(scenario)
        held_out = counts.ambiguous + counts.clear if counts else 0
        table.add_row(scenario, f"{frames.ambiguous:,}", f"{frames.clear:,}", f"{held_out:,}")
    for scenario in mixed.unseen:
        table.add_row(scenario, "unseen", "unseen", "")
    return table
