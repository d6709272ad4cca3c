"""Folders that hold an adapter (LoRA) beside the name of the model that it was trained on."""

import json
import warnings
from pathlib import Path
from typing import Any, NamedTuple

from proactive_agent.providers.local.aliases import Source, resolve
from proactive_agent.tools import MissingExtraError, UserError

CONFIG = "adapter_config.json"


class Base(NamedTuple):
    """The model below an adapter."""

    source: Source
    revision: str | None


def base_of(folder: Path) -> Base | None:
    """The model below an adapter; None where the folder holds a whole model.  Raises UserError."""
    file = folder / CONFIG
    if (folder / "config.json").is_file() or not file.is_file():
        return None
    try:
        fields = json.loads(file.read_text(encoding="utf-8"))
        name, revision = fields["base_model_name_or_path"], fields.get("revision")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{file} names no model below the adapter ({error!r})") from None
    if not isinstance(name, str) or not isinstance(revision, str | None):
        raise UserError(f"{file}: {name!r}, revision {revision!r}: names no model")
    try:
        return Base(resolve(name), revision)
    except UserError:
        raise UserError(f"{file}: the model below the adapter is not there: {name}") from None


def with_adapter(model: Any, folder: Path, *, merged: bool) -> Any:
    """The model with the adapter; `merged` into its weights, which costs no time when it runs."""
    try:
        import peft
    except ImportError:
        raise MissingExtraError("train", f"the adapter in {folder}") from None
    with warnings.catch_warnings():
        # It asks transformers for what a later version calls otherwise.
        warnings.simplefilter("ignore", FutureWarning)
        adapted = peft.PeftModel.from_pretrained(model, str(folder))
        return adapted.merge_and_unload() if merged else adapted
