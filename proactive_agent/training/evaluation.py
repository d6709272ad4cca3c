"""The small benchmark before, during and after a training."""

from pathlib import Path
from typing import Any

from proactive_agent.training.advice import about_never_asking
from proactive_agent.training.benchmark import figures, play_benchmark, run_folders
from proactive_agent.training.events import Evaluated, Note, Tell, Working
from proactive_agent.training.journal import Journal
from proactive_agent.training.mix import mix_of
from proactive_agent.training.model import device_of, is_first_process
from proactive_agent.training.prepared import Prepared

BEFORE, AFTER = "before", "after"


def step_label(step: int) -> str:
    """What the evaluation at a step is called."""
    return f"step-{step:06d}"


class Evaluation:
    """Plays it where it is wanted, in the first of the processes; the others wait."""

    def __init__(self, prepared: Prepared, journal: Journal, tell: Tell) -> None:
        self._prepared = prepared
        self._journal = journal
        self._tell = tell
        self._trained = list(mix_of(prepared.chosen.train))

    @property
    def wanted(self) -> bool:
        """Whether there is one at all."""
        return self._prepared.settings.eval_limit > 0

    def before(self) -> None:
        """With the model of the start, unless an earlier sitting did it."""
        done = all((run / "summary.json").exists() for run in run_folders(self._out, BEFORE))
        if self.wanted and not done:
            model = self._prepared.loaded.model
            model.to(device_of(self._prepared.settings))
            values = self._play(model, BEFORE, self._prepared.settings.model)
            self._journal.write("benchmark", 0, values)
            if remark := about_never_asking(values, self._prepared.settings):
                self._tell(Note(remark))

    def during(self, trainer: Any) -> None:
        """Adds it to what happens between the steps."""
        from proactive_agent.training.callbacks import Every

        every = self._prepared.settings.eval_every
        if self.wanted and _is_split(trainer):
            self._tell(Note("ZeRO-3 splits the weights: the benchmark is played before alone"))
        elif self.wanted and every:
            trainer.add_callback(Every(every, lambda step: self._between(trainer, step)))

    def after(self, trainer: Any) -> None:
        """With the trained model."""
        if self.wanted and not _is_split(trainer):
            values = self._play(_model_of(trainer), AFTER, str(self._out))
            self._journal.write("benchmark", trainer.state.global_step, values)

    def _between(self, trainer: Any, step: int) -> None:
        from transformers import Trainer

        label = step_label(step)
        values = self._play(_model_of(trainer), label, f"{self._out}@{label}")
        due = trainer.control.should_log
        # The trainers' own way of logging would also log what they gathered in this step, and
        # logging counts as having done that.
        Trainer.log(trainer, values)
        trainer.control.should_log = due

    def _play(self, model: Any, label: str, name: str) -> dict[str, float]:
        from accelerate import PartialState

        values: dict[str, float] = {}
        if is_first_process():
            self._tell(Working("benchmark"))
            played = play_benchmark(self._prepared, model, label, name)
            values = figures(played, self._trained)
            self._tell(Evaluated(label, values))
        PartialState().wait_for_everyone()
        return {f"benchmark/{name}": value for name, value in values.items()}

    @property
    def _out(self) -> Path:
        return self._prepared.out


def _model_of(trainer: Any) -> Any:
    return trainer.accelerator.unwrap_model(trainer.model)


def _is_split(trainer: Any) -> bool:
    """Whether no process has all weights (DeepSpeed's ZeRO-3)."""
    plugin = trainer.args.deepspeed_plugin
    return bool(plugin and plugin.zero_stage == 3)
