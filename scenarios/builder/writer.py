"""A sample in the official layout: its line of the data file, and its frames as WebP."""

import io
import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from proactive_agent.disk.regular_file import replace_regular
from proactive_agent.scenarios.builder.categories import parser_key
from proactive_agent.scenarios.builder.items import Built, SkipError
from proactive_agent.scenarios.builder.wording import SampleTexts
from proactive_agent.scenarios.dataset import read_sample
from proactive_agent.scenarios.environment import SampleError
from proactive_agent.scenarios.registry import SCENARIOS
from proactive_agent.scenarios.sample import Sample
from proactive_agent.scenarios.sample_pictures import pictures

SUFFIX = ".webp"
QUALITY = 85


def encoded(image: Image.Image, quality: int = QUALITY, *, lossless: bool = False) -> bytes:
    """Encodes a picture as WebP. The same pixels give the same bytes."""
    stream = io.BytesIO()
    image.save(stream, "WEBP", quality=quality, lossless=lossless, method=4)
    return stream.getvalue()


def encoded_frames(built: Built, quality: int = QUALITY) -> dict[str, bytes]:
    """Returns the files of a sample by name."""
    return {
        frame.name + SUFFIX: encoded(frame.image, quality, lossless=built.lossless)
        for frame in built.frames
    }


class Made(NamedTuple):
    """A sample that is ready to be written."""

    sample: Sample
    folder: str
    """Folder of the frames, relative to the data file."""
    line: bytes
    """Line of the data file."""
    frames: dict[str, bytes]
    """Files by name."""

    def write_frames(self, root: Path) -> None:
        """Writes the frames below `root`, the folder of the data file."""
        folder = root / self.folder
        folder.mkdir(parents=True)
        for name, content in self.frames.items():
            with replace_regular(folder / name) as stream:
                stream.write(content)


def make_sample(
    scenario: str,
    number: int,
    built: Built,
    texts: SampleTexts,
    categories: Sequence[str],
    answer: str,
    rng: random.Random,
    *,
    quality: int = QUALITY,
) -> Made:
    """Combines frames, texts and categories into a sample, and loads it as a check.

    Shuffles the options and keeps the order of the categories. Raises DataError if the sample does
    not load, and SkipError if it lacks a frame or has two options that read alike.
    """
    folder = f"{SCENARIOS[scenario].stem}/{number:06d}"
    options = [*texts.suggestions, texts.abstention]
    rng.shuffle(options)
    fields = {
        "id": number,
        **built.fields,
        "image_template": f"{folder}/{built.fields['image_template']}{SUFFIX}",
        "prompt": texts.question,
        "options": options,
        "categories": list(categories),
        "answer": answer,
    }
    line = json.dumps(fields, ensure_ascii=False).encode() + b"\n"
    sample = read_sample(SCENARIOS[scenario], line, f"built {scenario}")
    frames = encoded_frames(built, quality)
    _check(scenario, sample, frames)
    return Made(sample, folder, line, frames)


def _check(scenario: str, sample: Sample, frames: Mapping[str, bytes]) -> None:
    try:
        shown = {Path(ref.path).name for ref in pictures(SCENARIOS[scenario], sample)}
    except SampleError as error:
        raise SkipError(str(error)) from None
    if missing := sorted(shown - set(frames)):
        raise SkipError(f"frames are missing: {', '.join(missing)}")
    texts = [*sample.options, *sample.categories]
    if len({parser_key(text) for text in texts}) < len(texts):
        raise SkipError(f"two of the options read alike: {', '.join(map(repr, texts))}")
