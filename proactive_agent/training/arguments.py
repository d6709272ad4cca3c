"""Arguments for TRL's trainers, and checks of them before any data is read."""

import importlib.util
from pathlib import Path
from typing import Any

from proactive_agent.disk.whole_files import check_recordable
from proactive_agent.tools import MissingExtraError, UserError
from proactive_agent.tools.counting import number_of
from proactive_agent.training.checkpoints import CHECKPOINTS
from proactive_agent.training.model import on_gpu, world_size
from proactive_agent.training.settings import SAVE_EVERY, TrainingSettings

_BENCHMARK_TIMEOUT_S = 4 * 3600
_PACKAGES = {"azure_ml": "azureml-sdk", "comet_ml": "comet-ml", "flyte": "flytekit"}
"""Packages whose name differs from the reporter's name."""
_NO_LIBRARY = ("all", "none")
"""Values of `report_to` that name no single library: all installed ones, and none."""


def require_libraries(settings: TrainingSettings) -> None:
    """Raises UserError that names the first missing library and how to install it."""
    try:
        import accelerate
        import datasets
        import peft
        import transformers
        import trl
    except ImportError as error:
        raise MissingExtraError("train", "train", error.name) from None
    del accelerate, datasets, peft, transformers, trl
    if settings.vllm and not _is_installed("vllm"):
        raise _missing("vllm", "'trl[vllm]'")
    if settings.deepspeed and not _is_installed("deepspeed"):
        raise _missing("deepspeed", "deepspeed")
    for name in settings.report_to:
        if name not in _NO_LIBRARY:
            _need_reporter(name)


def _need_reporter(name: str) -> None:
    """Checks a reporter now. The trainers check it only after the model is loaded."""
    from transformers.integrations.integration_utils import INTEGRATION_TO_CALLBACK

    if name not in INTEGRATION_TO_CALLBACK:
        known = ", ".join(sorted(INTEGRATION_TO_CALLBACK))
        raise UserError(f"--report-to: {name!r} is not one of {known}")
    try:
        INTEGRATION_TO_CALLBACK[name]()
    except (ImportError, RuntimeError):
        raise _missing(f"report-to {name}", _PACKAGES.get(name, name)) from None


def _is_installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _missing(option: str, package: str) -> UserError:
    return UserError(f"--{option} needs a library that is not installed: pip install {package}")


def check_arguments(settings: TrainingSettings, out: Path) -> None:
    """Raises UserError for settings that a trainer would refuse, or that JSON cannot hold."""
    for name, value in (("out", str(out)), *settings):
        check_recordable(name, value)
    import trl

    evaluates = bool(settings.eval_every and settings.held_out)
    gpu = on_gpu(settings)
    where: Any = {"processes": world_size(), "gpu": gpu, "evaluates": evaluates}
    try:
        if settings.method == "grpo":
            trl.GRPOConfig(**grpo_arguments(settings, out, **where))
        if settings.method == "sft" or settings.warm_up:
            trl.SFTConfig(**sft_arguments(settings, out, **where))
    except (ValueError, ImportError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UserError(reason) from None


def grpo_arguments(
    settings: TrainingSettings, out: Path, *, processes: int, gpu: bool, evaluates: bool
) -> dict[str, Any]:
    """Returns the arguments of `GRPOConfig`. Raises UserError if batch sizes do not divide."""
    each = min(settings.device_batch_size, max(1, settings.batch_size // processes))
    passes = _passes(settings.batch_size, each, processes, "batch-size")
    group = max(1, each // settings.rollouts)
    return {
        **_common(settings, out, gpu=gpu, evaluates=evaluates),
        "per_device_train_batch_size": each,
        "gradient_accumulation_steps": passes,
        "generation_batch_size": _written_at_once(settings, each * processes),
        "per_device_eval_batch_size": group * settings.rollouts,
        "num_generations": settings.rollouts,
        "max_completion_length": settings.reply_tokens,
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "beta": settings.beta,
        "epsilon": settings.clip,
        "loss_type": settings.loss,
        "scale_rewards": settings.scale_rewards,
        "num_iterations": settings.iterations,
        "learning_rate": settings.learning_rate,
        "num_train_epochs": settings.epochs,
        "max_steps": settings.max_steps or -1,
        "log_multimodal": False,
        **_vllm(settings),
    }


def sft_arguments(
    settings: TrainingSettings, out: Path, *, processes: int, gpu: bool, evaluates: bool
) -> dict[str, Any]:
    """Returns the arguments of `SFTConfig`.

    A step has one solved reply for each prompt of a GRPO step. Raises UserError if batch sizes do
    not divide.
    """
    prompts = settings.prompts_per_step
    each = min(settings.device_batch_size, max(1, prompts // processes))
    passes = _passes(prompts, each, processes, "batch-size / rollouts")
    warm_up = settings.method == "grpo"
    rate = settings.warm_up_learning_rate if warm_up else None
    return {
        **_common(settings, out, gpu=gpu, evaluates=evaluates),
        "per_device_train_batch_size": each,
        "per_device_eval_batch_size": each,
        "gradient_accumulation_steps": passes,
        "learning_rate": rate or settings.learning_rate,
        "num_train_epochs": settings.epochs,
        "max_steps": settings.warm_up if warm_up else settings.max_steps or -1,
        # A resumed training would mistake its checkpoints for those of GRPO.
        **({"save_strategy": "no"} if warm_up else {}),
        "completion_only_loss": True,
        "max_length": None,
    }


def _common(settings: TrainingSettings, out: Path, *, gpu: bool, evaluates: bool) -> dict[str, Any]:
    every = settings.steps_per_checkpoint
    return {
        "output_dir": str(out / CHECKPOINTS),
        "optim": settings.optimizer,
        "lr_scheduler_type": settings.schedule,
        "warmup_steps": settings.lr_warm_up_steps,
        "weight_decay": settings.weight_decay,
        "max_grad_norm": settings.max_grad_norm,
        "seed": settings.seed,
        "data_seed": settings.seed,
        "use_cpu": not gpu,
        # The other processes wait while the first one plays the benchmark.
        "ddp_timeout": _BENCHMARK_TIMEOUT_S,
        "bf16": gpu and settings.dtype != "float16",
        "fp16": gpu and settings.dtype == "float16",
        "activation_checkpointing": settings.checkpointing,
        "deepspeed": settings.deepspeed,
        "eval_strategy": "steps" if evaluates else "no",
        "eval_steps": settings.eval_every if evaluates else None,
        "save_strategy": "steps" if every else "no",
        "save_steps": every or SAVE_EVERY,
        # Old checkpoints are removed by `remove_old`, when the new one is complete. The trainers
        # would remove them before.
        "save_total_limit": None,
        "logging_steps": 1,
        "report_to": list(settings.report_to) or "none",
        "disable_tqdm": True,
        "remove_unused_columns": False,
    }


def _vllm(settings: TrainingSettings) -> dict[str, Any]:
    if settings.vllm is None:
        return {}
    where: dict[str, Any] = {"vllm_gpu_memory_utilization": settings.vllm_memory}
    if settings.vllm == "server":
        where = {"vllm_server_base_url": settings.vllm_server} if settings.vllm_server else {}
    return {"use_vllm": True, "vllm_mode": settings.vllm, **where}


def _passes(total: int, each: int, processes: int, name: str) -> int:
    """Returns the forward passes per step on every device. Raises UserError."""
    at_once = each * processes
    if total % at_once:
        raise UserError(
            f"{name} is {total}, which is not a multiple of {at_once} ({each} at once on each of "
            f"{number_of(processes, 'device')})"
        )
    return total // at_once


def _written_at_once(settings: TrainingSettings, at_once: int) -> int:
    size = settings.generation_batch_size or settings.batch_size
    if size % at_once or size % settings.rollouts:
        raise UserError(
            f"generation-batch-size is {size}; it must be a multiple of {at_once} (replies in one "
            f"pass on all devices) and of {settings.rollouts} (rollouts)"
        )
    return size
