"""What a folder says of its training, where `train` made it."""

import json
from pathlib import Path
from typing import Any

FILE = "train.json"


def training_in(folder: Path) -> dict[str, Any] | None:
    """The model that it began with, the method, a suggestion's reward, and the scenarios."""
    try:
        fields = json.loads((folder / FILE).read_text(encoding="utf-8"))
        return {
            "model": fields["model"]["name"],
            "method": fields["settings"]["method"],
            "reward_suggestion": fields["settings"]["reward_suggestion"],
            "scenarios": list(fields["data"]["train"]),
        }
    except (OSError, ValueError, KeyError, TypeError):
        return None
