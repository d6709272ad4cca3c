"""Small generated sources of every kind."""

import json
import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from proactive_agent.scenarios.builder import (
    Appearance,
    BuildProgress,
    BuildReport,
    BuildSettings,
    SkippedItem,
    build,
)

LABELS = ("red_cup", "blue vase", "Green lamp", "kettle", "toaster")
SIZE = (160, 120)
REGION = (60, 40, 30, 36)
"""Box of the object in `photo`: x, y, width, height."""

LARGE = (480, 360)
LARGE_REGION = (120, 90, 200, 160)


def photo(number: int, size: tuple[int, int] = SIZE, region: Sequence[int] = REGION) -> Image.Image:
    """Returns a striped scene with an ellipse, different for every number."""
    rng = random.Random(number)
    image = Image.new("RGB", size, tuple(rng.randrange(90, 200) for _ in range(3)))
    draw = ImageDraw.Draw(image)
    for x in range(0, size[0], 16):
        draw.line((x, 0, size[0] - x, size[1]), fill=rng.randrange(1 << 24), width=3)
    x, y, width, height = region
    draw.ellipse((x, y, x + width - 1, y + height - 1), fill=rng.randrange(1 << 24))
    return image


def photo_folder(root: Path, each: int = 2, labels: Sequence[str] = LABELS) -> Path:
    """`class_name/picture.png`."""
    for number, label in enumerate(labels):
        (root / label).mkdir(parents=True)
        for index in range(each):
            photo(100 * number + index).save(root / label / f"{index}.png")
    return root


def photo_list(root: Path, each: int = 2, large: bool = False) -> Path:
    """A CSV of pictures with boxes."""
    rows = ["path,label,x,y,width,height"]
    size, region = (LARGE, LARGE_REGION) if large else (SIZE, REGION)
    root.mkdir(parents=True, exist_ok=True)
    for number, label in enumerate(LABELS):
        for index in range(each):
            name = f"{number}-{index}.png"
            photo(100 * number + index, size, region).save(root / name)
            rows.append(",".join(map(str, (name, label, *region))))
    return text_file(root / "list.csv", rows)


def view_folder(root: Path, views: int = 4, labels: Sequence[str] = LABELS) -> Path:
    """`class_name/object_name/view.png`."""
    for number, label in enumerate(labels):
        folder = root / label / "one"
        folder.mkdir(parents=True)
        for view in range(views):
            photo(1000 * number + view).save(folder / f"view{view}.png")
    return root


def video_list(root: Path, frames: int = 5) -> Path:
    """A JSONL of folders of frames, the informative one named by file or by number."""
    view_folder(root / "videos", frames)
    rows = []
    for number, label in enumerate(LABELS):
        informative: Any = "view0.png" if number % 2 else frames - 1
        rows.append({"path": f"videos/{label}/one", "label": label, "informative": informative})
    return json_lines(root / "videos.jsonl", rows)


def drawings(file: Path, each: int = 2) -> Path:
    """Quick, Draw! lines."""
    rng = random.Random(0)
    lines = []
    for label in LABELS:
        for _ in range(each):
            strokes = [
                [[rng.randrange(256) for _ in range(4)] for _ in "xy"]
                for _ in range(rng.randint(2, 5))
            ]
            lines.append({"word": label, "recognized": True, "drawing": strokes})
    return json_lines(file, lines)


def text_file(file: Path, lines: Iterable[str]) -> Path:
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return file


def json_lines(file: Path, lines: Iterable[Any]) -> Path:
    return text_file(file, map(json.dumps, lines))


def all_sources(root: Path) -> dict[str, Path]:
    """A source for every scenario."""
    photos = photo_list(root / "photos", large=True)
    return {
        "rod": photos,
        "vsod": photo_folder(root / "folders"),
        "mvp-n": view_folder(root / "views"),
        "imagenet-c": photos,
        "quickdraw": drawings(root / "drawings.ndjson"),
        "changeit": video_list(root),
        "coco": photos,
    }


def built(
    out: Path, sources: dict[str, Path], look: Appearance | None = None, **options: Any
) -> list[SkippedItem | BuildProgress | BuildReport]:
    """Returns everything that a build yields."""
    return list(
        build(BuildSettings(sources=sources, out=out, look=look or Appearance(), **options))
    )


def lines_of(out: Path, stem: str) -> list[dict[str, Any]]:
    """Returns the fields of every sample of a data file."""
    file = out / "test" / f"{stem}_preprocessed.jsonl"
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def content(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
