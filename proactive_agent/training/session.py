"""A training from its data to its folder."""

import contextlib
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from proactive_agent.manifest import git_commit
from proactive_agent.training.arguments import CHECKPOINTS
from proactive_agent.training.card import write_card
from proactive_agent.training.evaluation import Evaluation
from proactive_agent.training.events import Event, Phase, Tell
from proactive_agent.training.journal import Journal
from proactive_agent.training.manifest import (
    DataFingerprint,
    ModelFingerprint,
    Status,
    TrainManifest,
    library_versions,
    read_manifest,
)
from proactive_agent.training.mix import mix_of
from proactive_agent.training.model import is_first_process, save_processor, world_size
from proactive_agent.training.prepared import Prepared, prepare
from proactive_agent.training.settings import TrainSettings
from tools import MissingExtraError, UserError


def train(settings: TrainSettings, out: Path, tell: Tell | None = None) -> TrainManifest:
    """Trains into a new folder.  Raises UserError before anything is written."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out} is not empty; --resume goes on with a training that lies there")
    tell = _told_once(tell)
    _need_libraries()
    return _Session(prepare(settings, out, tell), tell).run(None)


def resume(out: Path, tell: Tell | None = None) -> TrainManifest:
    """Goes on from the last checkpoint of a folder.  Raises UserError."""
    manifest = read_manifest(out)
    if manifest.status == "finished":
        raise UserError(f"{out} holds a finished training")
    tell = _told_once(tell)
    _need_libraries()
    prepared = prepare(manifest.settings, out, tell)
    if prepared.data.files != manifest.data.files:
        raise UserError(f"{manifest.settings.data} has changed since {out} was begun")
    return _Session(prepared, tell).run(manifest)


def check(settings: TrainSettings, out: Path, tell: Tell | None = None) -> None:
    """Everything that a training does before its first step.  Raises UserError."""
    _need_libraries()
    prepare(settings, out, _told_once(tell))


class _Session:
    """One training."""

    def __init__(self, prepared: Prepared, tell: Tell) -> None:
        self.prepared = prepared
        self.settings = prepared.settings
        self.out = prepared.out
        self.tell = tell
        self.early_end: Any = None
        self.open = contextlib.ExitStack()

    def run(self, earlier: TrainManifest | None) -> TrainManifest:
        """Trains, saves, and says how it ended."""
        checkpoint = _last_checkpoint(self.out)
        done = int(checkpoint.rpartition("-")[2]) if checkpoint else 0
        with _quiet(), self.open:
            manifest = earlier or self._manifest()
            self._write(manifest)
            trainer = None
            try:
                journal = Journal(self.out, done)
                self.evaluation = Evaluation(self.prepared, journal, self.tell)
                self.evaluation.before()
                trainer = self._trainer(journal, warm=bool(checkpoint))
                self.evaluation.during(trainer)
                trainer.train(resume_from_checkpoint=checkpoint)
                self._save(trainer)
                self.evaluation.after(trainer)
            except BaseException as error:
                status: Status = "failed"
                if isinstance(error, KeyboardInterrupt):
                    status = "interrupted"
                self._write(manifest.ended_as(status, _steps(trainer)))
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
        from proactive_agent.training.callbacks import Watch

        return Watch(phase, journal, self.prepared.loaded.processor, self.tell)

    def _early_end(self) -> list[Any]:
        from proactive_agent.training.callbacks import EarlyEnd

        if self.settings.patience is None:
            return []
        metric, sign = ("eval_reward", 1) if self.settings.method == "grpo" else ("eval_loss", -1)
        self.early_end = EarlyEnd(self.settings.patience, metric, sign)
        return [self.early_end]

    def _manifest(self) -> TrainManifest:
        from providers.local.fingerprint import folder_sha256

        prepared, model = self.prepared, self.prepared.loaded.model
        folder = prepared.source.folder
        return TrainManifest(
            settings=self.settings,
            model=ModelFingerprint(
                name=prepared.source.shown,
                commit=getattr(model.config, "_commit_hash", None),
                folder_sha256=folder_sha256(folder) if folder else None,
                parameters=sum(p.numel() for p in model.parameters()),
                dtype=str(model.dtype).removeprefix("torch."),
            ),
            data=DataFingerprint(
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

    def _write(self, manifest: TrainManifest) -> None:
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


def _last_checkpoint(out: Path) -> str | None:
    from transformers.trainer_utils import get_last_checkpoint

    folder = out / CHECKPOINTS
    find: Any = get_last_checkpoint  # untyped in some releases
    found: str | None = find(str(folder)) if folder.is_dir() else None
    return found


def _steps(trainer: Any) -> int:
    return int(trainer.state.global_step) if trainer else 0


def _need_libraries() -> None:
    try:
        import accelerate
        import datasets
        import peft
        import transformers
        import trl
    except ImportError as error:
        raise MissingExtraError("train", f"train ({error.name} is not installed)") from None
    del accelerate, datasets, peft, transformers, trl


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
