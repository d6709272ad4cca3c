"""Renders walls of blocks and passers with transparency: `occluders.py --out DIR`.

Each hides things in a room. A passer is no thing of the pack, so that it is never among the
categories. A rerun renders what is missing.
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

from things import rows

import bpy  # isort: skip
import layers  # isort: skip
import studio  # isort: skip
from catalogue import models  # isort: skip
from PIL import Image  # isort: skip

SIDE = 448
WALL_COPIES = 2


def _scene() -> None:
    studio.start("interior.exr", 0.5, (SIDE, SIDE), 1)
    scene = bpy.context.scene
    scene.cycles.samples = 12
    scene.render.film_transparent = True
    scene.render.image_settings.color_mode = "RGBA"
    studio.sun(-30, 50, 1.9)


def _aim(low: tuple[float, float, float], high: tuple[float, float, float]) -> None:
    """Places the camera in front of a box, slightly above it, so that the box fills the frame."""
    centre = tuple((a + b) / 2 for a, b in zip(low, high, strict=True))
    span = max(high[0] - low[0], high[2] - low[2])
    studio.look((centre[0], low[1] - 6 * span, centre[2] + span), centre, 60)  # type: ignore[arg-type]
    camera = bpy.context.scene.camera.data
    camera.lens = 0.9 * camera.sensor_width * 6.1
    bpy.context.view_layer.update()


def _save(out: Path, name: str, kind: str, layer: Image.Image, model: str | None) -> None:
    alpha = layer.getchannel("A").point(
        [0 if v < 10 else 255 if v > 231 else v for v in range(256)]
    )
    layer.putalpha(alpha)
    layer = layer.crop(alpha.getbbox())
    layer.save(out / f"{name}.png")
    record = {"name": name, "kind": kind, "model": model, "opaque": layers.opaque_box(layer)}
    (out / f"{name}.json").write_text(json.dumps(record, default=int) + "\n")
    print(name, layer.size, record["opaque"], flush=True)


def walls(out: Path) -> None:
    """Renders walls of blocks. They have no gap, because a dark board stands behind them."""
    for copy in range(WALL_COPIES):
        for number, (kind, builder) in enumerate(layers.WALLS.items()):
            name = f"{kind}-{copy}"
            if (out / f"{name}.json").exists():
                continue
            _scene()
            builder(random.Random(100 * copy + number))
            studio.block((-0.6, -0.71, 0.02), (0.6, -0.69, 0.98), studio.paint((40, 34, 30), 0.9))
            _aim((-0.68, -0.95, 0), (0.68, -0.7, 1.02))
            scratch = out / "part.tmp.png"
            _save(out, name, "wall", studio.shoot(scratch), None)
            scratch.unlink()


def passers(out: Path) -> None:
    """Renders the passers of `passers.tsv` from the front, with their windows filled."""
    for row in rows("passers.tsv"):
        if (out / f"{row['name']}.json").exists():
            continue
        model = models()[row["model"]]
        _scene()
        thing = studio.load(model.path, model.rotation)
        thing.root.rotation_euler = (0, 0, float(row["yaw"]) * 3.14159265 / 180)
        bpy.context.view_layer.update()
        points = thing.world_points()
        _aim(tuple(points.min(0)), tuple(points.max(0)))
        scratch = out / "part.tmp.png"
        layer = layers._filled(studio.shoot(scratch))
        scratch.unlink()
        _save(out, row["name"], "passer", layer, model.key)


def main() -> None:
    """Renders the missing walls and passers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    walls(options.out)
    passers(options.out)


if __name__ == "__main__":
    main()
