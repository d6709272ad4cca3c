"""The real pictures that the suite is made of: where they come from and how they are fetched."""

from __future__ import annotations

import bz2
import hashlib
import importlib.util
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

DEBIAN_BACKGROUNDS = "budgie-backgrounds=3.0-1"
SCIPY = "scipy==1.9.3"
LUCIDE = "lucide-static@1.62.0"

SHA256 = {
    "deb": "b91c2d5209558bc11d8d3a161f22a608857e3f8c735980cfab0d6650b03014ca",
    "whl": "abaf921531b5aeaafced90157db505e10345e45038c39e5d9b6c7922d68085cb",
    "tgz": "386f9080c440d6f5049cefe3456ae8357f7a0c7f76e59670cd1cb83bc7050a44",
}


@dataclass(frozen=True)
class Source:
    """A picture, the package that ships it, and whom to name for it."""

    package: str
    file: str
    title: str
    author: str
    licence: str


def _budgie(file: str, title: str) -> Source:
    return Source("budgie-backgrounds", file, title, "Budgie Desktop Developers", "CC0 1.0")


def _skimage(file: str, title: str, author: str, licence: str) -> Source:
    return Source("scikit-image", file, title, author, licence)


SOURCES: dict[str, Source] = {
    "cat": _skimage("chelsea.png", "Chelsea the cat", "Stéfan van der Walt", "CC0 1.0"),
    "coffee": _skimage("coffee.png", "Coffee cup", "Rachel Michetti", "CC0 1.0"),
    "rocket": _skimage("rocket.jpg", "Launch of DSCOVR on a Falcon 9", "SpaceX", "public domain"),
    "brick": _skimage("brick.png", "Brick wall", "CC0Textures", "CC0 1.0"),
    "flower": Source(
        "scikit-learn",
        "flower.jpg",
        "Dahlia",
        "vultilion (flickr.com/photos/vultilion/6056698931)",
        "CC-BY 2.0",
    ),
    "pagoda": Source(
        "scikit-learn",
        "china.jpg",
        "Pagoda",
        "danielbuechele (flickr.com/photos/danielbuechele/6061409035)",
        "CC-BY 2.0",
    ),
    "raccoon": Source(
        "scipy 1.9",
        "face.dat",
        "raccoon-procyon-lotor.jpg",
        "public-domain-image.com",
        "public domain",
    ),
    "osprey": _budgie("perched-osprey.jpg", "Perched osprey"),
    "wren": _budgie("canyon-wren.jpg", "Canyon wren"),
    "otter": _budgie("oakland-zoo-otters.jpg", "Otters"),
    "saturn": _budgie("saturnian-profile.jpg", "Saturn"),
    "colosseum": _budgie("roman-colosseum.jpg", "Roman Colosseum"),
    "skyline": _budgie("singaporean-cityscape.jpg", "Skyline of Singapore"),
    "lake": _budgie("lake-sherburne.jpg", "Lake and mountains"),
}


class Library:
    """Fetches the packages once into a cache folder and opens pictures from them."""

    def __init__(self, cache: Path) -> None:
        """Use this cache folder; it is made if it is not there."""
        self.cache = cache
        self.used: set[str] = set()
        cache.mkdir(parents=True, exist_ok=True)

    def picture(self, name: str) -> Image.Image:
        """The source picture in RGB, at its full size."""
        self.used.add(name)
        source = SOURCES[name]
        if source.package == "scipy 1.9":
            return self._raccoon()
        folder = {
            "scikit-image": lambda: _package_folder("skimage") / "data",
            "scikit-learn": lambda: _package_folder("sklearn") / "datasets/images",
            "budgie-backgrounds": self._backgrounds,
        }[source.package]()
        with Image.open(folder / source.file) as image:
            return image.convert("RGB")

    def icon(self, name: str) -> Path:
        """The SVG file of a Lucide icon."""
        archive = self._fetch("tgz", ["npm", "pack", "--silent", LUCIDE])
        folder = self.cache / "lucide"
        if not folder.exists():
            with tarfile.open(archive) as tar:
                tar.extractall(folder, filter="data")
        return folder / "package/icons" / f"{name}.svg"

    def _backgrounds(self) -> Path:
        archive = self._fetch("deb", ["apt-get", "download", DEBIAN_BACKGROUNDS])
        folder = self.cache / "budgie"
        if not folder.exists():
            subprocess.run(["dpkg-deb", "-x", str(archive), str(folder)], check=True)
        return folder / "usr/share/backgrounds/budgie"

    def _raccoon(self) -> Image.Image:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", SCIPY]
        platform = ["--python-version=3.11", "--platform=manylinux2014_x86_64"]
        wheel = self._fetch("whl", [*pip, *platform, "--only-binary=:all:"])
        with zipfile.ZipFile(wheel) as archive:
            pixels = bz2.decompress(archive.read("scipy/misc/face.dat"))
        return Image.frombytes("RGB", (1024, 768), pixels)

    def _fetch(self, suffix: str, command: list[str]) -> Path:
        """Run a package client in the cache folder unless its archive is there; check its hash."""
        if not list(self.cache.glob(f"*.{suffix}")):
            subprocess.run(command, cwd=self.cache, check=True, stdout=subprocess.DEVNULL)
        (archive,) = self.cache.glob(f"*.{suffix}")
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        if digest != SHA256[suffix]:
            raise ValueError(f"{archive.name}: unexpected SHA-256 {digest}")
        return archive


def _package_folder(module: str) -> Path:
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{module} is not installed: see requirements.txt")
    return Path(spec.origin).parent
