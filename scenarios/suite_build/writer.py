"""Writing samples in the official layout: one JSON object a line, frames beside it."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image
from sources import Library

QUALITY = 78


@dataclass(frozen=True)
class Question:
    """The words of a sample; the first category is the answer."""

    prompt: str
    suggestions: tuple[str, ...]
    abstention: str
    categories: tuple[str, str, str, str]

    @property
    def answer(self) -> str:
        """The right category."""
        return self.categories[0]


@dataclass
class Dataset:
    """Collects the samples of one official file and saves their frames."""

    out: Path
    stem: str
    seed: int
    library: Library
    records: list[dict[str, Any]] = field(default_factory=list)

    def rng(self, purpose: str) -> random.Random:
        """A generator for the next sample; samples added later leave it as it is."""
        return random.Random(f"{self.seed}/{self.stem}/{len(self.records)}/{purpose}")

    @property
    def folder(self) -> str:
        """The next sample's folder, relative to the suite."""
        return f"{self.stem}/{len(self.records):02d}"

    def save(self, image: Image.Image, name: str) -> str:
        """Save a frame of the next sample; returns its path relative to the suite."""
        relative = f"{self.folder}/{name}.webp"
        path = self.out / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        image.convert("RGB").save(path, "WEBP", quality=QUALITY, method=6)
        return relative

    def add(
        self, question: Question, template: str, first: int, count: int, reference: int, **more: Any
    ) -> None:
        """Append a sample; options and categories are shuffled once, here."""
        options = [*question.suggestions, question.abstention]
        categories = list(question.categories)
        self.rng("options").shuffle(options)
        self.rng("categories").shuffle(categories)
        self.records.append(
            {
                "id": len(self.records),
                "image_template": template,
                "first_image": first,
                "num_images": count,
                "reference_image": reference,
                "prompt": question.prompt,
                "options": options,
                "categories": categories,
                "answer": question.answer,
                **more,
            }
        )

    def write(self) -> None:
        """Write the samples' file."""
        lines = [json.dumps(record, ensure_ascii=False) + "\n" for record in self.records]
        path = self.out / f"{self.stem}_preprocessed.jsonl"
        path.write_text("".join(lines), encoding="utf-8")
