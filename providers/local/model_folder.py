"""Facts about a model's folder for the manifest: a fingerprint of its weights, and its training."""

import hashlib
import json
from pathlib import Path
from typing import Any

from proactive_agent.disk.regular_file import open_regular, read_regular

TRAINING_FILE = "train.json"
"""Written by `train` next to the weights."""
_WEIGHTS = (".safetensors", ".bin", ".pt", ".gguf")
_SAMPLES = 32
_SAMPLE_BYTES = 4096


def folder_sha256(folder: Path) -> str:
    """SHA-256 of the configuration and of each weight file's name, size and a sample of its bytes.

    Reads a sample, so that large models are quick. Names and sizes would not suffice: fine-tuned
    weights have the same ones as their base weights.
    """
    digest = hashlib.sha256()
    for file in sorted(folder.glob("*.json")):
        if file.name.endswith("config.json"):
            digest.update(file.name.encode() + b"\0" + read_regular(file))
    for file in sorted(f for f in folder.iterdir() if f.suffix in _WEIGHTS):
        size = file.stat().st_size
        digest.update(f"{file.name}\0{size}\0".encode())
        with open_regular(file) as stream:
            for index in range(_SAMPLES):
                stream.seek(size * index // _SAMPLES)
                digest.update(stream.read(_SAMPLE_BYTES))
    return digest.hexdigest()


def folder_facts(folder: Path | None) -> dict[str, Any]:
    """Returns facts about a model's folder for the manifest; None stands for a model of the Hub.

    `training` is left out unless `train` made the folder.
    """
    if folder is None:
        return {"folder_sha256": None}
    training = training_in(folder)
    return {"folder_sha256": folder_sha256(folder), **({"training": training} if training else {})}


def training_in(folder: Path) -> dict[str, Any] | None:
    """Returns facts about the training if `train` made the folder; else None.

    The base model, the method, the reward of a suggestion, and the scenarios.
    """
    try:
        fields = json.loads(read_regular(folder / TRAINING_FILE))
        return {
            "model": fields["model"]["name"],
            "method": fields["settings"]["method"],
            "reward_suggestion": fields["settings"]["reward_suggestion"],
            "scenarios": list(fields["data"]["train"]),
        }
    except (OSError, ValueError, KeyError, TypeError):
        return None
