"""Folders that contain a LoRA adapter and the name of its base model."""

import json
import warnings
from pathlib import Path
from typing import Any, NamedTuple

from proactive_agent.providers.local.aliases import Source, resolve
from proactive_agent.tools import MissingExtraError, UserError

CONFIG = "adapter_config.json"


class Base(NamedTuple):
    """The base model of an adapter."""

    source: Source
    revision: str | None


def base_of(folder: Path) -> Base | None:
    """The base model of an adapter; None if the folder contains a full model.  Raises UserError."""
    file = folder / CONFIG
    if (folder / "config.json").is_file() or not file.is_file():
        return None
    try:
        fields = json.loads(file.read_text(encoding="utf-8"))
        name, revision = fields["base_model_name_or_path"], fields.get("revision")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{file} does not name the adapter's base model ({error!r})") from None
    if not isinstance(name, str) or not isinstance(revision, str | None):
        raise UserError(
            f"{file} does not name the adapter's base model: {name!r}, revision {revision!r}"
        )
    try:
        return Base(resolve(name), revision)
    except UserError:
        raise UserError(f"{file}: the adapter's base model was not found: {name}") from None


def with_adapter(model: Any, folder: Path, *, merged: bool) -> Any:
    """Adds the adapter to the model.  `merged` weights generate faster, but need full precision."""
    try:
        import peft
    except ImportError:
        raise MissingExtraError("train", f"the adapter in {folder}") from None
    with warnings.catch_warnings():
        # peft uses a name that newer versions of transformers deprecate.
        warnings.simplefilter("ignore", FutureWarning)
        adapted = peft.PeftModel.from_pretrained(model, str(folder))
        return adapted.merge_and_unload() if merged else adapted
