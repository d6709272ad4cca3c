"""Writes a pack from rendered pictures: `assemble.py --work DIR --out scenarios/fresh/pack`.

`DIR/cut`, `DIR/plates` and `DIR/occluders` hold the pictures. A group is written if its four things
are rendered. The same pictures give the same bytes.
"""

from __future__ import annotations

import argparse
import json
import sys
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from cutouts import LIGHT, MAIN
from things import ModelSource, rows, sources

import index  # isort: skip
import numpy as np  # isort: skip
import sketch  # isort: skip
from catalogue import models  # isort: skip
from PIL import Image, ImageFilter  # isort: skip

FORMAT, VERSION = 1, 2
FORMATS = ("PNG", "WEBP")
FAINT, SOLID = 10, 247
"""Alpha values below and above which a pixel is made transparent and opaque."""
SHADOW_FLOOR = 20
"""Values of a shadow that are noise."""
SHADOW_FADE = 22
"""Pixels at the border of a shadow over which it fades out."""
Pixels = np.ndarray[Any, Any]
Record = dict[str, Any]


def encoded(picture: Image.Image, quality: int) -> bytes:
    """Returns a picture as WebP."""
    stream = BytesIO()
    picture.save(stream, "WEBP", quality=quality, alpha_quality=quality, method=6)
    return stream.getvalue()


def cleaned(picture: Image.Image) -> Image.Image:
    """Makes faint pixels transparent and black, because they would make the file larger."""
    pixels = np.asarray(picture.convert("RGBA")).copy()
    alpha = pixels[:, :, 3]
    alpha[alpha < FAINT] = 0
    alpha[alpha > SOLID] = 255
    pixels[alpha == 0] = 0
    return Image.fromarray(pixels)


def faded(shadow: Image.Image) -> Image.Image:
    """Removes noise from a shadow and fades it out towards the border."""
    soft = shadow.convert("L").filter(ImageFilter.GaussianBlur(1.2))
    values = np.asarray(soft, dtype=float)
    values = np.clip((values - SHADOW_FLOOR) / (255 - SHADOW_FLOOR), 0, 1) ** 1.1
    border = np.minimum(np.arange(len(values)), np.arange(len(values))[::-1]) / SHADOW_FADE
    window = np.clip(np.minimum(border[:, None], border[None, :]), 0, 1)
    grey = Image.fromarray(np.round(255 * values * window).astype(np.uint8))
    return grey.convert("RGB")


class Builder:
    """The pictures of a pack and the records that describe them."""

    def __init__(self, work: Path, quality: int) -> None:
        self.work = work
        self.quality = quality
        self.files: dict[str, bytes] = {}
        self.used: set[str] = set()
        self.rejected = {(row["model"], row["view"]) for row in rows("rejected.tsv")}
        self.furniture = {row["model"]: row["thing"] for row in rows("furniture.tsv")}

    def _add(self, name: str, source: Path, picture: Image.Image, quality: int) -> None:
        """Encodes a picture, or takes it from the cache if its source has not changed."""
        kept = self.work / f"webp-{quality}" / name
        if not kept.exists() or kept.stat().st_mtime < source.stat().st_mtime:
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_bytes(encoded(picture, quality))
        self.files[name] = kept.read_bytes()

    def _decoded(self, name: str) -> Image.Image:
        return Image.open(BytesIO(self.files[name]), formats=FORMATS)

    def views(self, source: ModelSource) -> Iterator[Record]:
        """Yields the views of a model that are rendered and not rejected."""
        for view in MAIN:
            path = self.work / "cut" / f"{source.slug}.{view}.{LIGHT}.png"
            rejected = (source.model.key, view) in self.rejected
            if path.with_suffix(".shadow.png").exists() and not rejected:
                yield self._view(view, path)

    def _view(self, view: str, path: Path) -> Record:
        name = f"{path.stem}.webp"
        self._add(f"cutouts/{name}", path, cleaned(Image.open(path, formats=FORMATS)), self.quality)
        record: Record = {"kind": view, "light": LIGHT, "file": f"cutouts/{name}"}
        record["box"] = self._decoded(record["file"]).getchannel("A").getbbox()
        shadow = path.with_suffix(".shadow.png")
        record["shadow"] = f"shadows/{name}"
        self._add(record["shadow"], shadow, faded(Image.open(shadow, formats=FORMATS)), 60)
        return record

    def model(self, source: ModelSource) -> Record | None:
        """Returns the record of a model, or None if it has fewer than two views."""
        views = list(self.views(source))
        if (source.model.key, "") in self.rejected or len(views) < 2:
            self._forget(views)
            return None
        return {**credit(source.model.key), "views": views}

    def groups(self) -> list[Record]:
        """Returns the complete groups, and names the others."""
        held_out = {row["group"] for row in rows("held_out.tsv") if row["of"] == "things"}
        found: dict[str, Record] = {}
        for row in rows("things.tsv"):
            mine = [source for source in sources() if source.thing == row["thing"]]
            thing = {
                "name": row["thing"],
                "natural": row["colour"] == "natural",
                "models": [record for source in mine if (record := self.model(source))],
            }
            name = row["group"]
            group = {"name": name, "held_out": name in held_out, "things": []}
            found.setdefault(name, group)["things"].append(thing)
        whole = []
        for group in found.values():
            lacking = [thing["name"] for thing in group["things"] if not thing["models"]]
            if lacking:
                print(f"without {group['name']}: no pictures of {', '.join(lacking)}")
                for thing in group["things"]:
                    for model in thing["models"]:
                        self._forget(model["views"])
            else:
                whole.append(group)
        return whole

    def _forget(self, views: list[Record]) -> None:
        for view in views:
            del self.files[view["file"]], self.files[view["shadow"]]

    def plates(self) -> list[Record]:
        """Returns the rooms."""
        found = []
        for path in sorted((self.work / "plates").glob("*.json")):
            record = json.loads(path.read_text("utf-8"))
            keys = record.pop("models")
            self.used.update(keys)
            record["shows"] = sorted({self.furniture[key] for key in keys if key in self.furniture})
            picture = path.with_suffix(".png")
            record["file"] = f"plates/{path.stem}.webp"
            self._add(
                record["file"], picture, Image.open(picture, formats=FORMATS).convert("RGB"), 82
            )
            found.append(record)
        return found

    def covers(self) -> list[Record]:
        """Returns the walls and the passers."""
        found = []
        for path in sorted((self.work / "occluders").glob("*.json")):
            record = json.loads(path.read_text("utf-8"))
            if (record["model"] or record["name"], "") in self.rejected:
                continue
            picture = path.with_suffix(".png")
            record["file"] = f"covers/{path.stem}.webp"
            self._add(record["file"], picture, Image.open(picture, formats=FORMATS), 80)
            record["box"] = self._decoded(record["file"]).getchannel("A").getbbox()
            if record["model"]:
                self.used.add(record["model"])
            found.append(record)
        return found


def sketches() -> list[Record]:
    """Returns the groups of sketches, with coordinates in hundredths of a unit."""
    held_out = {row["group"] for row in rows("held_out.tsv") if row["of"] == "sketches"}
    feather = sketch.from_feather()
    found: dict[str, Record] = {}
    for row in rows("sketches.tsv"):
        if row["icon"] in feather:
            raise ValueError(f"{row['icon']} is taken from Feather, which has another licence")
        strokes = [
            [round(100 * value) for point in stroke for value in point]
            for stroke in sketch.strokes(row["icon"])
        ]
        name = row["group"]
        group = {"name": name, "held_out": name in held_out, "sketches": []}
        found.setdefault(name, group)["sketches"].append(
            {"name": row["name"], "icon": row["icon"], "strokes": strokes}
        )
    return list(found.values())


def credit(key: str) -> Record:
    """Returns a model's key, title, creator and licence."""
    model = models()[key]
    return {
        "key": key,
        "title": model.name,
        "creator": model.creator,
        "licence": model.licence,
    }


def write(builder: Builder, out: Path) -> None:
    """Writes the index, the pictures and the credits."""
    groups = builder.groups()
    plates, covers = builder.plates(), builder.covers()
    content = {
        "format": FORMAT,
        "version": VERSION,
        "groups": groups,
        "plates": plates,
        "covers": covers,
        "sketches": sketches(),
        "sources": [credit(key) for key in sorted(builder.used)],
    }
    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    (out / "index.json").write_text(text + "\n", encoding="utf-8")
    with zipfile.ZipFile(out / "pictures.zip", "w") as archive:
        for name in sorted(builder.files):
            archive.writestr(zipfile.ZipInfo(name), builder.files[name])
    shown = {model["key"] for group in groups for thing in group["things"]
             for model in thing["models"]}  # fmt: skip
    (out / "CREDITS.md").write_text(index.credits_page(shown | builder.used), encoding="utf-8")
    views = [view for group in groups for thing in group["things"] for model in thing["models"]
             for view in model["views"]]  # fmt: skip
    size = sum(path.stat().st_size for path in out.iterdir())
    print(f"{len(groups)} groups, {len(shown)} models, {len(views)} views, "
          f"{len(plates)} rooms, "
          f"{len(covers)} covers, {size / 1e6:.1f} MB")  # fmt: skip


def main() -> None:
    """Writes the pack."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--quality", type=int, default=80)
    options = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    write(Builder(options.work, options.quality), options.out)


if __name__ == "__main__":
    main()
