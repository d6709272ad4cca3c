"""Rules of the code base that neither ruff nor import-linter checks."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
TREES = ("proactive_agent", "tools", "scenarios", "providers")
LINKS = {ROOT / "proactive_agent" / name for name in TREES}
OPENERS = ("Image.open", "PIL.Image.open")


def sources(*more: str) -> Iterator[Path]:
    """Every module once, and those of other folders: the trees are also linked into the package."""
    for tree in (*TREES, *more):
        for file in sorted((ROOT / tree).rglob("*.py")):
            if LINKS.isdisjoint(file.parents):
                yield file


def test_every_class_name_exists_once() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for file in sources():
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                places[node.name].append(file.relative_to(ROOT).as_posix())
    assert len(places) > 200
    assert {name: files for name, files in places.items() if len(files) > 1} == {}


def test_pictures_are_opened_with_a_list_of_formats() -> None:
    """Without one, Pillow starts Ghostscript for a file that is EPS, whatever its name is."""
    calls = [
        (file.relative_to(ROOT).as_posix(), node)
        for file in sources("benchmarks")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in OPENERS
    ]
    assert len(calls) > 8
    open_ = [(file, node.lineno) for file, node in calls if not _has(node, "formats")]
    assert open_ == []


def _has(call: ast.Call, keyword: str) -> bool:
    return any(given.arg == keyword for given in call.keywords)
