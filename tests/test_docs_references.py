"""Docstrings that refer to a page in docs/ name a page and a section that exist."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import proactive_agent

ROOT = Path(__file__).parents[1]
FOLDERS = ("proactive_agent", "tools", "scenarios", "providers", "benchmarks", "tests")
_REFERENCE = re.compile(r'\b([\w/-]*[\w-]+\.md)\b`?(?:, section "([^"]+)")?')


class Reference(NamedTuple):
    """A page that a docstring names, and the section if it names one."""

    place: str
    page: str
    section: str | None


def references(text: str, place: str) -> Iterator[Reference]:
    """Finds the references in the strings that stand alone in a Python file."""
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Expr(value=ast.Constant(value=str(docstring))):
                for found in _REFERENCE.finditer(" ".join(docstring.split())):
                    yield Reference(f"{place}:{node.lineno}", found[1], found[2])


def headings(page: Path) -> set[str]:
    """Returns the headings of a Markdown page."""
    return set(re.findall(r"^#+ (.+?)\s*$", page.read_text(encoding="utf-8"), re.MULTILINE))


def all_references() -> list[Reference]:
    return [
        reference
        for folder in FOLDERS
        for file in sorted((ROOT / folder).rglob("*.py"))
        if "golden" not in file.parts and ".cache" not in file.parts
        for reference in references(
            file.read_text(encoding="utf-8"), file.relative_to(ROOT).as_posix()
        )
        if reference.page.startswith("docs/") or reference.page == "protocol.md"
    ]


def test_every_page_exists_with_its_section() -> None:
    broken = []
    for place, page, section in all_references():
        file = ROOT / page
        if not file.is_file():
            broken.append(f"{place}: there is no {page}")
        elif section is not None and section not in headings(file):
            broken.append(f"{place}: {page} has no section {section!r}")
    assert broken == []


def test_the_protocol_is_cited_by_section() -> None:
    cited = [r for r in all_references() if r.page == "docs/protocol.md"]
    assert len(cited) >= 5
    assert [r.place for r in cited if r.section is None] == []


def test_a_reference_is_found_across_a_line_break() -> None:
    text = '"""See `docs/protocol.md`, section\n"Metrics"."""'
    assert list(references(text, "x.py")) == [Reference("x.py:1", "docs/protocol.md", "Metrics")]


def test_the_reference_lists_every_public_name() -> None:
    page = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    listed = re.findall(r"^::: [\w.]+\.(\w+)$", page, re.MULTILINE)
    assert sorted(listed) == sorted(proactive_agent.__all__)


def test_every_page_is_on_the_site() -> None:
    config = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))
    listed = re.findall(r"[\w-]+\.md", str(config["project"]["nav"]))
    assert sorted(listed) == sorted(page.name for page in (ROOT / "docs").glob("*.md"))
