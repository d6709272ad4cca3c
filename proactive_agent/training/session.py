"""A training from its data to its folder."""

import contextlib
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from proactive_agent.providers.local.aliases import resolve
from proactive_agent.records.manifest import git_commit
from proactive_agent.tools import UserError
from proactive_agent.training.arguments import check_arguments, need_libraries
from proactive_agent.training.card import write_card
from proactive_agent.training.evaluation import Evaluation
from proactive_agent.training.events import Event, Note, Phase, Tell, Working
from proactive_agent.training.folder import (
    Journal,
    Status,
    TrainingDataFingerprint,
    TrainingManifest,
    go_on,
    is_full,
    last_checkpoint,
    library_versions,
    read_manifest,
    step_of,
)
from proactive_agent.training.model import (
    adapter_config,
    fingerprint_of,
    is_first_process,
    save_processor,
    world_size,
)
from proactive_agent.training.prepared import Prepared, prepare, read_material
from proactive_agent.training.selection import mix_of
from proactive_agent.training.settings import TrainingSettings


def train(settings: TrainingSettings, out: Path, tell: Tell | None = None) -> TrainingManifest:
    """Trains into a new folder.  Raises UserError before anything is written."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out} is not empty; --resume goes on with a training that lies there")
    tell = _told_once(tell)
    return _Session(_prepared(settings, out, tell), tell).run(None)


def resume(out: Path, tell: Tell | None = None) -> TrainingManifest:
    """Goes on from the last checkpoint of a folder.  Raises UserError."""
    manifest = read_manifest(out)
    if manifest.status == "finished":
        raise UserError(f"{out} holds a finished training")
    tell = _told_once(tell)
    prepared = _prepared(manifest.settings, out, tell)
    if prepared.data.files != manifest.data.files:
        raise UserError(f"{manifest.settings.data} has changed since {out} was begun")
    if not manifest.model.is_same(fingerprint_of(prepared.source, prepared.loaded.model)):
        raise UserError(f"{manifest.settings.model} has changed since {out} was begun")
    return _Session(prepared, tell).run(manifest)


def check(settings: TrainingSettings, out: Path, tell: Tell | None = None) -> None:
    """Everything that can be known without the model.  Raises UserError."""
    tell = _told_once(tell)
    _check(settings, out, tell)
    read_material(settings, tell)


def _prepared(settings: TrainingSettings, out: Path, tell: Tell) -> Prepared:
    """Raises UserError for all that can be found out before anything is written."""
    from proactive_agent.training.grpo import check_second_look
    from proactive_agent.training.multi_turn import check_model

    _check(settings, out, tell)
    prepared = prepare(settings, out, tell)
    model = prepared.loaded.model
    adapter_config(model, settings)
    if settings.multi_turn and settings.method == "grpo":
        check_model(model, prepared.loaded.processor)
    elif settings.method == "grpo":
        check_second_look(prepared)
    return prepared


def _check(settings: TrainingSettings, out: Path, tell: Tell) -> None:
    tell(Working("libraries"))
    need_libraries(settings)
    resolve(settings.model)
    with _quiet():
        check_arguments(settings, out)


class _Session:
    """One training."""

    def __init__(self, prepared: Prepared, tell: Tell) -> None:
        self.prepared = prepared
        self.settings = prepared.settings
        self.out = prepared.out
        self.tell = tell
        self.early_end: Any = None
        self.open = contextlib.ExitStack()

    def run(self, earlier: TrainingManifest | None) -> TrainingManifest:
        """Trains, saves, and says how it ended."""
        checkpoint = last_checkpoint(self.out)
        done = step_of(checkpoint) if checkpoint else 0
        if earlier:
            self.tell(Note(f"goes on from step {done}"))
        with _quiet(), self.open:
            manifest = earlier.begun_again() if earlier else self._manifest()
            try:
                self._write(manifest)
            except OSError as error:
                raise UserError(f"{self.out}: {error.strerror}") from None
            trainer = None
            try:
                journal = Journal(self.out, done, writes=is_first_process())
                self.evaluation = Evaluation(self.prepared, journal, self.tell)
                self.evaluation.before()
                trainer = self._trainer(journal, warm=bool(checkpoint))
                self.evaluation.during(trainer)
                go_on(trainer, checkpoint)
                self._save(trainer)
                self.evaluation.after(trainer)
            except BaseException as error:
                status: Status = "failed"
                if isinstance(error, KeyboardInterrupt):
                    status = "interrupted"
                with contextlib.suppress(OSError):
                    self._write(manifest.ended_as(status, _steps(trainer)))
                if is_full(error, self.out):
                    raise UserError(
                        f"{self.out}: the disk is full; with more room --resume goes on"
                    ) from None
                raise
        early = bool(self.early_end and self.early_end.ended)
        manifest = manifest.ended_as("finished", _steps(trainer), stopped_early=early)
        if is_first_process():
            write_card(self.out, manifest)
        self._write(manifest)
        return manifest

    def _trainer(self, journal: Journal, *, warm: bool) -> Any:
        from proactive_agent.training.grpo import grpo_trainer
        from proactive_agent.training.multi_turn import multi_turn_trainer, stage_for
        from proactive_agent.training.sft import sft_trainer

        callbacks = [self._watch(self.settings.method, journal), *self._early_end()]
        if self.settings.method == "sft":
            return _silent(sft_trainer(self.prepared, callbacks))
        model = self.prepared.loaded.model
        if self.settings.warm_up and not warm:
            model = self._warmed_up(journal)
        if self.settings.multi_turn:
            stage = self.open.enter_context(stage_for(self.prepared))
            return _silent(multi_turn_trainer(self.prepared, model, callbacks, stage))
        return _silent(grpo_trainer(self.prepared, model, callbacks))

    def _warmed_up(self, journal: Journal) -> Any:
        """The model after its supervised steps, with its adapter if it has one."""
        from proactive_agent.training.sft import sft_trainer

        trainer = _silent(sft_trainer(self.prepared, [self._watch("warm-up", journal)]))
        trainer.train()
        return trainer.accelerator.unwrap_model(trainer.model)

    def _watch(self, phase: Phase, journal: Journal) -> Any:
        from proactive_agent.training.callbacks import JournalCallback

        return JournalCallback(phase, journal, self.prepared.loaded.processor, self.tell)

    def _early_end(self) -> list[Any]:
        from proactive_agent.training.callbacks import EarlyStopping

        if self.settings.patience is None:
            return []
        metric, sign = ("eval_reward", 1) if self.settings.method == "grpo" else ("eval_loss", -1)
        self.early_end = EarlyStopping(self.settings.patience, metric, sign)
        return [self.early_end]

    def _manifest(self) -> TrainingManifest:
        prepared = self.prepared
        return TrainingManifest(
            settings=self.settings,
            model=fingerprint_of(prepared.source, prepared.loaded.model),
            data=TrainingDataFingerprint(
                files=prepared.data.files,
                train=mix_of(prepared.chosen.train),
                held_out=mix_of(prepared.chosen.held_out),
                leaks=prepared.leaks,
            ),
            processes=world_size(),
            versions=library_versions(),
            git_commit=git_commit(),
            started=datetime.now(UTC),
        )

    def _write(self, manifest: TrainingManifest) -> None:
        if is_first_process():
            manifest.write(self.out)

    def _save(self, trainer: Any) -> None:
        trainer.save_model(str(self.out))
        if is_first_process():
            (self.out / "training_args.bin").unlink(missing_ok=True)
            save_processor(self.prepared.loaded.processor, self.out)


def _told_once(tell: Tell | None) -> Tell:
    """From one process alone, to whoever listens."""

    def tell_nobody(event: Event) -> None:
        del event

    return tell if tell and is_first_process() else tell_nobody


def _steps(trainer: Any) -> int:
    return int(trainer.state.global_step) if trainer else 0


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The libraries warn each other of what a later version will be like."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.filterwarnings("ignore", message=".*an experimental feature")
        yield


def _silent(trainer: Any) -> Any:
    """Without what prints: we show the steps ourselves."""
    from transformers.trainer_callback import PrinterCallback, ProgressCallback

    for kind in (PrinterCallback, ProgressCallback):
        trainer.remove_callback(kind)
    return trainer
