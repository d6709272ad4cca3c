"""Callbacks of the trainers: journal, checkpoints, periodic calls and early stopping."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import accelerate
import transformers

from proactive_agent.training.checkpoints import mark_complete, remove_old
from proactive_agent.training.events import OnEvent, Phase, Started, Stepped
from proactive_agent.training.folder import Journal
from proactive_agent.training.model import save_processor

_hf: Any = transformers


class JournalCallback(_hf.TrainerCallback):  # type: ignore[misc, unused-ignore]  # untyped base
    """Writes the trainer's logs to the journal, and completes its checkpoints.

    `keep` is the number of checkpoints that are kept.
    """

    def __init__(
        self, phase: Phase, journal: Journal, processor: Any, keep: int, on_event: OnEvent
    ) -> None:
        self._phase: Phase = phase
        self._journal = journal
        self._processor = processor
        self._keep = keep
        self._on_event = on_event

    def on_train_begin(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """Sends the number of steps."""
        self._on_event(Started(self._phase, state.max_steps, state.global_step))

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **more: Any) -> None:
        """Records a step or an evaluation. The totals at the end are skipped."""
        if state.is_world_process_zero and logs and "train_runtime" not in logs:
            line = self._journal.write(self._phase, state.global_step, logs)
            self._on_event(Stepped(self._phase, state.global_step, line))

    def on_save(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """Saves the processor, so that the checkpoint loads as a model, and marks it complete.

        Runs in every process after it has written its part of the checkpoint.
        """
        accelerate.PartialState().wait_for_everyone()
        if state.is_world_process_zero:
            folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
            save_processor(self._processor, folder)
            mark_complete(folder)
            remove_old(folder.parent, self._keep)


class EverySteps(_hf.TrainerCallback):  # type: ignore[misc, unused-ignore]  # untyped base
    """Calls a function every `steps` steps, except after the last step."""

    def __init__(self, steps: int, do: Callable[[int], None]) -> None:
        self._steps = steps
        self._do = do

    def on_step_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """Runs after each optimizer step."""
        if state.global_step % self._steps == 0 and state.global_step < state.max_steps:
            self._do(state.global_step)


class EarlyStopping(_hf.TrainerCallback):  # type: ignore[misc, unused-ignore]  # untyped base
    """Stops a training whose held-out metric has not improved for `patience` evaluations.

    It depends only on the trainer's log, so a resumed training stops at the same step as one
    without interruption.
    """

    def __init__(self, patience: int, metric: str, sign: int) -> None:
        self._patience = patience
        self._metric = metric
        self._sign = sign
        self.ended = False

    def on_evaluate(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """Runs after an evaluation on the held-out rows."""
        values = [
            self._sign * entry[self._metric] for entry in state.log_history if self._metric in entry
        ]
        if values and len(values) - 1 - values.index(max(values)) >= self._patience:
            control.should_training_stop = self.ended = True
