"""Small train splits."""

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import datasets
from PIL import Image, ImageDraw

from proactive_agent.scenarios.wording import OWN

SHAPES = ("Cup.", "Vase.", "Lamp.", "Kettle.")
DETAILS = "Draw some of the missing details."
CLOSER = "Move farther from the object."
ABSTAIN = "I cannot tell."
QUESTION = "What?"
COLUMNS = ("prompt", "images", "ground_truth", "proactive_actions", "options")


def picture(number: int, clear: bool) -> bytes:
    """Returns a PNG: a coloured square on a clear frame, a dark ground on an ambiguous one."""
    image = Image.new("RGB", (28, 28), (number * 7 % 60, number * 13 % 60, number * 29 % 60))
    if clear:
        ImageDraw.Draw(image).rectangle((6, 6, 21, 21), fill=(60 * (number % 4) + 60, 200, 90))
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def fields(number: int, *, scenario: str = "quickdraw", **more: Any) -> dict[str, Any]:
    """Returns one row. Even numbers are ambiguous. `more` replaces fields."""
    clear = bool(number % 2)
    asks = DETAILS if scenario == "quickdraw" else CLOSER
    options = [asks, ABSTAIN, *SHAPES]
    text = OWN.multiple_choice(QUESTION, options)
    return {
        "prompt": [{"role": "user", "content": text}],
        "images": [{"bytes": picture(number, clear), "path": None}],
        "ground_truth": SHAPES[number % 4],
        "proactive_actions": [] if clear else [asks],
        "options": options,
        **more,
    }


def write_split(folder: Path, rows: Iterable[dict[str, Any]], name: str = "train-00000") -> Path:
    """Writes a parquet file with these rows in the release's schema; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    every = list(rows)
    text = datasets.Value("string")
    features = {
        "prompt": [{"role": text, "content": text}],
        "images": [datasets.Image()],
        "ground_truth": text,
        "proactive_actions": [text],
        "options": [text],
        "scenario": text,
        "clear": datasets.Value("bool"),
    }
    used = {key: kind for key, kind in features.items() if key in every[0]}
    columns = {key: [row.get(key) for row in every] for key in every[0]}
    datasets.disable_progress_bars()
    table = datasets.Dataset.from_dict(columns)
    if set(used) == set(columns):
        table = table.cast(datasets.Features(used))
    table.to_parquet(folder / f"{name}-of-00001.parquet")
    return folder


def small_split(folder: Path, rows: int = 24) -> Path:
    """Writes rows of the two released scenarios, half of them clear."""
    kinds = ("quickdraw", "coco")
    return write_split(
        folder / "split",
        (fields(number, scenario=kinds[number // 2 % 2]) for number in range(rows)),
    )
