"""The 3D models: their files, their authors, and the table of categories."""

from __future__ import annotations

import csv
import re
import subprocess
import tempfile
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

CACHE = Path(tempfile.gettempdir()) / "suite-src"
LIBRARIES = ("BlendSwap-CC-0", "BlendSwap-CC-BY", "KatorLegaz", "Scopia", "Reallusion")
LICENCES = {
    "BlendSwap-CC-0": "CC0 1.0",
    "BlendSwap-CC-BY": "CC-BY 3.0",
    "KatorLegaz": "CC-BY 3.0 US",
    "Scopia": "CC-BY 3.0",
    "Reallusion": "CC-BY 3.0 US",
}
PACKAGE = "sweethome3d-furniture"


@dataclass(frozen=True)
class CatalogueModel:
    """One model of a library."""

    key: str
    name: str
    library: str
    creator: str
    path: Path
    rotation: str | None

    @property
    def licence(self) -> str:
        return LICENCES[self.library]


@dataclass(frozen=True)
class CatalogueItem:
    """One category of the suite and the model that shows it."""

    label: str
    model: CatalogueModel
    kind: str
    near: tuple[str, ...]
    """Similar objects, which a wide room does not show together with this one."""
    yaw: float
    scenarios: str
    views: tuple[str, ...]

    @property
    def slug(self) -> str:
        return re.sub(r"[^a-z0-9]+", "_", self.label.lower()).strip("_")

    def record(self) -> dict[str, object]:
        """The item's entry in `materials.json`."""
        return {
            "label": self.label,
            "model": self.model.key,
            "model_name": self.model.name,
            "library": self.model.library,
            "creator": self.model.creator,
            "licence": self.model.licence,
        }


def fetch() -> Path:
    """Download and unpack the model libraries on first use."""
    models = CACHE / "models"
    if models.exists():
        return models
    CACHE.mkdir(parents=True, exist_ok=True)
    if not list(CACHE.glob(f"{PACKAGE}_*.deb")):
        subprocess.run(["apt-get", "download", PACKAGE], cwd=CACHE, check=True)
    (package,) = CACHE.glob(f"{PACKAGE}_*.deb")
    subprocess.run(["dpkg-deb", "-x", package.name, "deb"], cwd=CACHE, check=True)
    for library in LIBRARIES:
        source = CACHE / "deb/usr/share/sweethome3d/furniture" / f"{library}.sh3f"
        with zipfile.ZipFile(source) as archive:
            archive.extractall(models / library)
    return models


@cache
def models() -> dict[str, CatalogueModel]:
    """All models by key, `library/folder`."""
    root = fetch()
    found: dict[str, CatalogueModel] = {}
    for library in LIBRARIES:
        entries: dict[str, dict[str, str]] = {}
        text = (root / library / "PluginFurnitureCatalog.properties").read_text("latin-1")
        for line in text.splitlines():
            if match := re.match(r"(\w+)#(\d+)=(.*)", line.strip()):
                entries.setdefault(match[2], {})[match[1]] = match[3]
        for entry in entries.values():
            path = root / library / entry["model"].lstrip("/")
            key = f"{library}/{path.parent.name}"
            creator = entry.get("creator", library)
            rotation = entry.get("modelRotation")
            found.setdefault(
                key, CatalogueModel(key, entry["name"], library, creator, path, rotation)
            )
    return found


def find(name: str, library: str | None) -> CatalogueModel | None:
    """The first model of that name."""
    for model in models().values():
        if model.name == name and (library is None or model.library == library):
            return model
    return None


@cache
def items() -> tuple[CatalogueItem, ...]:
    """The table of categories."""
    path = Path(__file__).with_name("catalogue.tsv")
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    known = models()
    return tuple(
        CatalogueItem(
            row["label"],
            known[row["model"]],
            row["kind"],
            tuple(row["near"].split(", ")),
            float(row["yaw"] or 30),
            row["scenarios"] or "",
            tuple((row["views"] or "").split()),
        )
        for row in rows
    )


def chosen(scenario: str) -> list[CatalogueItem]:
    """The items of a scenario, by its letter, in the table's order."""
    return [item for item in items() if scenario in item.scenarios]
