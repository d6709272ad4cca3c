"""Write `materials.json` and `ATTRIBUTION.md`: the materials, their sources and their checks."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
from catalogue import LICENCES, items, models
from PIL import Image
from sketch import licence as sketch_licence

SCENARIOS = ("coco", "rod", "changeit", "mvp-n", "vsod", "imagenet-c", "quickdraw")
Record = dict[str, Any]


def rejected() -> dict[tuple[str, str], str]:
    """The materials that a person rejected: the reason, by scenario and label."""
    path = Path(__file__).with_name("rejected.tsv")
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return {(row["scenario"], row["label"]): row["reason"] for row in rows}


def records(out: Path, scenario: str) -> list[Record]:
    """The records of the finished episodes, with their folders."""
    found = []
    known = {item.label: item for item in items()}
    for path in sorted((out / scenario).glob("*/record.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        record["folder"] = str(path.parent.relative_to(out))
        if record["label"] in known and scenario != "quickdraw":
            record.update(known[record["label"]].record())  # the table may be newer
        if scenario == "mvp-n":  # the table selects and orders the rendered views
            shot = {frame["view"]: frame for frame in record["frames"]}
            record["frames"] = [shot[view] for view in known[record["label"]].views]
        found.append(record)
    return found


def layers(out: Path, scenario: str) -> list[Record]:
    """The shared covers of a scenario."""
    found = []
    for path in sorted((out / scenario / "layers").glob("*.json")):
        layer = json.loads(path.read_text(encoding="utf-8"))
        found.append({"name": path.stem, **layer, "file": f"{scenario}/layers/{layer['file']}"})
    return found


def offsets(mask: Path, layer: Record, out: Path) -> Record | None:
    """The positions of the layer's left edge at which it hides the mask fully or leaves it free."""
    with Image.open(mask, formats=("JPEG", "PNG", "WEBP")) as picture:
        seen = np.asarray(picture.convert("L")) > 0
    with Image.open(out / layer["file"], formats=("JPEG", "PNG", "WEBP")) as picture:
        alpha = np.asarray(picture.getchannel("A"))
    rows = np.nonzero(seen.any(axis=1))[0]
    columns = np.nonzero(seen.any(axis=0))[0]
    left, right = int(columns[0]), int(columns[-1]) + 1
    band = alpha[rows[0] : rows[-1] + 1]
    solid = (band == 255).all(axis=0)
    runs, start = [], None
    for column, full in enumerate([*solid, False]):
        if full and start is None:
            start = column
        if not full and start is not None:
            runs.append((start, column))
            start = None
    run = max(runs, key=lambda r: r[1] - r[0], default=(0, 0))
    if run[1] - run[0] < right - left:
        return None
    visible = np.nonzero((band > 8).any(axis=0))[0]
    return {
        "layer": layer["name"],
        "hidden": [right - run[1], left - run[0]],
        "free_left_at_most": left - int(visible[-1]) - 1,
        "free_right_at_least": right - int(visible[0]),
    }


def hidden_by(out: Path, record: Record, covers: list[Record]) -> list[Record]:
    """The covers that hide every pixel of the object, checked on its mask."""
    mask = out / record["folder"] / record["mask"]
    ranges = [offsets(mask, layer, out) for layer in covers]
    return [entry for entry in ranges if entry is not None]


def fault(out: Path, scenario: str, record: Record, covers: list[Record]) -> str:
    """The reason why an episode cannot be used, or an empty text. Also notes usable covers."""
    if scenario in ("rod", "vsod"):
        record["covers"] = hidden_by(out, record, covers)
        if len(record["covers"]) < 2:
            return "no two covers hide it fully"
    if scenario == "coco" and any(not shown["box"] for shown in record["objects"]):
        return "an object is not in the frame"
    if scenario == "changeit":
        if not record.get("frames"):
            return "no frames"
        if record["frames"][0]["visible"] > 0:
            return "the cover does not hide it fully"
    return ""


def catalogue(scenarios: dict[str, list[Record]]) -> list[Record]:
    """The categories in use, each with the episodes that show it."""
    objects: dict[str, Record] = {}
    keys = ("label", "library", "creator", "licence")
    for scenario, kept in scenarios.items():
        for record in kept:
            entry = objects.setdefault(record["label"], {key: record[key] for key in keys})
            entry.setdefault("scenarios", {})[scenario] = record["folder"]
            if "model" in record:
                entry["model"] = record["model"]
    return sorted(objects.values(), key=lambda entry: str(entry["label"]))


def build(out: Path) -> dict[str, Any]:
    """Collect all records. Rejected episodes and those that fail a check are listed separately."""
    out_of = rejected()
    scenarios: dict[str, list[Record]] = {}
    covers = {scenario: layers(out, scenario) for scenario in ("rod", "vsod")}
    left_out = []
    for scenario in SCENARIOS:
        scenarios[scenario] = []
        for record in records(out, scenario):
            label = record["label"]
            reason = out_of.get((scenario, label))
            reason = reason or fault(out, scenario, record, covers.get(scenario, []))
            if reason:
                left_out.append({"scenario": scenario, "label": label, "reason": reason})
            else:
                scenarios[scenario].append(record)
    plates = sorted((out / "plates").glob("*.json"))
    return {
        "version": 1,
        "objects": catalogue(scenarios),
        "scenarios": scenarios,
        "layers": covers,
        "plates": {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in plates},
        "left_out": left_out,
    }


def attribution(result: dict[str, Any], furniture: set[str]) -> str:
    """The page that names every creator and the models used."""
    used = {entry["model"] for entry in result["objects"] if "model" in entry} | furniture
    used |= {layer["model"] for covers in result["layers"].values() for layer in covers}
    by_label = {item.label: item.model.key for item in items()}
    for record in result["scenarios"]["coco"]:
        used |= {by_label[shown["label"]] for shown in record["objects"]}
    return credits_page(used - {""})


def credits_page(used: set[str]) -> str:
    """The page that names the creators of some models, and the sources of light and sketches."""
    lines = [
        "# Attribution of the rendered materials\n",
        "Every picture was rendered with Blender (Cycles) from the models below, which were",
        "scaled, turned, lit and put into rooms of our own; some materials were made less",
        "shiny. Nobody named here has endorsed the result. The models come from the Debian",
        "package `sweethome3d-furniture` 1.8.\n",
    ]
    known = models()
    for library, licence in LICENCES.items():
        mine = sorted((known[k] for k in used if known[k].library == library),
                      key=lambda model: (model.creator, model.name, model.key))  # fmt: skip
        if not mine:
            continue
        lines.append(f"\n## {library}: {licence}\n")
        lines += ["| model | creator |", "| --- | --- |"]
        lines += [f"| {model.name} (`{model.key}`) | {model.creator} |" for model in mine]
    lines += [
        "\nCC0 1.0: <https://creativecommons.org/publicdomain/zero/1.0/> · CC-BY 3.0:",
        "<https://creativecommons.org/licenses/by/3.0/> · CC-BY 3.0 US:",
        "<https://creativecommons.org/licenses/by/3.0/us/>.",
        "CC-BY models of the Scopia library: eTeks / Emmanuel Puybaret and Scopia Visual",
        "Interfaces Systems, s.l.; of KatorLegaz: Andrew Kator & Jennifer Legaz.\n",
        "Light: the HDRI pictures that Blender ships (`datafiles/studiolights/world`, CC0, by Greg",
        "Zaal, Poly Haven).\n",
        "Sketches: icons of Lucide (npm `lucide-static` 1.62.0), ISC License, copyright (c) Lucide",
        "Icons and Contributors; none of those used is among the icons derived from Feather.\n",
        *(f"> {line}".rstrip() for line in sketch_licence().splitlines()),
    ]
    return "\n".join(lines) + "\n"
