"""Which materials become episodes, in which order and variant."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from episodes import Material

MOST = 26
"""Episodes of a scenario."""

BACKWARDS = 3
"""Every so many of the ChangeIt videos are shown from their end."""

SHOWN_WHOLE = 0.95
"""Least visible share of the object in the reference frame."""

CORRUPTIONS = (
    ("contrast", "contrast"), ("denoise", "gaussian_noise"), ("deblur", "gaussian_blur"),
    ("brightness", "darkness"), ("resolution", "pixelate"), ("denoise", "shot_noise"),
    ("deblur", "glass_blur"), ("compression", "jpeg_compression"), ("brightness", "darkness"),
    ("deblur", "motion_blur"), ("denoise", "impulse_noise"),
)  # fmt: skip
"""Family and corruption, taken in turn.  Those that hide no object even at their worst are only
offered as wrong enhancements: saturation, artifacts (snow, frost, fog, spatter), too much light."""

HARDNESS = {"brightness": 1.0, "contrast": 1.0}
MOST_HARDNESS = 7.0
"""Of the others: what ImageNet-C calls severity 5 is still plain to a person."""


def materials(root: Path, scenario: str) -> Iterator[Material]:
    """The materials of a scenario, with what this suite adds to their records.

    `materials.json` lists those that a person kept after looking at them.
    """
    listed = json.loads((root / "materials.json").read_text(encoding="utf-8"))
    records = [r for r in listed["scenarios"][scenario] if scenario != "changeit" or _opens(r)]
    for number, record in enumerate(records[:MOST]):
        family, corruption = CORRUPTIONS[number % len(CORRUPTIONS)]
        more = {
            "backwards": number % BACKWARDS == BACKWARDS - 1,
            "corruption": (family, corruption),
            "hardness": HARDNESS.get(family, MOST_HARDNESS),
        }
        yield Material(root / record["folder"], {**record, **more})


def _opens(record: Mapping[str, Any]) -> bool:
    """Whether the object is wholly to be seen at the end."""
    shown: float = record["frames"][-1]["visible"]
    return shown >= SHOWN_WHOLE
