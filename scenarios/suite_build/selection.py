"""Selects the materials that become episodes, their order and their variants."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from episodes import Material

MOST = 26
"""Maximum number of episodes per scenario."""

REVEALS = {"door": 1, "lid": 1}
"""Kinds of reveal whose first video starts at its end. Other kinds start at the beginning."""

SHOWN_WHOLE = 0.95
"""Minimum visible share of the object in the reference frame."""

CORRUPTIONS = (
    ("contrast", "faint"), ("denoise", "gaussian_noise"), ("deblur", "gaussian_blur"),
    ("brightness", "darkness"), ("resolution", "pixelate"), ("denoise", "shot_noise"),
    ("deblur", "glass_blur"), ("compression", "jpeg_compression"), ("brightness", "darkness"),
    ("deblur", "motion_blur"), ("denoise", "impulse_noise"), ("contrast", "faint"),
)  # fmt: skip
"""Pairs of family and corruption, used in turn. No family is right in more than a quarter of the
episodes, so that each can be wrong three times as often as it is right. Corruptions that hide no
object even at their worst (saturation, artifacts, too much light) are not offered at all."""

HARDNESS = {"brightness": 1.0, "contrast": 1.0}
MOST_HARDNESS = 7.0
"""Hardness of all other families, because ImageNet-C's severity 5 is still easy for a person."""


def materials(root: Path, scenario: str) -> Iterator[Material]:
    """Yields the materials of a scenario, with the suite's additions to their records.

    `materials.json` lists the materials that passed a visual check by a person.
    """
    listed = json.loads((root / "materials.json").read_text(encoding="utf-8"))
    records = [r for r in listed["scenarios"][scenario] if scenario != "changeit" or _opens(r)]
    turns = Counter(REVEALS)
    for number, record in enumerate(records[:MOST]):
        family, corruption = CORRUPTIONS[number % len(CORRUPTIONS)]
        turns[record.get("reveal", "")] += 1
        more = {
            # Every second video of each kind of reveal starts at its end.
            "backwards": turns[record.get("reveal", "")] % 2 == 0,
            "corruption": (family, corruption),
            "hardness": HARDNESS.get(family, MOST_HARDNESS),
        }
        yield Material(root / record["folder"], {**record, **more})


def _opens(record: Mapping[str, Any]) -> bool:
    """Returns whether the object is completely visible at the end."""
    shown: float = record["frames"][-1]["visible"]
    return shown >= SHOWN_WHOLE
