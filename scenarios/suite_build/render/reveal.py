"""Scenario changeit: composes the frames in which the object appears from the renders."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

COVERS = {
    "curtain": ("red", "blue", "ochre"),
    "door": ("oak", "white", "green"),
    "lid": ("silver", "copper", "black"),
    "box": ("card", "white", "teal"),
    "push": ("left", "right"),
}
FLOOR_OF_BOX = 318  # row of the frame below which the inside of the box is hidden


def layer(path: Path) -> Image.Image:
    """The picture of a cover; nearly opaque pixels are made opaque."""
    with Image.open(path, formats=("JPEG", "PNG", "WEBP")) as picture:
        image = picture.convert("RGBA")
    image.putalpha(image.getchannel("A").point([v if v < 232 else 255 for v in range(256)]))
    return image


def moved(image: Image.Image, right: int, down: int) -> Image.Image:
    """The layer, moved on an empty canvas."""
    canvas = Image.new(image.mode, image.size)
    canvas.paste(image, (right, down))
    return canvas


def parted(image: Image.Image, gap: int) -> Image.Image:
    """The two halves of a closed curtain, each pushed aside a little."""
    middle = image.width // 2
    canvas = Image.new("RGBA", image.size)
    canvas.paste(image.crop((gap, 0, middle, image.height)), (0, 0))
    canvas.paste(image.crop((middle, 0, image.width - gap, image.height)), (middle + gap, 0))
    return canvas


def contact(mask: Image.Image, strength: float = 0.5) -> Image.Image:
    """A soft shadow under the foot of a silhouette."""
    left, _, right, bottom = mask.getbbox() or (0, 0, 1, 1)
    dark = Image.new("L", mask.size)
    depth = max(10, (right - left) // 9)
    ImageDraw.Draw(dark).ellipse((left - 4, bottom - depth, right + 8, bottom + 8), fill=255)
    dark = dark.filter(ImageFilter.GaussianBlur(8))
    shadow = Image.new("RGBA", mask.size)
    shadow.putalpha(dark.point([round(value * strength) for value in range(256)]))
    return shadow


class Reveal:
    """The pictures of one episode, and the composition of its frames."""

    def __init__(self, out: Path, folder: Path, record: dict[str, Any]) -> None:
        self.covers = out / "changeit" / "covers"
        with Image.open(out / "plates" / f"{record['plate']}.png", formats=("PNG",)) as picture:
            self.plate = picture.convert("RGBA")
        with Image.open(folder / "scene.png", formats=("PNG",)) as picture:
            self.scene = picture.convert("RGBA")
        with Image.open(folder / "mask.png", formats=("PNG",)) as picture:
            self.mask = picture.convert("L")
        self.sprite = Image.new("RGBA", self.plate.size)
        if (folder / "sprite.png").exists():
            with Image.open(folder / "sprite.png", formats=("PNG",)) as picture:
                self.sprite = picture.convert("RGBA")
        self.area = int(np.count_nonzero(np.asarray(self.mask)))

    def seen(self, mask: Image.Image, *covers: Image.Image) -> float:
        """The share of the object's silhouette that no cover hides."""
        visible = np.asarray(mask) > 0
        for cover in covers:
            visible &= np.asarray(cover.getchannel("A")) < 128
        return round(float(np.count_nonzero(visible)) / self.area, 4)

    def covered(self, cover: Image.Image) -> tuple[Image.Image, float]:
        """The scene behind a cover."""
        frame = self.scene.copy()
        frame.alpha_composite(cover)
        return frame, self.seen(self.mask, cover)

    def curtain(self, name: str) -> list[tuple[Image.Image, float]]:
        """A curtain is drawn aside."""
        closed = layer(self.covers / "curtain" / f"{name}_0.png")
        parts = [closed, closed, parted(closed, 9), parted(closed, 22)]
        parts += [layer(self.covers / "curtain" / f"{name}_{n}.png") for n in range(1, 6)]
        return [*(self.covered(part) for part in parts), (self.scene, 1.0)]

    def door(self, name: str) -> list[tuple[Image.Image, float]]:
        """Two sliding doors open."""
        leaf = layer(self.covers / "door" / f"{name}.png")
        frames = []
        for shift in (0, 0, 10, 24, 42, 66, 100, 150, 214):
            right = moved(leaf, shift, 0)
            right.alpha_composite(ImageOps.mirror(right))
            frames.append(self.covered(right))
        return [*frames, (self.scene, 1.0)]

    def lid(self, name: str) -> list[tuple[Image.Image, float]]:
        """A bell is lifted."""
        bell = layer(self.covers / "lid" / f"{name}.png")
        frames = []
        for lift in (0, 0, 40, 90, 145, 205, 265, 330):
            shadow = contact(bell.getchannel("A"), 0.5 * max(0.0, 1 - lift / 150))
            cover = moved(bell, 0, -lift)
            frame = self.scene.copy()
            frame.alpha_composite(shadow)
            if not lift:
                frame = self.plate.copy()
                frame.alpha_composite(shadow)
            frame.alpha_composite(cover)
            frames.append((frame, self.seen(self.mask, cover)))
        return [*frames, (self.scene, 1.0)]

    def box(self, name: str) -> list[tuple[Image.Image, float]]:
        """A box opens and the object rises out of it."""
        parts = {part: layer(self.covers / "box" / f"{name}_{part}.png")
                 for part in ("closed", "ajar", "half", "back", "front")}  # fmt: skip
        ground = self.plate.copy()
        ground.alpha_composite(contact(parts["closed"].getchannel("A")))
        frames = []
        for part in ("closed", "closed", "ajar", "half"):
            frame = ground.copy()
            frame.alpha_composite(parts[part])
            frames.append((frame, 0.0))
        box = self.mask.getbbox() or (0, 0, 0, 0)
        rim = parts["front"].getchannel("A").getbbox() or (0, 0, 0, 0)
        start = FLOOR_OF_BOX - box[3]
        end = min(rim[1] + 4 - box[3], 8 - box[1] if box[1] + rim[1] + 4 - box[3] < 8 else 999)
        for step in range(7):
            down = round(start + (end - start) * step / 6)
            alpha = moved(self.mask, 0, down)
            alpha.paste(0, (0, FLOOR_OF_BOX, alpha.width, alpha.height))
            sprite = moved(self.sprite, 0, down)
            keep = Image.new("L", sprite.size, 255)
            keep.paste(0, (0, FLOOR_OF_BOX, keep.width, keep.height))
            sprite.putalpha(ImageChops.multiply(sprite.getchannel("A"), keep))
            frame = ground.copy()
            for piece in (parts["back"], sprite, parts["front"]):
                frame.alpha_composite(piece)
            frames.append((frame, self.seen(alpha, parts["front"])))
        return frames

    def push(self, name: str) -> list[tuple[Image.Image, float]]:
        """The object slides in from outside."""
        left, _, right_end, _ = self.mask.getbbox() or (0, 0, 0, 0)
        wide = right_end - left
        shadow = contact(self.mask, 0.45)
        frames = []
        for entered in (-0.1, -0.1, 0.15, 0.35, 0.6, 0.85, 1.2, 1.6, 9.0):
            way = round(entered * wide)
            right = min(0, way - right_end)
            if name == "right":
                right = max(0, self.plate.width - left - way)
            frame = self.plate.copy()
            frame.alpha_composite(moved(shadow, right, 0))
            frame.alpha_composite(moved(self.sprite, right, 0))
            frames.append((frame, self.seen(moved(self.mask, right, 0))))
        return frames


def compose(out: Path) -> None:
    """Write the frames of every rendered episode."""
    used: dict[str, int] = {}
    for path in sorted((out / "changeit").glob("*/record.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        kind = record["reveal"]
        names = COVERS[kind]
        name = names[used.get(kind, 0) % len(names)]
        used[kind] = used.get(kind, 0) + 1
        frames = getattr(Reveal(out, path.parent, record), kind)(name)
        record["cover"] = name
        record["frames"] = []
        for old in path.parent.glob("frame_*.png"):
            old.unlink()
        for number, (frame, share) in enumerate(frames):
            frame.convert("RGB").save(path.parent / f"frame_{number:02d}.png")
            record["frames"].append({"file": f"frame_{number:02d}.png", "visible": share})
        path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
