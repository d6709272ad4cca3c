"""Selects the materials that become episodes, their order and their variants."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from episodes import Material

MOST = 26
"""Maximum number of episodes per scenario."""

BACKWARDS = 3
"""Every n-th ChangeIt video starts at its end."""

SHOWN_WHOLE = 0.95
"""Minimum visible share of the object in the reference frame."""

CORRUPTIONS = (
    ("contrast", "contrast"), ("denoise", "gaussian_noise"), ("deblur", "gaussian_blur"),
    ("brightness", "darkness"), ("resolution", "pixelate"), ("denoise", "shot_noise"),
    ("deblur", "glass_blur"), ("compression", "jpeg_compression"), ("brightness", "darkness"),
    ("deblur", "motion_blur"), ("denoise", "impulse_noise"),
)  # fmt: skip
"""Pairs of family and corruption, used in turn. Corruptions that hide no object even at their
worst (saturation, artifacts, too much light) are only offered as wrong enhancements."""

HARDNESS = {"brightness": 1.0, "contrast": 1.0}
MOST_HARDNESS = 7.0
"""Hardness of all other families, because ImageNet-C's severity 5 is still easy for a person."""


def materials(root: Path, scenario: str) -> Iterator[Material]:
    """Yields the materials of a scenario, with the suite's additions to their records.

    `materials.json` lists the materials that passed a visual check by a person.
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
    """Returns whether the object is completely visible at the end."""
    shown: float = record["frames"][-1]["visible"]
    return shown >= SHOWN_WHOLE
