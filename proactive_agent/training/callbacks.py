"""What happens between the steps: journal, checkpoints, early end."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import transformers

from proactive_agent.training.events import Phase, Started, Stepped, Tell
from proactive_agent.training.folder import Journal
from proactive_agent.training.model import save_processor

_hf: Any = transformers


class JournalCallback(_hf.TrainerCallback):  # type: ignore[misc, unused-ignore]  # untyped base
    """Writes and tells what the trainer logs; keeps the processor's own chat template."""

    def __init__(self, phase: Phase, journal: Journal, processor: Any, tell: Tell) -> None:
        self._phase: Phase = phase
        self._journal = journal
        self._processor = processor
        self._tell = tell

    def on_train_begin(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """Says how many steps there are."""
        self._tell(Started(self._phase, state.max_steps, state.global_step))

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **more: Any) -> None:
        """A step, an evaluation, or the sums at the end, which say nothing new."""
        if state.is_world_process_zero and logs and "train_runtime" not in logs:
            line = self._journal.write(self._phase, state.global_step, logs)
            self._tell(Stepped(self._phase, state.global_step, line))

    def on_save(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """A checkpoint is loaded like any model, so it needs the template that it came with."""
        if state.is_world_process_zero:
            folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
            save_processor(self._processor, folder)


class EverySteps(_hf.TrainerCallback):  # type: ignore[misc, unused-ignore]  # untyped base
    """Does something every so many steps, and not after the last, which has its own end."""

    def __init__(self, steps: int, do: Callable[[int], None]) -> None:
        self._steps = steps
        self._do = do

    def on_step_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """After the optimizer's step."""
        if state.global_step % self._steps == 0 and state.global_step < state.max_steps:
            self._do(state.global_step)


class EarlyStopping(_hf.TrainerCallback):  # type: ignore[misc, unused-ignore]  # untyped base
    """Ends when the held-out reward has not risen for some evaluations.

    It only looks at the trainer's log, so a resumed training ends where another would.
    """

    def __init__(self, patience: int, metric: str, sign: int) -> None:
        self._patience = patience
        self._metric = metric
        self._sign = sign
        self.ended = False

    def on_evaluate(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """After an evaluation on the held-out rows."""
        values = [
            self._sign * entry[self._metric] for entry in state.log_history if self._metric in entry
        ]
        if values and len(values) - 1 - values.index(max(values)) >= self._patience:
            control.should_training_stop = self.ended = True
