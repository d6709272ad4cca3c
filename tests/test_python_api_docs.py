"""docs/python-api.md and examples/: every block and program runs, every exported name appears."""

import ast
import asyncio
import importlib.util
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import proactive_agent
from proactive_agent.play.conditions.registry import CONDITIONS
from proactive_agent.providers.registry import REGISTERED

REPOSITORY = Path(__file__).parents[1]
PAGE = (REPOSITORY / "docs" / "python-api.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
NEEDS_LOCAL = "# needs the extra `local`"
EXAMPLES = sorted((REPOSITORY / "examples").glob("*.py"))


def test_the_blocks_of_the_page_run_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("proactive_agent.providers.registry.REGISTERED", dict(REGISTERED))
    for name, condition in list(CONDITIONS.items()):
        monkeypatch.setitem(CONDITIONS, name, condition)
    monkeypatch.delitem(CONDITIONS, "careful", raising=False)
    names: dict[str, object] = {"__name__": "page"}
    for number, block in enumerate(BLOCKS, 1):
        if block.startswith(NEEDS_LOCAL) and not importlib.util.find_spec("peft"):
            continue
        code = compile(block, f"block {number} of docs/python-api.md", "exec",
                       flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)  # fmt: skip
        outcome = eval(code, names)
        if inspect.iscoroutine(outcome):
            asyncio.run(outcome)
    CONDITIONS.pop("careful")
    output = capsys.readouterr().out
    assert "evaluate has no setting 'limits'; did you mean 'limit'?" in output


@pytest.mark.parametrize("name", proactive_agent.__all__)
def test_every_exported_name_has_an_example(name: str) -> None:
    assert re.search(rf"\b{name}\b", "".join(BLOCKS))


@pytest.mark.parametrize("program", EXAMPLES, ids=lambda program: program.stem)
def test_an_example_runs(program: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(program)], cwd=tmp_path, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    assert (tmp_path / "results").is_dir()


def test_the_examples_are_those_of_the_page() -> None:
    for program in EXAMPLES:
        assert f"`{program.name}`" in PAGE
    assert len(EXAMPLES) == 3
