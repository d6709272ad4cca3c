"""Speed of the builder: pictures per second and core, and the share of each step.

    python -m benchmarks.builder [--pictures 16] [--width 1280] [--height 960]

Builds `imagenet-c` (one sample per picture, with random corruption families) and `coco` from
photograph-like JPEG files in one process. The baseline is the unavoidable work: decoding the same
picture and encoding it once as WebP within the size limit. The first picture is not counted,
because it triggers imports and compilation.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from proactive_agent.scenarios.builder.categories import Categories
from proactive_agent.scenarios.builder.items import Built, Item, Region
from proactive_agent.scenarios.builder.recipe import Appearance, opened
from proactive_agent.scenarios.builder.recipes import RECIPES
from proactive_agent.scenarios.builder.worker import BuildJob, ItemTask, build_item
from proactive_agent.scenarios.builder.writer import QUALITY, encoded, encoded_frames
from proactive_agent.scenarios.images import FORMATS

LABELS = ("Cat.", "Dog.", "Owl.", "Seal.")


class Times(NamedTuple):
    """Processor seconds per picture."""

    whole: float
    """The whole time, from the picture file to the checked files of the sample."""
    decode: float
    """Decoding and scaling down."""
    picture: float
    """Work of the scenario: corruptions, or the choice of crops."""
    encode: float
    """Encoding all frames of the sample."""
    unavoidable: float
    """Decoding and scaling the picture and encoding it once."""


def photograph(seed: int, size: tuple[int, int]) -> Image.Image:
    """Returns a picture with structure at every scale, which loads codecs like a photograph."""
    rng = random.Random(seed)
    image = Image.new("RGB", size)
    for side in (4, 16, 64, 256):
        noise = Image.frombytes("RGB", (side, side), rng.randbytes(3 * side * side))
        image = Image.blend(image, noise.resize(size, Image.Resampling.BICUBIC), 0.45)
    return image


def seconds(function: Callable[[], object]) -> float:
    """Returns the processor seconds of one call. Other programs are not counted."""
    started = time.process_time()
    function()
    return time.process_time() - started


def measure_one(job: BuildJob, number: int, file: Path) -> Times:
    """Measures one picture."""
    recipe = RECIPES[job.scenario]
    with Image.open(file, formats=FORMATS) as image:
        width, height = image.size
    box = Region(0.3 * width, 0.3 * height, 0.4 * width, 0.4 * height)
    item = Item(file.name, file.name, "cat", (file.name,), box)
    picture, _ = opened(job.root, item, file.name, job.look.size)
    decode = seconds(lambda: opened(job.root, item, file.name, job.look.size))

    def built() -> Iterator[Built]:
        seed = f"0/{job.scenario}/{item.identity}"
        return (draft.built for draft in recipe.make(job.root, item, job.look, seed))

    # Frames are made lazily, so they are made twice: without and with encoding.
    made = seconds(lambda: [list(sample.frames) for sample in built()])
    made_and_encoded = seconds(lambda: [encoded_frames(sample) for sample in built()])
    return Times(
        whole=seconds(lambda: build_item(job, ItemTask(number, item))),
        decode=decode,
        picture=made - decode,
        encode=made_and_encoded - made,
        unavoidable=decode + seconds(lambda: encoded(picture)),
    )


def measure(scenario: str, files: list[Path]) -> Times:
    """Returns the mean over all pictures except the first."""
    root = files[0].parent
    test = Path(tempfile.mkdtemp(dir=root))
    job = BuildJob(scenario, root, test, Appearance(), Categories(LABELS, {}), 0, QUALITY, 0.0)
    every = [measure_one(job, number, file) for number, file in enumerate(files)][1:]
    return Times(*(sum(column) / len(every) for column in zip(*every, strict=True)))


def main() -> None:
    """Prints one line per scenario."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=16)
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--height", type=int, default=960)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for number in range(options.pictures + 1):
            files.append(Path(folder, f"{number}.jpg"))
            photograph(number, (options.width, options.height)).save(files[-1], quality=90)
        print(f"{options.pictures} pictures of {options.width} x {options.height}, one process")
        for scenario in ("imagenet-c", "coco"):
            times = measure(scenario, files)
            print(
                f"{scenario}: {1 / times.whole:.1f} pictures/s per core, "
                f"{times.whole / times.unavoidable:.1f} x the time to decode and encode one; "
                f"decode {times.decode / times.whole:.0%}, "
                f"{scenario} itself {times.picture / times.whole:.0%}, "
                f"encode {times.encode / times.whole:.0%}"
            )


if __name__ == "__main__":
    main()
