"""Builds the embedded suite from rendered materials.

    python scenarios/suite_build/make.py --materials DIR --out scenarios/suite

The scripts in `render/` make the materials in about an hour. The same materials give the same
bytes.
"""

import argparse
import hashlib
import json
import random
import shutil
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE)]

import selection  # noqa: E402
import texts  # noqa: E402
from episodes import MAKERS, Episode, Material  # noqa: E402

from proactive_agent.scenarios import SCENARIOS  # noqa: E402
from proactive_agent.scenarios.builder.categories import category  # noqa: E402
from proactive_agent.scenarios.builder.items import SkipError  # noqa: E402
from proactive_agent.scenarios.builder.wording import texts_for  # noqa: E402
from proactive_agent.scenarios.builder.writer import Made, make_sample  # noqa: E402

SEED = 20261124
QUALITY = {"coco": 82, "mvp-n": 78, "rod": 66, "changeit": 68}
DEFAULT_QUALITY = 71


def main() -> None:
    """Writes the suite."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--materials", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    if arguments.out.exists():
        shutil.rmtree(arguments.out)
    arguments.out.mkdir(parents=True)
    manifest: dict[str, Any] = {}
    for scenario in SCENARIOS:
        lines: list[bytes] = []
        manifest[scenario] = {}
        for material in selection.materials(arguments.materials, scenario):
            number = len(lines)
            try:
                episode, made = _make(scenario, number, material, arguments.materials)
            except SkipError as error:
                print(f"{scenario}: {material.folder.name} left out: {error}")
                continue
            made.write_frames(arguments.out)
            lines.append(made.line)
            manifest[scenario][str(number)] = _measures(material, episode, made)
        (arguments.out / f"{SCENARIOS[scenario].stem}_preprocessed.jsonl").write_bytes(
            b"".join(lines)
        )
        print(f"{scenario}: {len(lines)} episodes")
    texts.rewrite(arguments.out)
    # One line per sample is readable and small.
    lines_of = {
        scenario: ",\n".join(
            f'"{number}": {json.dumps(found)}' for number, found in samples.items()
        )
        for scenario, samples in manifest.items()
    }
    text = ",\n".join(f'"{scenario}": {{\n{lines}\n}}' for scenario, lines in lines_of.items())
    (arguments.out / "manifest.json").write_text(f"{{\n{text}\n}}\n", encoding="utf-8")
    shutil.copyfile(arguments.materials / "ATTRIBUTION.md", arguments.out / "CREDITS.md")


def _make(scenario: str, number: int, material: Material, materials: Path) -> tuple[Episode, Made]:
    rng = random.Random(f"{SEED}/{scenario}/{material.record['label']}")
    episode = MAKERS[scenario](material, rng, materials)
    label = material.record["label"]
    group = texts.group_of(scenario, label)
    if group is None:
        raise ValueError(f"groups.tsv lacks {scenario}:{label}; add a group or reject it")
    for thing in material.record.get("objects", ()):
        if not thing["asked"] and thing["label"] in group.labels:
            raise ValueError(f"{scenario}:{label} also shows the wrong category {thing['label']}")
    # `texts.rewrite` replaces the texts, except for the suggestions and the answer.
    drawn = texts_for(scenario, episode.suggestions, rng)
    categories = [category(text, label) for text in group.labels]
    quality = QUALITY.get(scenario, DEFAULT_QUALITY)
    return episode, make_sample(
        scenario,
        number,
        episode.built,
        drawn,
        categories,
        category(label, label),
        rng,
        quality=quality,
    )


def _measures(material: Material, episode: Episode, made: Made) -> dict[str, Any]:
    """Returns a sample's manifest entry. Hashes tie it to the shipped frames."""
    frames = {
        name: {
            "sha256": hashlib.sha256(content).hexdigest()[:16],
            **_visible(episode, name.removesuffix(".webp")),
        }
        for name, content in made.frames.items()
    }
    found: dict[str, Any] = {
        "material": material.folder.name,
        "creator": material.record["creator"],
        "frames": frames,
        **episode.more,
    }
    if episode.share is not None:
        found["share_of_picture"] = round(episode.share, 4)
    return found


def _visible(episode: Episode, frame: str) -> dict[str, float]:
    return {"visible": episode.visible[frame]} if frame in episode.visible else {}


if __name__ == "__main__":
    main()
