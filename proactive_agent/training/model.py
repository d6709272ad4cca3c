"""The model of a training: loading, its fingerprint, its adapter, and saving the processor."""

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proactive_agent.disk.regular_file import read_regular
from proactive_agent.disk.whole_files import write_whole
from proactive_agent.providers import ProviderOptions
from proactive_agent.providers.local.adapters import CONFIG, base_of
from proactive_agent.providers.local.aliases import BUNDLED, Source, resolve
from proactive_agent.tools import MissingExtraError, UserError
from proactive_agent.training.folder import ModelFingerprint
from proactive_agent.training.settings import TrainingSettings

if TYPE_CHECKING:
    from proactive_agent.providers.local.loading import Loaded


def load_model(settings: TrainingSettings) -> tuple[Source, "Loaded"]:
    """Loads the initial model, without moving it to a device. Raises UserError."""
    source = resolve(settings.model)
    if settings.tune == "lora" and source.folder and base_of(source.folder):
        raise UserError(
            f"{settings.model} is an adapter, and a new adapter cannot be trained on top of it: "
            "use --tune full, or train its base model"
        )
    options = ProviderOptions(
        dtype=_dtype(settings),
        device=settings.device,
        attention=settings.attention,
        revision=settings.revision,
        trust_remote_code=settings.trust_remote_code,
    )
    try:
        from proactive_agent.providers.local.generation import stop_ids
        from proactive_agent.providers.local.loading import load
    except ImportError as error:
        raise MissingExtraError("train", "train", error.name) from None
    loaded = load(source, options, placed=False)
    tokenizer = loaded.processor.tokenizer
    tokenizer.padding_side = "left"
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    # The same tokens end a reply in a run.
    loaded.model.generation_config.eos_token_id = sorted(stop_ids(loaded.model, tokenizer))
    return source, loaded


def fingerprint_of(source: Source, model: Any) -> ModelFingerprint:
    """Returns the fingerprint of a model. Every byte of a folder counts."""
    from proactive_agent.providers.local.model_folder import folder_sha256

    return ModelFingerprint(
        name=source.shown,
        commit=getattr(model.config, "_commit_hash", None),
        folder_sha256=folder_sha256(source.folder) if source.folder else None,
        parameters=sum(p.numel() for p in model.parameters()),
        dtype=str(model.dtype).removeprefix("torch."),
    )


def on_gpu(settings: TrainingSettings) -> bool:
    """Whether the training runs on a GPU."""
    import torch

    return settings.device != "cpu" and torch.cuda.is_available()


def device_of(settings: TrainingSettings) -> str:
    """Returns the device on which this process trains."""
    return f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if on_gpu(settings) else "cpu"


def adapter_config(model: Any, settings: TrainingSettings) -> Any:
    """Returns LoRA on the language model; None if all weights are trained. Raises UserError."""
    if settings.tune == "full":
        return None
    try:
        import peft
    except ImportError:
        raise MissingExtraError("train", "train", "peft") from None
    return peft.LoraConfig(
        r=settings.lora_rank,
        lora_alpha=settings.lora_alpha,
        lora_dropout=settings.lora_dropout,
        target_modules=language_layers(model, settings.lora_targets),
        task_type="CAUSAL_LM",
        revision=settings.revision,
    )


def language_layers(model: Any, names: tuple[str, ...]) -> str:
    """Returns a pattern that matches layers of the language model but not of the vision tower.

    Raises UserError if the language model lacks a layer.
    """
    decoder = model.get_decoder()
    root = next((name for name, module in model.named_modules() if module is decoder), "")
    choice = "|".join(map(re.escape, names))
    pattern = rf"{re.escape(root)}\.(?:.*\.)?(?:{choice})"
    there = {
        name.rpartition(".")[2] for name, _ in model.named_modules() if re.fullmatch(pattern, name)
    }
    if missing := [name for name in names if name not in there]:
        raise UserError(f"lora-target: the language model has no layer {', '.join(missing)}")
    return pattern


def world_size() -> int:
    """Returns the number of processes that train together, as set by `accelerate launch`."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_first_process() -> bool:
    """Whether this process is the one that reports and writes."""
    return int(os.environ.get("RANK", "0")) == 0


def _dtype(settings: TrainingSettings) -> str:
    """Returns the precision: bfloat16 below adapters on a GPU, else float32."""
    if settings.dtype != "auto":
        return settings.dtype
    try:
        gpu = on_gpu(settings)
    except ImportError as error:
        raise MissingExtraError("train", "train", error.name) from None
    return "bfloat16" if gpu and settings.tune == "lora" else "float32"


def save_processor(processor: Any, folder: Path) -> None:
    """Writes a processor with its own chat template, or without one if it has none."""
    for name in ("chat_template.jinja", "chat_template.json"):
        (folder / name).unlink(missing_ok=True)
    processor.save_pretrained(folder)


def name_bundled_base(folder: Path, source: Source) -> None:
    """Lets an adapter name its base by its short name if the base is a model of this package.

    The folder of this package is elsewhere on another machine.
    """
    file = folder / CONFIG
    if source.folder in BUNDLED.values() and file.exists():
        fields = json.loads(read_regular(file))
        fields["base_model_name_or_path"] = source.shown
        write_whole(file, json.dumps(fields, indent=2) + "\n")
