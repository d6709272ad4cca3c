"""Renders the empty rooms behind a table: `plates.py --out DIR`.

A rerun renders what is missing.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import things  # noqa: F401  (finds the folder `render`)

import numpy as np  # isort: skip
import rooms  # isort: skip
import studio  # isort: skip

SIDE = 640
STAGES = {
    "high": rooms.Stage((SIDE, SIDE), True, (0, -3.35, 1.55), (0, 0, 0.44), 50),
    "low": rooms.Stage((SIDE, SIDE), True, (0, -3.7, 0.95), (0, 0, 0.42), 50),
}
TABLE_BACK = 0.95
"""Depth of the table's back edge in the scene (see `rooms.build`)."""


def render(out: Path, number: int, stage: str) -> None:
    """Renders a room, and writes its table edge, its sun and its furniture beside it."""
    path = out / f"{stage}-{number}.png"
    if path.with_suffix(".json").exists():
        return
    furniture = rooms.build(number, STAGES[stage], 1)
    studio.shoot(path)
    edge = studio.frame_box(np.array([(0.0, TABLE_BACK, 0.0)]))[1]
    models = [model.key for piece, _ in furniture if (model := rooms.model_of(piece))]
    record = {
        "stage": stage,
        "edge": round(edge, 4),
        "sun": -1 if rooms.ROOMS[number].sun[0] < 0 else 1,
        "models": models,
    }
    path.with_suffix(".json").write_text(json.dumps(record) + "\n")
    print(path.name, record["edge"], flush=True)


def main() -> None:
    """Renders the missing rooms."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--stage", choices=STAGES, default="high")
    options = parser.parse_args()
    for number in range(len(rooms.ROOMS)):
        render(options.out, number, options.stage)


if __name__ == "__main__":
    main()
