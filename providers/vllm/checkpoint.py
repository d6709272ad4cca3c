"""Facts in the files of a checkpoint, read without loading it."""

import json
from pathlib import Path
from typing import Any, NamedTuple, Self

from proactive_agent.disk.regular_file import read_regular
from proactive_agent.providers.local.aliases import Source
from proactive_agent.settings import Sampling
from proactive_agent.tools import UserError

NEUTRAL = {"top_p": 1.0, "top_k": -1, "min_p": 0.0}
"""Sampling settings without effect. Without them, vLLM would use those of the checkpoint."""
_DEFAULTS = {"temperature": 1.0, "top_k": 50, "top_p": 1.0}
"""The values that transformers uses if a checkpoint that samples sets none."""
_KEPT = ("temperature", "top_k", "top_p", "min_p")


class Checkpoint(NamedTuple):
    """The configuration of a checkpoint. A file that cannot be read is None."""

    config: dict[str, Any] | None
    generation: dict[str, Any] | None

    @classmethod
    def read(cls, source: Source, revision: str | None) -> Self:
        """Reads a folder, or the Hugging Face Hub if `huggingface_hub` is installed."""
        names = ("config.json", "generation_config.json")
        if source.folder:
            return cls(*(_parsed(source.folder / name) for name in names))
        try:
            from huggingface_hub import hf_hub_download
        except ImportError:
            return cls(None, None)
        found: list[dict[str, Any] | None] = []
        for name in names:
            try:
                found.append(
                    _parsed(Path(hf_hub_download(source.location, name, revision=revision)))
                )
            except Exception:  # Many kinds of error; vLLM reports a model that does not exist.
                found.append(None)
        return cls(*found)

    @property
    def family(self) -> str:
        """The `model_type` of the model; empty if it is unknown."""
        return str((self.config or {}).get("model_type", ""))

    def sampling(self, name: str, sampling: Sampling) -> dict[str, Any]:
        """Returns the fields of a request that make vLLM generate as transformers does.

        Raises UserError, with `name` for the model, if vLLM cannot.
        """
        own = self.generation or {}
        # It applies with every value of --generation, as with `local:`.
        penalty = {key: own[key] for key in ("repetition_penalty",) if own.get(key) is not None}
        if sampling.generation == "greedy":
            return NEUTRAL | penalty
        if self.config is None:
            raise UserError(
                f"{name}: --generation {sampling.generation} needs the checkpoint's generation "
                "config, which cannot be read; install huggingface_hub, or name a folder"
            )
        if (own.get("num_beams") or 1) != 1:
            raise UserError(
                f"{name}: the checkpoint generates with {own['num_beams']} beams, which "
                "this provider does not support; use local: or --generation greedy"
            )
        if sampling.generation == "published" or own.get("do_sample"):
            chosen = {key: own[key] for key in _KEPT if own.get(key) is not None}
            return NEUTRAL | _DEFAULTS | chosen | penalty
        return NEUTRAL | {"temperature": 0.0} | penalty


def _parsed(file: Path) -> dict[str, Any] | None:
    try:
        # A file of the Hub's cache is a link.
        found = json.loads(read_regular(file.resolve()))
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
