"""Checks of a finished suite: what a frame and a sample may not be."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

LARGEST_SIDE = 512
LARGEST_SUITE = 1_500_000
SUFFIX = "_preprocessed.jsonl"


def faults(suite: Path) -> Iterator[str]:
    """Every fault of the suite in words."""
    files = [path for path in suite.rglob("*") if path.is_file()]
    total = sum(path.stat().st_size for path in files)
    if total > LARGEST_SUITE:
        yield f"the suite has {total} bytes"
    for path in files:
        if path.suffix == ".webp":
            with Image.open(path) as image:
                if max(image.size) > LARGEST_SIDE:
                    yield f"{path} is larger than {LARGEST_SIDE} pixels"
    for path in sorted(suite.glob(f"*{SUFFIX}")):
        records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        if [record["id"] for record in records] != list(range(len(records))):
            yield f"{path.name}: the ids are not 0, 1, 2 and so on"
        for record in records:
            for fault in _faults_of_texts(record):
                yield f"{path.name} {record['id']}: {fault}"
        yield from _repeated_first_frames(suite, path.name, records)


def _faults_of_texts(record: dict[str, Any]) -> Iterator[str]:
    if sum(_is_abstention(option) for option in record["options"]) != 1:
        yield "there is not exactly one abstention"
    if record["answer"] not in record["categories"] or len(set(record["categories"])) != 4:
        yield "the answer is not one of four categories"
    for text in [*record["options"], *record["categories"]]:
        if not re.search(r"[a-z]\.$", text):
            yield f"{text!r} does not end with a small letter and a full stop"


def _is_abstention(option: str) -> bool:
    return any(mark in option.lower() for mark in ("cannot", "do not"))


def _repeated_first_frames(suite: Path, name: str, records: list[dict[str, Any]]) -> Iterator[str]:
    seen: dict[str, int] = {}
    for record in records:
        number = record["first_image"]
        # Some of the files number their frames plainly, others in four digits.
        plain = record["image_template"].format(image=number, level=number, informative=0)
        padded = record["image_template"].format(image=f"{number:04d}", level=number, informative=0)
        frame = suite / (plain if (suite / plain).exists() else padded)
        crop = str(record.get("crop", ""))
        digest = hashlib.sha256(frame.read_bytes() + crop.encode()).hexdigest()
        if digest in seen:
            yield f"{name}: samples {seen[digest]} and {record['id']} begin with the same frame"
        seen[digest] = record["id"]
