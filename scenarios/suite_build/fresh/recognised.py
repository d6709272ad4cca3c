"""Shows the things to an image classifier: `recognised.py --work DIR --wordnet DIR`.

The environment is that of `suite_build/probe.py`. EfficientNet-Lite2 chooses among the four
things of a group, as far as WordNet relates them to classes of ImageNet. Views that look like
another thing are printed, for a person to look at.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]

from probe import Classifier, WordNet  # noqa: E402
from things import ModelSource, sources  # noqa: E402

import torch  # isort: skip  # noqa: E402
from PIL import Image  # isort: skip  # noqa: E402

VIEWS = ("three-quarter", "other-three-quarter", "front")
WALL, TABLE = (196, 188, 172), (150, 108, 72)
FORMATS = ("PNG",)
SIDE = 420
"""Side of the picture in which a cut-out of 320 pixels is shown."""


def shown(path: Path) -> Image.Image:
    """Returns a cut-out on a table before a wall."""
    cutout = Image.open(path, formats=FORMATS).convert("RGBA")
    picture = Image.new("RGB", (SIDE, SIDE), WALL)
    picture.paste(TABLE, (0, SIDE // 2, SIDE, SIDE))
    border = (SIDE - cutout.width) // 2
    picture.paste(cutout, (border, border), cutout)
    return picture


def main() -> None:
    """Prints how many views are recognised, and those that are not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--wordnet", type=Path, default=Path("/usr/share/wordnet"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    classifier = Classifier(WordNet(options.wordnet))
    groups: dict[str, list[ModelSource]] = defaultdict(list)
    for source in sources():
        groups[source.group].append(source)
    right, asked, chance = 0, 0, 0.0
    for group in groups.values():
        related = {source.thing: classifier.classes(source.thing) for source in group}
        related = {thing: classes for thing, classes in related.items() if classes}
        shots = [
            (source, view, path)
            for source in group
            for view in VIEWS
            if (path := options.work / "cut" / f"{source.slug}.{view}.day.png").exists()
        ]
        for source, view, path in shots if len(related) > 1 else ():
            if source.thing not in related:
                continue
            seen = classifier.probabilities(shown(path))
            chosen = max(related, key=lambda thing: float(seen[related[thing]].sum()))
            asked += 1
            chance += 1 / len(related)
            right += chosen == source.thing
            if chosen != source.thing:
                print(f"{source.slug} looks like {chosen} in {view}", flush=True)
    print(f"{right} of {asked} views are recognised; by chance {chance:.0f}")


if __name__ == "__main__":
    main()
