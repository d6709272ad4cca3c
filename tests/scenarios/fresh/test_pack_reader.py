"""The reader of a pack, on a tiny pack that is written here."""

import json
import pickle
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from proactive_agent.scenarios.fresh.pack import Pack, PackError, load_pack

CUTOUT = np.zeros((8, 8, 4), np.uint8)
CUTOUT[2:6, 3:5] = (200, 100, 50, 255)
SHADOW = np.arange(16, dtype=np.uint8).reshape(4, 4) * 16


def webp(pixels: "np.ndarray[Any, Any]") -> bytes:
    stream = BytesIO()
    picture = Image.fromarray(pixels)
    picture.convert("RGB" if pixels.ndim == 2 else picture.mode).save(
        stream, "WEBP", lossless=True, exact=True
    )
    return stream.getvalue()


def thing(name: str) -> dict[str, object]:
    view = {
        "kind": "front",
        "light": "day",
        "file": "cutouts/one.webp",
        "box": [3, 2, 5, 6],
        "shadow": "shadows/one.webp",
    }
    model = {"key": "L/m", "title": "M", "creator": "C", "licence": "CC0", "views": [view]}
    return {"name": name, "natural": False, "models": [model]}


def index() -> dict[str, Any]:
    group = {"name": "pet", "held_out": True, "things": [thing(name) for name in "ABCD"]}
    return {
        "format": 1, "version": 3, "groups": [group], "plates": [], "covers": [], "sketches": [],
        "sources": [],
    }  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "index.json").write_text(json.dumps(index()))
    with zipfile.ZipFile(tmp_path / "pictures.zip", "w") as archive:
        archive.writestr("cutouts/one.webp", webp(CUTOUT))
        archive.writestr("shadows/one.webp", webp(SHADOW))
    return tmp_path


def test_it_reads_groups_things_and_views(folder: Path) -> None:
    pack = Pack(folder)
    (group,) = pack.groups
    assert (pack.version, group.name, group.held_out) == (3, "pet", True)
    assert [thing.name for thing in group.things] == list("ABCD")
    (view,) = pack.things["B"].models[0].views
    assert (view.kind, view.light, view.box) == ("front", "day", (3, 2, 5, 6))


def test_pictures_are_arrays_that_cannot_be_changed(folder: Path) -> None:
    pack = Pack(folder)
    cutout, shadow = pack.pixels("cutouts/one.webp"), pack.pixels("shadows/one.webp")
    assert np.array_equal(cutout, CUTOUT)
    assert np.array_equal(shadow, SHADOW)
    with pytest.raises(ValueError, match="read-only"):
        cutout[0, 0, 0] = 1


def test_the_cache_is_bounded_and_keeps_the_latest(folder: Path) -> None:
    pack = Pack(folder, cache_bytes=CUTOUT.nbytes)
    cutout = pack.pixels("cutouts/one.webp")
    assert pack.pixels("cutouts/one.webp") is cutout
    pack.pixels("shadows/one.webp")
    assert pack.pixels("cutouts/one.webp") is not cutout


def test_threads_read_the_same_pixels(folder: Path) -> None:
    pack = Pack(folder, cache_bytes=1)
    names = list(pack.files()) * 40
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(pack.pixels, names))
    expected = {"cutouts/one.webp": CUTOUT, "shadows/one.webp": SHADOW}
    assert all(
        np.array_equal(pixels, expected[name]) for name, pixels in zip(names, found, strict=True)
    )


def test_unpickled_packs_share_their_cache(folder: Path) -> None:
    copies = [pickle.loads(pickle.dumps(Pack(folder))) for _ in range(2)]
    assert copies[0] is copies[1] is load_pack(folder)


def _replace_index(folder: Path, **changes: object) -> None:
    (folder / "index.json").write_text(json.dumps({**index(), **changes}))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "index.json").unlink(), r"index\.json: No such file"),
        (lambda folder: (folder / "index.json").write_text("{"), r"index\.json: "),
        (lambda folder: _replace_index(folder, format=2), "format 2, expected 1"),
        (lambda folder: (folder / "pictures.zip").unlink(), r"pictures\.zip: No such file"),
        (lambda folder: (folder / "pictures.zip").write_bytes(b"zip"), r"pictures\.zip: "),
    ],
)
def test_a_damaged_pack_is_named(
    folder: Path, damage: Callable[[Path], object], message: str
) -> None:
    damage(folder)
    with pytest.raises(PackError, match=message):
        Pack(folder).pixels("cutouts/one.webp")


def test_a_missing_picture_is_named(folder: Path) -> None:
    with pytest.raises(PackError, match=r"no picture 'cutouts/two\.webp'"):
        Pack(folder).pixels("cutouts/two.webp")


def test_the_hash_changes_with_the_pictures(folder: Path) -> None:
    before = Pack(folder).sha256
    with zipfile.ZipFile(folder / "pictures.zip", "a") as archive:
        archive.writestr("cutouts/two.webp", webp(CUTOUT))
    assert Pack(folder).sha256 != before


def test_a_broken_picture_is_named(folder: Path) -> None:
    with zipfile.ZipFile(folder / "pictures.zip", "a") as archive:
        archive.writestr("cutouts/broken.webp", b"RIFF")
    with pytest.raises(PackError, match=r"cutouts/broken\.webp is no WebP picture"):
        Pack(folder).pixels("cutouts/broken.webp")
