"""Runs a training, from its settings to the finished folder."""

import contextlib
import shutil
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from proactive_agent.disk.inner_folders import refuse_links
from proactive_agent.providers.local.aliases import resolve
from proactive_agent.providers.local.model_folder import folder_sha256
from proactive_agent.records.manifest import git_commit
from proactive_agent.tools import NotWrittenError, UserError
from proactive_agent.training.arguments import check_arguments, require_libraries
from proactive_agent.training.card import write_card
from proactive_agent.training.checkpoints import (
    last_checkpoint,
    mark_complete,
    step_of,
    train_from,
)
from proactive_agent.training.evaluation import Evaluation
from proactive_agent.training.events import Event, Note, OnEvent, Phase, Working
from proactive_agent.training.folder import (
    MANIFEST,
    UNFINISHED,
    Journal,
    Status,
    TrainingDataFingerprint,
    TrainingManifest,
    is_disk_full,
    library_versions,
    lock,
    move_into_place,
    read_manifest,
)
from proactive_agent.training.model import (
    adapter_config,
    fingerprint_of,
    is_first_process,
    name_bundled_base,
    save_processor,
    world_size,
)
from proactive_agent.training.prepared import Prepared, TrainingMaterial, prepare, read_material
from proactive_agent.training.selection import count_frames
from proactive_agent.training.settings import TrainingSettings


def train(
    settings: TrainingSettings, out: Path, on_event: OnEvent | None = None
) -> TrainingManifest:
    """Trains into a new folder. Raises UserError before it writes anything."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise _not_empty(out)
    on_event = _in_first_process(on_event)
    prepared = _prepared(settings, out, on_event)
    with _only_writer(out):
        # Another process may have trained into the folder while this one loaded its model.
        if is_first_process() and (out / MANIFEST).exists():
            raise _not_empty(out)
        return _Session(prepared, on_event).run(None)


def resume(
    out: Path, on_event: OnEvent | None = None, *, trust_remote_code: bool = False
) -> TrainingManifest:
    """Resumes the training of a folder from its last checkpoint. Raises UserError.

    `trust_remote_code` allows code from the model's repository. The folder may come from someone
    else, so its own word for that does not count.
    """
    read_manifest(out)  # Refuses other folders before the lock's file is made in one.
    refuse_links(out)
    with _only_writer(out):
        manifest = read_manifest(out)
        if manifest.settings.trust_remote_code and not trust_remote_code:
            raise UserError(
                f"{out}: its model {manifest.settings.model} runs code from the model's "
                "repository; --trust-remote-code allows it"
            )
        _refuse_finished(out, manifest)
        on_event = _in_first_process(on_event)
        prepared = _prepared(manifest.settings, out, on_event)
        _refuse_changed_data(out, manifest, prepared)
        if not manifest.model.is_same(fingerprint_of(prepared.source, prepared.loaded.model)):
            raise _changed(out, manifest.settings.model)
        return _Session(prepared, on_event).run(manifest)


def check(settings: TrainingSettings, out: Path, on_event: OnEvent | None = None) -> None:
    """Checks everything that does not need the model. Raises UserError."""
    on_event = _in_first_process(on_event)
    _check(settings, out, on_event)
    read_material(settings, on_event)


def check_resumed(out: Path, manifest: TrainingManifest, on_event: OnEvent | None = None) -> None:
    """Checks everything that `resume` does, except what needs the model. Raises UserError.

    Writes nothing and runs no code of the model, so it needs no consent.
    """
    _refuse_finished(out, manifest)
    on_event = _in_first_process(on_event)
    _check(manifest.settings, out, on_event)
    _refuse_changed_data(out, manifest, read_material(manifest.settings, on_event))
    source = resolve(manifest.settings.model)
    if source.folder and folder_sha256(source.folder) != manifest.model.folder_sha256:
        raise _changed(out, manifest.settings.model)


@contextlib.contextmanager
def _only_writer(out: Path) -> Iterator[None]:
    """Holds the lock of a training in its first process. Raises UserError."""
    with lock(out) if is_first_process() else contextlib.nullcontext():
        yield


def _not_empty(out: Path) -> UserError:
    return UserError(
        f"{out} is not empty: choose another folder, or continue its training with --resume"
    )


def _refuse_finished(out: Path, manifest: TrainingManifest) -> None:
    if manifest.status == "finished":
        raise UserError(f"the training in {out} is finished: there is nothing to resume")


def _refuse_changed_data(out: Path, manifest: TrainingManifest, material: TrainingMaterial) -> None:
    if material.data.files != manifest.data.files:
        raise _changed(out, manifest.settings.data)


def _changed(out: Path, source: str) -> UserError:
    return UserError(f"{source} has changed since the training in {out} started")


def _prepared(settings: TrainingSettings, out: Path, on_event: OnEvent) -> Prepared:
    """Prepares a training. Raises UserError for faults found before the first write."""
    from proactive_agent.training.grpo import check_log_probabilities
    from proactive_agent.training.multi_turn import check_model

    _check(settings, out, on_event)
    prepared = prepare(settings, out, on_event)
    model = prepared.loaded.model
    adapter_config(model, settings)
    if settings.multi_turn and settings.method == "grpo":
        check_model(model, prepared.loaded.processor)
    elif settings.method == "grpo":
        check_log_probabilities(prepared)
    return prepared


def _check(settings: TrainingSettings, out: Path, on_event: OnEvent) -> None:
    on_event(Working("libraries"))
    require_libraries(settings)
    resolve(settings.model)
    with _quiet():
        check_arguments(settings, out)


class _Session:
    """One training, from the prepared data and model to the finished folder."""

    def __init__(self, prepared: Prepared, on_event: OnEvent) -> None:
        self.prepared = prepared
        self.settings = prepared.settings
        self.out = prepared.out
        self.on_event = on_event
        self.early_stopping: Any = None
        self.resources = contextlib.ExitStack()

    def run(self, earlier: TrainingManifest | None) -> TrainingManifest:
        """Trains, saves the model, and returns the manifest with the end.

        `earlier` is the manifest of a training to resume.
        """
        marked = earlier is None or earlier.marked_checkpoints
        checkpoint = last_checkpoint(self.out, marked=marked)
        done = step_of(checkpoint) if checkpoint else 0
        if earlier:
            self.on_event(Note(f"resuming from step {done}"))
        with _quiet(), self.resources:
            manifest = earlier.as_resumed() if earlier else self._manifest()
            try:
                if checkpoint and not marked and is_first_process():
                    mark_complete(checkpoint)  # Before the manifest says that markers are needed.
                self._write(manifest)
            except OSError as error:
                raise UserError(f"{self.out}: {error.strerror}") from None
            trainer = None
            try:
                journal = Journal(self.out, done, writes=is_first_process())
                self.evaluation = Evaluation(self.prepared, journal, self.on_event)
                self.evaluation.before()
                trainer = self._trainer(journal, warmed_up=bool(checkpoint))
                self.evaluation.during(trainer)
                train_from(trainer, checkpoint)
                self._save(trainer)
                self.evaluation.after(trainer)
            except BaseException as error:
                status: Status = "failed"
                if isinstance(error, KeyboardInterrupt):
                    status = "interrupted"
                with contextlib.suppress(OSError, NotWrittenError):
                    self._write(manifest.as_ended(status, _steps(trainer)))
                if is_disk_full(error, self.out):
                    raise UserError(
                        f"{self.out}: the disk is full; free some space, then use --resume"
                    ) from None
                raise
        early = bool(self.early_stopping and self.early_stopping.ended)
        manifest = manifest.as_ended("finished", _steps(trainer), stopped_early=early)
        if is_first_process():
            write_card(self.out, manifest)
        self._write(manifest)
        return manifest

    def _trainer(self, journal: Journal, *, warmed_up: bool) -> Any:
        from proactive_agent.training.grpo import grpo_trainer
        from proactive_agent.training.multi_turn import make_episode_loop, multi_turn_trainer
        from proactive_agent.training.sft import sft_trainer

        callbacks = [self._watch(self.settings.method, journal), *self._early_stopping()]
        if self.settings.method == "sft":
            return _silent(sft_trainer(self.prepared, callbacks))
        model = self.prepared.loaded.model
        if self.settings.warm_up and not warmed_up:
            model = self._warmed_up(journal)
        if self.settings.multi_turn:
            episode_loop = self.resources.enter_context(make_episode_loop(self.prepared))
            return _silent(multi_turn_trainer(self.prepared, model, callbacks, episode_loop))
        return _silent(grpo_trainer(self.prepared, model, callbacks))

    def _warmed_up(self, journal: Journal) -> Any:
        """Returns the model after the warm-up, with its adapter if it has one."""
        from proactive_agent.training.sft import sft_trainer

        trainer = _silent(sft_trainer(self.prepared, [self._watch("warm-up", journal)]))
        trainer.train()
        return trainer.accelerator.unwrap_model(trainer.model)

    def _watch(self, phase: Phase, journal: Journal) -> Any:
        from proactive_agent.training.callbacks import JournalCallback

        processor, keep = self.prepared.loaded.processor, self.settings.keep
        return JournalCallback(phase, journal, processor, keep, self.on_event)

    def _early_stopping(self) -> list[Any]:
        from proactive_agent.training.callbacks import EarlyStopping

        if self.settings.patience is None:
            return []
        metric, sign = ("eval_reward", 1) if self.settings.method == "grpo" else ("eval_loss", -1)
        self.early_stopping = EarlyStopping(self.settings.patience, metric, sign)
        return [self.early_stopping]

    def _manifest(self) -> TrainingManifest:
        prepared = self.prepared
        return TrainingManifest(
            settings=self.settings,
            model=fingerprint_of(prepared.source, prepared.loaded.model),
            data=TrainingDataFingerprint(
                files=prepared.data.files,
                train=count_frames(prepared.chosen.train),
                held_out=count_frames(prepared.chosen.held_out),
                leaks=prepared.leaks,
            ),
            processes=world_size(),
            versions=library_versions(),
            git_commit=git_commit(),
            started=datetime.now(UTC),
            marked_checkpoints=True,
        )

    def _write(self, manifest: TrainingManifest) -> None:
        if is_first_process():
            manifest.write(self.out)

    def _save(self, trainer: Any) -> None:
        """Saves model and processor. No file in the folder is ever half written."""
        unfinished = self.out / UNFINISHED
        if is_first_process():
            shutil.rmtree(unfinished, ignore_errors=True)  # A killed process may have left it.
        trainer.accelerator.wait_for_everyone()
        trainer.save_model(str(unfinished))
        trainer.accelerator.wait_for_everyone()
        if is_first_process():
            (unfinished / "training_args.bin").unlink(missing_ok=True)
            save_processor(self.prepared.loaded.processor, unfinished)
            name_bundled_base(unfinished, self.prepared.source)
            move_into_place(unfinished, self.out)


def _in_first_process(on_event: OnEvent | None) -> OnEvent:
    """Returns `on_event` in the first process, and a function without effect in the others."""

    def ignore(event: Event) -> None:
        del event

    return on_event if on_event and is_first_process() else ignore


def _steps(trainer: Any) -> int:
    return int(trainer.state.global_step) if trainer else 0


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Hides the warnings of the libraries about their own future versions."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.filterwarnings("ignore", message=".*an experimental feature")
        yield


def _silent(trainer: Any) -> Any:
    """Removes the callbacks that print, because the command line shows the steps itself."""
    from transformers.trainer_callback import PrinterCallback, ProgressCallback

    for kind in (PrinterCallback, ProgressCallback):
        trainer.remove_callback(kind)
    return trainer
