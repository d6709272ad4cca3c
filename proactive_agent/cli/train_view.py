"""Shows a training: the mix before it starts, a line of progress, what came of it."""

import sys
from pathlib import Path
from typing import Any

from rich import box
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from proactive_agent.terminal import console, messages, safe
from proactive_agent.training.events import (
    Evaluated,
    Event,
    Mixed,
    Note,
    Reading,
    Started,
    Stepped,
)
from proactive_agent.training.settings import TrainSettings


def show_training(settings: TrainSettings | None, out: Path, *, dry_run: bool) -> None:
    """Trains, or goes on where there are no settings."""
    from proactive_agent.training.session import check, resume, train

    view = _View()
    try:
        with view.progress:
            if settings is None:
                resume(out, view.show)
            elif dry_run:
                check(settings, out, view.show)
                return
            else:
                train(settings, out, view.show)
    except KeyboardInterrupt:
        messages.print(
            f"interrupted; go on with: train --resume --out {out}", markup=False, soft_wrap=True
        )
        sys.exit(130)
    console.print(
        f"judge it: python -m proactive_agent run --provider local:{out}",
        markup=False,
        soft_wrap=True,
    )


class _View:
    """What is on the screen."""

    def __init__(self) -> None:
        self.progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=12),
            MofNCompleteColumn(),
            TextColumn("{task.fields[metrics]}", markup=False),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=messages,
            transient=True,
            disable=not messages.is_terminal,
        )
        self._task = self.progress.add_task("", total=None, metrics="")
        self._task_name = ""

    def show(self, event: Event) -> None:
        """Shows what a training tells."""
        match event:
            case Note(text):
                messages.print(safe(text), soft_wrap=True)
            case Mixed():
                console.print(_mix_table(event))
            case Reading(what, done):
                self._read(what, done)
            case Started(phase, steps, done):
                self.progress.update(
                    self._task, description=phase, completed=done, total=steps, metrics=""
                )
            case Stepped(_, step, values):
                self._step(step, values)
            case Evaluated(label, values):
                for line in evaluation_lines(label, values):
                    messages.print(safe(line), soft_wrap=True)

    def _read(self, what: str, more: int) -> None:
        if self._task_name != what:
            self._task_name = what
            self.progress.reset(self._task, description=what, total=None)
        self.progress.advance(self._task, more)

    def _step(self, step: int, values: dict[str, Any]) -> None:
        self.progress.update(self._task, completed=step, metrics=metrics_line(values))


SHOWN = {
    "reward": "reward",
    "ask_rate/ambiguous": "asks",
    "ask_rate/clear": "on clear",
    "invalid_rate": "invalid",
    "kl": "KL",
    "entropy": "entropy",
    "loss": "loss",
}
"""What the line of progress shows, and how it is called there."""


def metrics_line(values: dict[str, Any]) -> str:
    """The most telling numbers of a step."""
    shown = {name: values[key] for key, name in SHOWN.items() if values.get(key) is not None}
    if "reward" in shown:
        shown.pop("loss", None)
    line = _numbers(shown)
    if (speed := values.get("tokens_per_second")) is not None:
        line += f" {speed:.0f} tok/s"
    return line


def evaluation_lines(label: str, values: dict[str, float]) -> list[str]:
    """What the small benchmark found, for the trained scenarios and for the unseen ones."""
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
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title="trained on", title_justify="left")
    table.add_column("scenario")
    for name in ("ambiguous", "clear", "held out"):
        table.add_column(name, justify="right")
    for scenario, frames in mixed.train.items():
        apart = mixed.held_out.get(scenario)
        held_out = apart.ambiguous + apart.clear if apart else 0
        table.add_row(scenario, f"{frames.ambiguous:,}", f"{frames.clear:,}", f"{held_out:,}")
    for scenario in mixed.unseen:
        table.add_row(scenario, "unseen", "unseen", "")
    return table
