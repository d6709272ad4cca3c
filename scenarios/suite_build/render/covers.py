"""The covers of changeit, which hide the object: curtains, doors, lids and boxes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import bpy
import studio
from rooms import STAGES
from textures import Rgb

SIZE = STAGES["table"].size
CURTAINS: dict[str, Rgb] = {"red": (150, 30, 40), "blue": (40, 70, 120), "ochre": (190, 140, 60)}
DOORS: dict[str, Rgb] = {"oak": (176, 128, 82), "white": (226, 222, 212), "green": (96, 128, 104)}
LIDS: dict[str, Rgb] = {"silver": (190, 192, 196), "copper": (192, 120, 84), "black": (52, 54, 60)}
BOXES: dict[str, Rgb] = {"card": (176, 130, 84), "white": (224, 218, 206), "teal": (70, 128, 130)}


def _light(threads: int) -> None:
    studio.start("interior.exr", 0.45, SIZE, threads)
    scene = bpy.context.scene
    scene.cycles.samples = 16
    scene.render.film_transparent = True
    scene.render.image_settings.color_mode = "RGBA"
    studio.sun(-30, 50, 1.9)
    view = STAGES["table"]
    studio.look(view.camera, view.target, view.lens)


def _mesh(name: str, corners: list[tuple[float, float, float]], faces: Sequence[tuple[int, ...]],
          paint: bpy.types.Material) -> bpy.types.Object:  # fmt: skip
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(corners, [], faces)
    mesh.materials.append(paint)
    mesh.shade_smooth()
    item = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(item)
    return item


def _drape(left: float, right: float, folds: int, depth: float,
           paint: bpy.types.Material) -> bpy.types.Object:  # fmt: skip
    """One half of a curtain in front of the table, with deeper folds where it is gathered."""
    steps = folds * 12
    corners = []
    for row in range(2):
        for step in range(steps + 1):
            x = left + (right - left) * step / steps
            y = -1.25 + depth * math.sin(step / 12 * 2 * math.pi)
            corners.append((x, y, -1.2 if row == 0 else 2.6))
    width = steps + 1
    faces = [(k, k + 1, width + k + 1, width + k) for k in range(steps)]
    return _mesh("drape", corners, faces, paint)


def curtain(folder: Path, name: str, threads: int, frames: int = 8) -> None:
    """A curtain of two halves, closed in frame 0 and drawn aside in the last."""
    if (folder / f"{name}_{frames - 1}.png").exists():
        return
    _light(threads)
    paint = studio.paint(CURTAINS[name], 0.85, "carpet", 0.3)
    for number in range(frames):
        share = number / (frames - 1)
        gap = 1.12 * share
        depth = 0.03 + 0.07 * share
        halves = [_drape(-1.5 - 0.2 * share, 0.02 - gap, 11, depth, paint),
                  _drape(-0.02 + gap, 1.5 + 0.2 * share, 11, depth, paint)]  # fmt: skip
        studio.shoot(folder / f"{name}_{number}.png")
        for half in halves:
            bpy.data.objects.remove(half, do_unlink=True)


def door(folder: Path, name: str, threads: int) -> None:
    """The right leaf of a cupboard with two sliding doors; the left one is its mirror image."""
    if (folder / f"{name}.png").exists():
        return
    _light(threads)
    kind = "wood" if name == "oak" else ""
    paint = studio.paint(DOORS[name], 0.5, kind, 1.2)
    red, green, blue = (round(value * 0.9) for value in DOORS[name])
    panel = studio.paint((red, green, blue), 0.5, kind, 1.2)
    handle = studio.paint((60, 58, 56), 0.3)
    studio.block((0, -1.2, -1.5), (1.3, -1.15, 3), paint)
    for low, high in ((-0.45, 0.42), (0.52, 1.5)):
        studio.block((0.12, -1.19, low), (0.95, -1.17, high), panel, 0.01)
        for edge in ((0.10, 0.13), (0.94, 0.97)):
            studio.block((edge[0], -1.23, low), (edge[1], -1.2, high), paint, 0.008)
        for edge in ((low, low + 0.03), (high - 0.03, high)):
            studio.block((0.10, -1.23, edge[0]), (0.97, -1.2, edge[1]), paint, 0.008)
    studio.block((0.035, -1.27, 0.3), (0.065, -1.2, 0.62), handle, 0.01)
    studio.shoot(folder / f"{name}.png")


def lid(folder: Path, name: str, threads: int) -> None:
    """A round bell with a knob that stands over the object."""
    if (folder / f"{name}.png").exists():
        return
    _light(threads)
    paint = studio.paint(LIDS[name], 0.28)
    paint.node_tree.nodes["Principled BSDF"].inputs["Metallic"].default_value = 0.6
    rows = [(0.80, 0.0), (0.80, 0.03), (0.77, 0.05), (0.77, 0.62), (0.75, 0.78), (0.69, 0.91),
            (0.58, 1.0), (0.40, 1.06), (0.10, 1.09), (0.05, 1.11), (0.05, 1.14), (0.10, 1.17),
            (0.11, 1.21), (0.07, 1.25), (0.0, 1.26)]  # fmt: skip
    steps = 64
    corners = [(r * math.cos(2 * math.pi * k / steps), r * math.sin(2 * math.pi * k / steps), z)
               for r, z in rows for k in range(steps)]  # fmt: skip
    faces: list[tuple[int, ...]] = []
    for row in range(len(rows) - 1):
        for k in range(steps):
            a, b = row * steps + k, row * steps + (k + 1) % steps
            faces.append((a, b, b + steps, a + steps))
    _mesh("lid", corners, faces, paint)
    studio.shoot(folder / f"{name}.png")


def _flap(hinge: tuple[float, float, float], turn: float, width: float, length: float,
          angle: float, paint: bpy.types.Material) -> bpy.types.Object:  # fmt: skip
    """A flap that covers the box at angle 0 and hangs outside at 180 and more."""
    half, thick = width / 2, 0.012
    flap = studio.block((-half, 0, -thick), (half, length, thick), paint)
    flap.rotation_euler = (math.radians(angle), 0, math.radians(turn))
    flap.location = hinge
    bpy.context.view_layer.update()
    return flap


def box(folder: Path, name: str, threads: int) -> None:
    """A box with flaps: closed, half open, open; the open one in a back and a front layer."""
    if (folder / f"{name}_front.png").exists():
        return
    _light(threads)
    paint = studio.paint(BOXES[name], 0.8, "plaster", 1.0)
    wide, deep, high = 0.62, 0.5, 0.78
    front = [studio.block((-wide, -deep, 0), (wide, -deep + 0.015, high), paint)]
    back = [
        studio.block((-wide, deep - 0.015, 0), (wide, deep, high), paint),
        studio.block((-wide, -deep, 0), (-wide + 0.015, deep, high), paint),
        studio.block((wide - 0.015, -deep, 0), (wide, deep, high), paint),
        studio.block((-wide, -deep, 0), (wide, deep, 0.015), paint),
    ]
    for file, angle in (("closed", 0.0), ("ajar", 48.0), ("half", 105.0), ("open", 205.0)):
        flaps = [
            _flap((0, -deep, high + 0.012), 0, 2 * wide, deep, angle, paint),
            _flap((0, deep, high + 0.012), 180, 2 * wide, deep, angle, paint),
            _flap((-wide, 0, high), -90, 2 * deep, wide * 0.8, angle, paint),
            _flap((wide, 0, high), 90, 2 * deep, wide * 0.8, angle, paint),
        ]
        if file != "open":
            studio.shoot(folder / f"{name}_{file}.png")
        else:
            near, far = [front[0], flaps[0]], [*back, *flaps[1:]]
            studio.shoot(folder / f"{name}_open.png")
            for shown, hidden, layer in ((far, near, "back"), (near, far, "front")):
                for item in hidden:
                    item.visible_camera = False
                studio.shoot(folder / f"{name}_{layer}.png")
                for item in (*hidden, *shown):
                    item.visible_camera = True
        for flap in flaps:
            bpy.data.objects.remove(flap, do_unlink=True)


def render(out: Path, threads: int) -> None:
    """Render every cover that is missing."""
    folder = out / "changeit" / "covers"
    for name in CURTAINS:
        curtain(folder / "curtain", name, threads)
    for name in DOORS:
        door(folder / "door", name, threads)
    for name in LIDS:
        lid(folder / "lid", name, threads)
    for name in BOXES:
        box(folder / "box", name, threads)
