"""Finds the views that hide what a thing is: `hiding.py --work DIR --wordnet DIR`.

The environment is that of `suite_build/probe.py`. EfficientNet-Lite2 chooses among the four
things of a group in two ways:

- by name, as far as WordNet relates the things to classes of ImageNet;
- by likeness: which thing's main views have the most similar features, in shades of grey.

A view of `candidates.tsv` hides a thing if neither choice finds it. The result is `views.tsv`. Main
views that the choice by name gets wrong are printed, for a person to look at.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]

from probe import Classifier, WordNet  # noqa: E402
from things import ModelSource, rows, sources  # noqa: E402

import numpy as np  # isort: skip  # noqa: E402
import torch  # isort: skip  # noqa: E402
from PIL import Image  # isort: skip  # noqa: E402

MAIN = ("three-quarter", "other-three-quarter", "front")
WALL, TABLE = (196, 188, 172), (150, 108, 72)
FORMATS = ("PNG",)
SIDE = 420
"""Side of the picture in which a cut-out of 320 pixels is shown."""
Vector = np.ndarray[Any, Any]


def shown(path: Path) -> Image.Image:
    """Returns a cut-out on a table before a wall."""
    cutout = Image.open(path, formats=FORMATS).convert("RGBA")
    picture = Image.new("RGB", (SIDE, SIDE), WALL)
    picture.paste(TABLE, (0, SIDE // 2, SIDE, SIDE))
    border = (SIDE - cutout.width) // 2
    picture.paste(cutout, (border, border), cutout)
    return picture


class Eye:
    """The classifier and what it sees in each view."""

    def __init__(self, cut: Path, wordnet: Path) -> None:
        self.cut = cut
        self.classifier = Classifier(WordNet(wordnet))
        self.features: dict[tuple[str, str], Vector] = {}

    def path(self, source: ModelSource, view: str) -> Path:
        """Returns the file of a view."""
        return self.cut / f"{source.slug}.{view}.day.png"

    def feature(self, source: ModelSource, view: str) -> Vector:
        """Returns the features of a view in shades of grey, of length 1."""
        key = source.slug, view
        if key not in self.features:
            found: list[Vector] = []
            network = self.classifier.network
            layer = network._fc.register_forward_hook(
                lambda module, given, result: found.append(given[0][0].numpy().copy())
            )
            self.classifier.probabilities(shown(self.path(source, view)).convert("L"))
            layer.remove()
            self.features[key] = found[0] / np.linalg.norm(found[0])
        return self.features[key]

    def by_name(self, source: ModelSource, view: str, group: list[ModelSource]) -> str:
        """Returns the chosen thing, or an empty text if the thing has no class or no rival."""
        related = {one.thing: found for one in group
                   if (found := self.classifier.classes(one.thing))}  # fmt: skip
        if source.thing not in related or len(related) < 2:
            return ""
        seen = self.classifier.probabilities(shown(self.path(source, view)))
        return max(related, key=lambda thing: float(seen[related[thing]].sum()))

    def likeness(self, source: ModelSource, view: str, group: list[ModelSource]) -> float:
        """Returns by how much the view is more like its own thing than like the others."""
        mine = self.feature(source, view)
        like = {
            one.thing: max(float(mine @ self.feature(one, main)) for main in MAIN) for one in group
        }
        own = like.pop(source.thing)
        return own - max(like.values())


def look(eye: Eye, group: list[ModelSource]) -> Iterator[str]:
    """Yields the lines of a group, and prints main views that look like another thing."""
    candidates: dict[str, list[str]] = defaultdict(list)
    for row in rows("candidates.tsv"):
        candidates[row["thing"]].append(row["view"])
    for source in group:
        for view in MAIN:
            if (chosen := eye.by_name(source, view, group)) not in ("", source.thing):
                print(f"{source.thing} looks like {chosen} in {view}", flush=True)
        for view in candidates[source.thing]:
            if eye.path(source, view).exists():
                chosen = eye.by_name(source, view, group)
                margin = eye.likeness(source, view, group)
                hides = "yes" if chosen != source.thing and margin <= 0 else "no"
                yield f"{source.thing}\t{view}\t{chosen}\t{margin:.3f}\t{hides}"


def main() -> None:
    """Writes `views.tsv`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--wordnet", type=Path, default=Path("/usr/share/wordnet"))
    parser.add_argument("--out", type=Path, default=HERE / "views.tsv")
    options = parser.parse_args()
    torch.set_num_threads(1)
    eye = Eye(options.work / "cut", options.wordnet)
    groups: dict[str, list[ModelSource]] = defaultdict(list)
    for source in sources():
        if source.number == 0 and all(eye.path(source, view).exists() for view in MAIN):
            groups[source.group].append(source)
    lines = [line for group in groups.values() if len(group) == 4 for line in look(eye, group)]
    header = "thing\tview\tby name\tlikeness\thides"
    options.out.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    hidden = sum(line.endswith("yes") for line in lines)
    print(f"{hidden} of {len(lines)} views hide their thing")


if __name__ == "__main__":
    main()
