"""The rooms that all classes share, and the plates (renders of a room without any object)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
import studio
from catalogue import CatalogueModel, find
from PIL import Image
from studio import PlacedModel
from textures import Rgb


@dataclass(frozen=True)
class Piece:
    """A piece of furniture: model, position, height and rotation."""

    name: str
    library: str
    x: float
    y: float
    height: float
    yaw: float = 0.0
    base: float = 0.0


@dataclass(frozen=True)
class Room:
    """Surfaces, light and furniture of one room."""

    floor: tuple[str, Rgb, float]
    wall: tuple[str, Rgb, float]
    table: Rgb
    hdri: str
    sun: tuple[float, float, float]
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class Stage:
    """The view of a scenario into a room."""

    size: tuple[int, int]
    table: bool
    camera: tuple[float, float, float]
    target: tuple[float, float, float]
    lens: float
    furniture: float = 1.0


STAGES = {
    "rod": Stage((512, 384), True, (0, -3.7, 0.95), (0, 0, 0.42), 50),
    "vsod": Stage((512, 384), False, (0, -4.6, 1.3), (0, 0.6, 0.72), 50),
    "table": Stage((448, 448), True, (0, -3.35, 1.55), (0, 0, 0.44), 50),
    "wide": Stage((1344, 1008), False, (0, -6.6, 1.75), (0, 0.4, 1.2), 32, 1.35),
}

BY = "BlendSwap-CC-BY"
SCOPIA = "Scopia"
ROOMS = (
    Room(("planks", (170, 118, 74), 1.6), ("plaster", (206, 198, 178), 3), (150, 100, 62),
         "interior.exr", (-35, 48, 2.0), (
        Piece("Sofa", SCOPIA, -1.5, 2.2, 0.95), Piece("Ficus", SCOPIA, 2.6, 2.4, 2.0),
        Piece("Full bookcase", SCOPIA, 1.1, 2.75, 2.1), Piece("Round carpet", SCOPIA, 0, 0, 0.02),
        Piece("Frame Chambord", SCOPIA, -1.5, 2.9, 0.6, 0, 1.35))),
    Room(("tiles", (176, 180, 178), 2.4), ("stripes", (150, 178, 176), 2), (206, 190, 160),
         "courtyard.exr", (30, 52, 1.9), (
        Piece("Chair", SCOPIA, -2.4, 1.9, 1.0, 25), Piece("Desk", SCOPIA, -1.0, 2.3, 0.8),
        Piece("Plant", SCOPIA, 2.5, 2.2, 1.3), Piece("Wardrobe", SCOPIA, 1.3, 2.6, 2.0),
        Piece("Double window 4 panes", SCOPIA, -1.0, 2.95, 1.1, 0, 1.0))),
    Room(("carpet", (120, 126, 146), 1.2), ("plaster", (222, 212, 190), 3), (98, 66, 44),
         "studio.exr", (-25, 55, 1.9), (
        Piece("Bookcase", SCOPIA, -1.9, 2.7, 2.0), Piece("Armchair", SCOPIA, 0.9, 2.0, 1.0, -20),
        Piece("Lamp", SCOPIA, 2.4, 2.4, 1.7), Piece("Exterior door", SCOPIA, -0.4, 2.95, 2.0))),
    Room(("planks", (124, 92, 66), 1.4), ("bricks", (172, 104, 82), 1.5), (188, 150, 104),
         "city.exr", (40, 50, 2.0), (
        Piece("Coffee table", SCOPIA, 1.7, 1.9, 0.5), Piece("Sofa", SCOPIA, -1.2, 2.2, 0.9),
        Piece("Decorative plant", SCOPIA, -2.9, 2.3, 1.3),
        Piece("Frame Hôi An", SCOPIA, 0.4, 2.9, 0.7, 0, 1.2))),
    Room(("tiles", (206, 168, 128), 1.8), ("plaster", (168, 188, 206), 3), (226, 222, 214),
         "interior.exr", (25, 46, 1.9), (
        Piece("Cupboard", SCOPIA, -2.1, 2.6, 1.9), Piece("Coffee table", SCOPIA, 0.3, 2.1, 0.5),
        Piece("Chair", SCOPIA, 2.2, 1.8, 1.0, -30), Piece("Yucca", SCOPIA, 2.9, 2.5, 1.7),
        Piece("Double window 4 panes", SCOPIA, 0.6, 2.95, 1.1, 0, 1.1))),
    Room(("carpet", (150, 128, 104), 1.2), ("stripes", (204, 182, 146), 2), (118, 84, 58),
         "sunrise.exr", (-40, 50, 1.7), (
        Piece("Chest", SCOPIA, -1.4, 2.5, 0.95),
        Piece("Frame Chambord", SCOPIA, -1.4, 2.9, 0.7, 0, 1.3),
        Piece("Armchair", SCOPIA, 1.7, 2.0, 1.0, -25),
        Piece("Double door", SCOPIA, 0.4, 2.95, 2.0))),
    Room(("planks", (196, 172, 138), 1.8), ("plaster", (176, 190, 160), 3), (168, 128, 92),
         "courtyard.exr", (-30, 54, 1.9), (
        Piece("Couch", SCOPIA, 1.2, 2.2, 0.85), Piece("Spathiphyllum", SCOPIA, -2.7, 2.3, 1.1),
        Piece("Shelves", SCOPIA, -1.2, 2.6, 1.5),
        Piece("Frame Chambord", SCOPIA, 1.2, 2.9, 0.6, 0, 1.25))),
    Room(("tiles", (126, 118, 112), 2.0), ("plaster", (214, 190, 178), 3), (206, 170, 126),
         "city.exr", (35, 48, 1.9), (
        Piece("Dresser with drawers", SCOPIA, -1.4, 2.5, 1.0),
        Piece("Bamboo", SCOPIA, 2.7, 2.4, 1.8),
        Piece("Wardrobe", SCOPIA, 1.2, 2.6, 2.1), Piece("Round carpet", SCOPIA, 0, 0, 0.02))),
)  # fmt: skip


def model_of(piece: Piece) -> CatalogueModel | None:
    """The model of a piece, from its own library if possible, otherwise from any."""
    return find(piece.name, piece.library) or find(piece.name, None)


def build(number: int, stage: Stage, threads: int) -> list[tuple[Piece, PlacedModel]]:
    """Set up the room and return its furniture."""
    room = ROOMS[number]
    studio.start(room.hdri, 0.45, stage.size, threads)
    ground = -0.85 if stage.table else 0.0
    kind, colour, scale = room.floor
    studio.block((-9, -9, ground - 0.1), (9, 3, ground), studio.paint(colour, 0.5, kind, scale))
    kind, colour, scale = room.wall
    studio.block((-9, 3, ground), (9, 3.2, 5), studio.paint(colour, 0.9, kind, scale))
    studio.block((-9, 2.95, ground), (9, 3, ground + 0.12), studio.paint((235, 232, 225), 0.5))
    if stage.table:
        top = studio.paint(room.table, 0.45, "wood", 1.6)
        studio.block((-3.2, -2.2, -0.07), (3.2, 0.95, 0.0), top, 0.015)
    studio.sun(*room.sun)
    studio.look(stage.camera, stage.target, stage.lens)
    placed = []
    for piece in room.pieces:
        model = model_of(piece)
        if model is None:
            raise LookupError(piece.name)
        thing = studio.load(model.path, model.rotation)
        size = float(thing.points[:, 2].max()) if piece.name != "Round carpet" else 0.012
        grown = stage.furniture
        thing.root.location = (piece.x * grown, piece.y, ground + piece.base * grown)
        thing.root.rotation_euler = (0, 0, float(np.radians(piece.yaw)))
        thing.root.scale = (piece.height * grown / size,) * 3
        bpy.context.view_layer.update()
        back = float(thing.world_points()[:, 1].max())
        if back > 2.92:
            thing.root.location.y -= back - 2.92
        bpy.context.view_layer.update()
        placed.append((piece, thing))
    return placed


def plate(
    out: Path, number: int, name: str, furniture: list[tuple[Piece, PlacedModel]]
) -> Image.Image:
    """The render of the empty room, made on first use, and the boxes of its furniture."""
    path = out / "plates" / f"{name}_{number}.png"
    if not path.exists():
        scratch = path.with_suffix(f".{number}.tmp.png")
        studio.shoot(scratch)
        boxes = []
        wide, high = STAGES[name].size
        for piece, thing in furniture:
            left, top, right, bottom = thing.frame_box()
            box = [max(0, left * wide), max(0, top * high), min(wide, right * wide),
                   min(high, bottom * high)]  # fmt: skip
            boxes.append({"name": piece.name, "box": [round(value) for value in box]})
        path.with_suffix(".json").write_text(json.dumps(boxes, indent=1) + "\n")
        scratch.rename(path)
    with Image.open(path, formats=("JPEG", "PNG", "WEBP")) as picture:
        return picture.convert("RGB")


def blend(base: Image.Image, part: Image.Image, box: studio.Box) -> Image.Image:
    """Blend a rendered part into the plate, with soft borders inside the frame."""
    width, height = part.size
    soft = 14
    x = np.minimum(np.arange(width) + 1, width - np.arange(width)) / soft
    y = np.minimum(np.arange(height) + 1, height - np.arange(height)) / soft
    if box[0] <= 0:
        x = np.where(np.arange(width) < width / 2, 1.0, x)
    if box[2] >= base.width:
        x = np.where(np.arange(width) >= width / 2, 1.0, x)
    if box[1] <= 0:
        y = np.where(np.arange(height) < height / 2, 1.0, y)
    if box[3] >= base.height:
        y = np.where(np.arange(height) >= height / 2, 1.0, y)
    weight = np.clip(np.minimum(x[None, :], y[:, None]), 0, 1)
    result = base.copy()
    mask = Image.fromarray((weight * 255).astype(np.uint8))
    result.paste(part.convert("RGB"), box[:2], mask)
    return result
