"""The models after `local:` and `vllm:`: short names, folders and ids of the Hugging Face Hub."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from proactive_agent.tools import UserError
from proactive_agent.tools.suggestions import known_names

ALIASES: Mapping[str, str] = {
    "idefics2": "HuggingFaceM4/idefics2-8b",
    "idefics2-chatty": "HuggingFaceM4/idefics2-8b-chatty",
    "idefics3-8b": "HuggingFaceM4/Idefics3-8B-Llama3",
    "instructblip-7b": "Salesforce/instructblip-vicuna-7b",
    "internvl3-1b": "OpenGVLab/InternVL3-1B-hf",
    "internvl3-2b": "OpenGVLab/InternVL3-2B-hf",
    "internvl3-8b": "OpenGVLab/InternVL3-8B-hf",
    "internvl3-38b": "OpenGVLab/InternVL3-38B-hf",
    "internvl3-78b": "OpenGVLab/InternVL3-78B-hf",
    "llava-1.5-7b": "llava-hf/llava-1.5-7b-hf",
    "llava-next-mistral-7b": "llava-hf/llava-v1.6-mistral-7b-hf",
    "llava-next-vicuna-7b": "llava-hf/llava-v1.6-vicuna-7b-hf",
    "llava-ov-0.5b": "llava-hf/llava-onevision-qwen2-0.5b-ov-hf",
    "llava-ov-7b": "llava-hf/llava-onevision-qwen2-7b-ov-hf",
    "llava-ov-72b": "llava-hf/llava-onevision-qwen2-72b-ov-hf",
    "phi-4-multimodal": "microsoft/Phi-4-multimodal-instruct",
    "qwen2.5-vl-3b": "Qwen/Qwen2.5-VL-3B-Instruct",
    "qwen2.5-vl-7b": "Qwen/Qwen2.5-VL-7B-Instruct",
    "qwen2.5-vl-32b": "Qwen/Qwen2.5-VL-32B-Instruct",
    "qwen2.5-vl-72b": "Qwen/Qwen2.5-VL-72B-Instruct",
    "smolvlm2-2.2b": "HuggingFaceTB/SmolVLM2-2.2B-Instruct",
}
"""The paper's models under the paper's names in lower case, and Idefics2."""

_FOLDER = Path(__file__).with_name("bundled")
BUNDLED: Mapping[str, Path] = {name: _FOLDER / name for name in ("nano", "nano-asks")}
"""The models inside this package: a base that guesses, and an adapter that makes it ask."""

SHORT_NAMES = (*ALIASES, *BUNDLED)

REVISIONS: Mapping[str, str] = {"microsoft/Phi-4-multimodal-instruct": "refs/pr/70"}
"""Revisions to use instead of `main`, which transformers cannot load without foreign code."""


class Source(NamedTuple):
    """The source of a model. `folder` is None for a repository of the Hugging Face Hub."""

    location: str
    folder: Path | None
    revision: str | None = None
    """The revision of a repository, unless the user names one; None is `main`."""

    @property
    def shown(self) -> str:
        """The model's name in records: the hub id, or the folder's name without its path."""
        return self.folder.resolve().name if self.folder else self.location


def resolve(name: str, provider: str = "local") -> Source:
    """Resolves a short name, a folder or a hub id, in this order. Raises UserError otherwise.

    `provider` is the name before the colon, for messages.
    """
    if alias := ALIASES.get(name.lower()):
        return Source(alias, None, REVISIONS.get(alias))
    if bundled := BUNDLED.get(name.lower()):
        return Source(str(bundled), bundled)
    folder = Path(name).expanduser()
    if folder.is_dir():
        _refuse_pipes(folder, provider)
        return Source(str(folder), folder)
    if _looks_like_hub_id(name):
        return Source(name, None, REVISIONS.get(name))
    if "/" in name or "\\" in name:
        raise UserError(f"{provider}:{name}: this folder does not exist")
    raise UserError(
        f"{provider}:{name}: expected a short name, a folder or a hub id OWNER/NAME; "
        f"{known_names(name, SHORT_NAMES)}"
    )


def _refuse_pipes(folder: Path, provider: str) -> None:
    """Raises UserError if the libraries that load a model would wait at one of its files."""
    for entry in sorted(folder.iterdir()):
        if entry.exists() and not (entry.is_file() or entry.is_dir()):
            raise UserError(f"{provider}:{folder}: {entry.name} is not a regular file")


def _looks_like_hub_id(name: str) -> bool:
    owner, slash, model = name.partition("/")
    return bool(slash and owner and model) and "/" not in model and owner not in (".", "..", "~")
