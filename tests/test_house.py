"""Rules of the code base that neither ruff nor import-linter checks."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
TREES = ("proactive_agent", "tools", "scenarios", "providers")
LINKS = {ROOT / "proactive_agent" / name for name in TREES}
OPENERS = ("Image.open", "PIL.Image.open")
FILE_OPENERS = ("open", "read_text", "read_bytes", "write_text", "write_bytes")
OWN_OPENERS = ("proactive_agent/disk", "scenarios/suite_build")
"""The folder of the functions that the others call, and the maker of the embedded suite."""
OWN_FILES = {
    (
        "proactive_agent/reports/judge_agreement/requests.py",
        "REQUESTS_FILE.read_text(encoding='utf-8')",
    ),
    ("providers/keeper.py", "entry.read_bytes()"),
    ("proactive_agent/cli/app.py", "os.open(os.devnull, os.O_WRONLY)"),
    ("proactive_agent/reports/published.py", "(_FOLDER / name).read_text(encoding='utf-8')"),
    (
        "proactive_agent/views/html/document.py",
        "(files('proactive_agent.views.html') / name).read_text(encoding='utf-8')",
    ),
}
"""Calls that open a file of the package or of /proc, or the null device."""
NOT_FILES = ("images.open", "store.open", "search.open", "content.open", "self.open")
"""Methods with the name `open` that open no path: pictures of a store, entries of an archive."""


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


def test_files_are_opened_where_pipes_devices_and_links_are_refused() -> None:
    """A pipe in a foreign folder would block the program, and a link would lead out of it."""
    calls = [
        (file.relative_to(ROOT).as_posix(), ast.unparse(node))
        for file in sources()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and _opens_a_file(node)
    ]
    assert set(calls) >= OWN_FILES
    assert [c for c in calls if c not in OWN_FILES and not c[0].startswith(OWN_OPENERS)] == []


def _opens_a_file(call: ast.Call) -> bool:
    function = ast.unparse(call.func)
    if function in OPENERS or function.endswith(NOT_FILES):
        return False
    # A file written aside is new, see `disk/whole_files.py`.
    return function.rpartition(".")[2] in FILE_OPENERS and not function.startswith("partial.")


def _has(call: ast.Call, keyword: str) -> bool:
    return any(given.arg == keyword for given in call.keywords)


def test_the_index_of_benchmarks_lists_every_benchmark() -> None:
    folder = ROOT / "benchmarks"
    page = (folder / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `python -m benchmarks\.(\w+)`", page, re.MULTILINE)
    programs = [file.stem for file in folder.glob("*.py") if file.stem != "__init__"]
    packages = [file.parent.name for file in folder.glob("*/__main__.py")]
    assert sorted(listed) == sorted(programs + packages)
