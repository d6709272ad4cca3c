"""The pictures of README and docs show what the program shows today."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).parents[1] / "docs"


def make_pictures() -> ModuleType:
    """Loads the script docs/make_pictures.py, which is in no package."""
    spec = importlib.util.spec_from_file_location("make_pictures", DOCS / "make_pictures.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_each_picture_shows_what_a_new_run_shows(tmp_path: Path) -> None:
    for extra in ("textual", "playwright", "matplotlib"):
        pytest.importorskip(extra)
    script = make_pictures()
    sources = script.make_sources(tmp_path)
    with script.chromium() as browser:
        texts = script.texts(sources, browser)
    assert len(texts) == 3
    stored = {name: (DOCS / "pictures" / f"{name}.txt").read_text("utf-8") for name in texts}
    assert texts == stored, "run `python docs/make_pictures.py` and look at the new pictures"


def test_each_picture_is_small_and_has_a_text() -> None:
    pictures = sorted((DOCS / "pictures").glob("*.webp"))
    assert len(pictures) >= 3
    for picture in pictures:
        assert picture.with_suffix(".txt").is_file()
        assert picture.stat().st_size < 200_000
