"""Renders the cut-outs and their shadows: `cutouts.py --out DIR --phase main [--part 0/2]`.

A cut-out shows one model on transparency; its shadow is a separate picture. The phases are `main`
(the first model of each thing) and `more` (its further models). A rerun renders what is missing.
"""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from things import ModelSource, sources

import bpy  # isort: skip
import numpy as np  # isort: skip
import studio  # isort: skip
from mathutils import Matrix  # isort: skip

SIDE = 320
SHADOW_SIDE = 128
SHADOW_REACH = 1.6
"""Side of a shadow picture, measured in sides of its cut-out."""
FILL = 0.94
"""Share of the side that a thing fills."""
DISTANCE, LENS = 3.4, 60.0

MAIN = ("three-quarter", "other-three-quarter", "front")


LIGHT = "day"
"""The light of all views, which is part of the names of their files."""
SURROUNDINGS, STRENGTH = "interior.exr", 0.55
SUN = (-35, 48, 1.8)
"""Azimuth (from the left), elevation and energy of the sun."""
SAMPLES = 6


class Phase(NamedTuple):
    """A part of the work."""

    views: tuple[str, ...]
    main_models: bool


PHASES = {"main": Phase(MAIN, True), "more": Phase(MAIN[:2], False)}


@dataclass(frozen=True)
class Pose:
    """Rotation on the table and height of the camera, in degrees."""

    yaw: float
    pitch: float


def pose(view: str, source: ModelSource) -> Pose:
    """Returns the pose of a view."""
    other = -source.yaw - 8 if abs(source.yaw) < 60 else 180 - source.yaw
    raised = 24 if source.high else 0
    return {
        "three-quarter": Pose(source.yaw, 16 + raised),
        "other-three-quarter": Pose(other, 24 + raised),
        "front": Pose(4, 13 + raised),
    }[view]


def support(thing: studio.PlacedModel) -> np.ndarray:  # type: ignore[type-arg]
    """Returns the outermost vertices, from which no part of the frame's box is missing."""
    spread = np.random.default_rng(0).normal(size=(3, 240))
    found = []
    for mesh in thing.meshes:
        flat = np.empty(len(mesh.data.vertices) * 3)
        mesh.data.vertices.foreach_get("co", flat)
        matrix = np.asarray(mesh.matrix_local)
        vertices = flat.reshape(-1, 3) @ matrix[:3, :3].T + matrix[:3, 3]
        found.append(vertices[np.unique((vertices @ spread).argmax(0))])
    vertices = np.concatenate(found)
    return vertices[np.unique((vertices @ spread).argmax(0))]


def frame(thing: studio.PlacedModel, to: Pose) -> None:
    """Aims the camera so that the thing fills the square picture."""
    thing.pose(Matrix.Identity(3))
    thing.root.location, thing.root.scale = (0, 0, 0), (1, 1, 1)
    thing.root.rotation_euler = (0, 0, math.radians(to.yaw))
    bpy.context.view_layer.update()
    points = thing.world_points()
    centre = (points.min(0) + points.max(0)) / 2
    pitch = math.radians(to.pitch)
    away = np.array([0, -math.cos(pitch), math.sin(pitch)]) * DISTANCE
    studio.look(tuple(centre + away), tuple(centre), LENS)
    camera = bpy.context.scene.camera.data
    camera.shift_x = camera.shift_y = 0
    for _ in range(3):
        bpy.context.view_layer.update()
        left, top, right, bottom = studio.frame_box(points)
        factor = FILL / max(right - left, bottom - top)
        camera.shift_x = (camera.shift_x + (left + right) / 2 - 0.5) * factor
        camera.shift_y = (camera.shift_y + 0.5 - (top + bottom) / 2) * factor
        camera.lens *= factor
    bpy.context.view_layer.update()


class CutoutStage:
    """A floor that is not seen, and the light."""

    def __init__(self, threads: int) -> None:
        studio.start(SURROUNDINGS, STRENGTH, (SIDE, SIDE), threads)
        self.scene = bpy.context.scene
        self.scene.cycles.samples = SAMPLES
        self.scene.render.film_transparent = True
        self.scene.render.image_settings.color_mode = "RGBA"
        studio.sun(*SUN)
        paint = studio.paint((170, 160, 150), 0.8)
        self.floor = studio.block((-6, -6, -0.02), (6, 6, 0), paint)
        self.floor.visible_camera = False
        self.catcher = studio.block((-9, -9, -0.02), (9, 9, 0), paint)
        self.catcher.is_shadow_catcher = True
        self.catcher.hide_render = True

    def cutout(self, path: Path) -> None:
        """Renders the thing without the floor."""
        studio.shoot(path)

    def shadow(self, path: Path, thing: studio.PlacedModel) -> None:
        """Renders the shadow on the floor without the thing."""
        render, cycles, camera = self.scene.render, self.scene.cycles, self.scene.camera.data
        kept = cycles.max_bounces, cycles.diffuse_bounces, render.resolution_x
        cycles.max_bounces = cycles.diffuse_bounces = 0
        render.resolution_x = render.resolution_y = SHADOW_SIDE
        self.floor.hide_render, self.catcher.hide_render = True, False
        for mesh in thing.meshes:
            mesh.visible_camera = False
        camera.lens /= SHADOW_REACH
        camera.shift_x /= SHADOW_REACH
        camera.shift_y /= SHADOW_REACH
        picture = studio.shoot(path.with_suffix(".tmp.png")).getchannel("A")
        path.with_suffix(".tmp.png").unlink()
        picture.save(path)
        for mesh in thing.meshes:
            mesh.visible_camera = True
        self.floor.hide_render, self.catcher.hide_render = False, True
        cycles.max_bounces, cycles.diffuse_bounces, size = kept
        render.resolution_x = render.resolution_y = size


def missing(out: Path, source: ModelSource, phase: Phase) -> list[str]:
    """Returns the views that are not rendered yet."""
    return [view for view in phase.views if not _shadow(_cutout(out, source, view)).exists()]


def _cutout(out: Path, source: ModelSource, view: str) -> Path:
    return out / f"{source.slug}.{view}.{LIGHT}.png"


def _shadow(cutout: Path) -> Path:
    """Returns the file that is written last."""
    return cutout.with_suffix(".shadow.png")


def render(out: Path, source: ModelSource, phase: Phase, stage: CutoutStage) -> None:
    """Renders the missing views of a model."""
    thing = studio.load(source.model.path, source.model.rotation)
    thing.points = support(thing)
    todo = missing(out, source, phase)
    for view in todo:
        path = _cutout(out, source, view)
        if not path.exists():
            frame(thing, pose(view, source))
            scratch = path.with_suffix(".part.png")
            stage.cutout(scratch)
            scratch.rename(path)
    # Afterwards, because a change of the floor makes Blender rebuild the scene.
    for view in todo:
        frame(thing, pose(view, source))
        stage.shadow(_shadow(_cutout(out, source, view)), thing)
    thing.remove()


def main() -> None:
    """Renders what is missing, and prints the seconds that each model took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--phase", choices=PHASES, default="main")
    parser.add_argument("--part", default="0/1", help="the share of this process, as i/n")
    parser.add_argument("--only", action="append", help="a thing's name")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    part, parts = (int(number) for number in options.part.split("/"))
    phase = PHASES[options.phase]
    todo = [source for source in sources() if (source.number == 0) == phase.main_models]
    todo = [source for source in todo[part::parts] if missing(options.out, source, phase)]
    if options.only:
        todo = [source for source in todo if source.thing in options.only]
    stage = CutoutStage(options.threads)
    for source in todo:
        begin = time.monotonic()
        try:
            render(options.out, source, phase, stage)
        except (RuntimeError, ValueError, ZeroDivisionError) as error:
            print(f"{source.slug}: {error!r}", flush=True)
            continue
        print(f"{source.slug} {time.monotonic() - begin:.1f} s", flush=True)


if __name__ == "__main__":
    main()
