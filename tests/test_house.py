"""Rules of the code base that neither ruff nor import-linter checks."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
TREES = ("proactive_agent", "tools", "scenarios", "providers")
LINKS = {ROOT / "proactive_agent" / name for name in TREES}


def sources() -> Iterator[Path]:
    """Every module once: the trees are also linked into the package."""
    for tree in TREES:
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
