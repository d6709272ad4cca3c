"""Folders that contain a LoRA adapter and the name of its base model."""

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from proactive_agent.disk.regular_file import read_regular
from proactive_agent.providers.local.aliases import Source, resolve
from proactive_agent.tools import MissingExtraError, UserError

CONFIG = "adapter_config.json"
VISION_ADAPTERS: Mapping[str, str] = {"phi4_multimodal": "vision-lora"}
"""Folders inside a repository with the adapter that a family needs to see, by `model_type`."""


class Base(NamedTuple):
    """The base model of an adapter."""

    source: Source
    revision: str | None


def base_of(folder: Path) -> Base | None:
    """The base model of an adapter; None if the folder contains a full model. Raises UserError."""
    file = folder / CONFIG
    if (folder / "config.json").is_file() or not file.is_file():
        return None
    try:
        fields = json.loads(read_regular(file))
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
    """Adds the adapter to the model. `merged` weights generate faster, but need full precision."""
    return _applied(model, str(folder), {}, merged=merged)


def with_vision_adapter(
    model: Any, location: str, subfolder: str, *, merged: bool, **hub: Any
) -> Any:
    """Applies the adapter in a part of a model's own repository, if there is one.

    `hub` are the arguments with which the repository is read.
    """
    from transformers.utils.hub import cached_file

    places = {name: hub[name] for name in ("revision", "local_files_only")}
    found = cached_file(
        location, CONFIG, subfolder=subfolder, _raise_exceptions_for_missing_entries=False, **places
    )
    if found is None:
        return model
    return _applied(model, location, {"subfolder": subfolder, **places}, merged=merged)


def _applied(model: Any, location: str, places: dict[str, Any], *, merged: bool) -> Any:
    try:
        import peft
    except ImportError:
        raise MissingExtraError("train", f"the adapter in {location}") from None
    with warnings.catch_warnings():
        # peft calls a function of transformers by a name that is deprecated.
        warnings.simplefilter("ignore", FutureWarning)
        adapted = peft.PeftModel.from_pretrained(model, location, **places)
        return adapted.merge_and_unload() if merged else adapted
