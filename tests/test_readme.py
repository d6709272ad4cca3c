"""README and docs are correct: the program prints the shown output, and the commands exist.

`UPDATE_GOLDEN=1 python -m pytest tests/test_readme.py` rewrites the shown output.
"""

import csv
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from proactive_agent.cli.app import cli

ROOT = Path(__file__).parents[1]
PAGES = {
    file.name: file.read_text(encoding="utf-8")
    for file in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
}
SHELL = re.findall(r"^```bash\n(.*?)^```$", "".join(PAGES.values()), re.MULTILINE | re.DOTALL)
EXAMPLES = [
    f.read_text(encoding="utf-8") for f in sorted((ROOT / "examples" / "cluster").iterdir())
]
COMMANDS = re.findall(r"-m proactive_agent (.+)$", "\n".join(SHELL + EXAMPLES), re.MULTILINE)
PROGRAMS = re.findall(r"^```python\n(.*?)^```$", PAGES["index.md"], re.MULTILINE | re.DOTALL)
(RUN_OUTPUT,) = re.findall(r"^```text\n(.*?)^```$", PAGES["README.md"], re.MULTILINE | re.DOTALL)
(TRACE_OUTPUT,) = re.findall(r"^```text\n(.*?)^```$", PAGES["results.md"], re.MULTILINE | re.DOTALL)


def program(folder: Path, *arguments: str) -> str:
    """Returns the output of the program at 80 columns, without trailing blanks."""
    done = subprocess.run(
        [sys.executable, "-m", "proactive_agent", *arguments],
        cwd=folder, capture_output=True, text=True, check=True,
        env={**os.environ, "COLUMNS": "80", "NO_COLOR": "1"},
    )  # fmt: skip
    return "\n".join(line.rstrip() for line in done.stdout.strip("\n").splitlines()) + "\n"


def test_the_output_shown_is_what_the_commands_print(tmp_path: Path) -> None:
    first_table = program(tmp_path, "run").partition("\n\ninformed %")[0] + "\n"
    (oracle,) = (tmp_path / "results").glob("*oracle*")
    sample = TRACE_OUTPUT.split(maxsplit=1)[0]
    trace = program(tmp_path, "trace", str(oracle), "--sample", sample).strip() + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        renew(ROOT / "README.md", RUN_OUTPUT, first_table)
        renew(ROOT / "docs" / "results.md", TRACE_OUTPUT, trace)
    else:
        assert (first_table, trace) == (RUN_OUTPUT, TRACE_OUTPUT)


def renew(page: Path, old: str, new: str) -> None:
    page.write_text(page.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


def test_the_published_results_in_brief_are_those_of_the_paper() -> None:
    shown = re.findall(r"^\| ([\w.-]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", PAGES["README.md"],
                       re.MULTILINE)  # fmt: skip
    choice, reference = published_averages("table1_mcqa"), published_averages("table6_reference")
    assert len(shown) == 5
    assert shown == [
        (m, choice[m]["acc"], choice[m]["psr"], reference[m]["acc"]) for m, *_ in shown
    ]


def published_averages(table: str) -> dict[str, dict[str, str]]:
    with (ROOT / "results" / "published" / f"{table}.csv").open(encoding="utf-8") as lines:
        return {row["model"]: row for row in csv.DictReader(lines) if row["dataset"] == "avg"}


def test_the_readme_stays_short() -> None:
    assert len(PAGES["README.md"].splitlines()) <= 140


def test_the_readme_links_to_every_page() -> None:
    linked = set(re.findall(r"\]\(docs/([\w-]+\.md)", PAGES["README.md"]))
    # CONTRIBUTING.md is linked itself, and the page of the Python API links to the reference.
    assert set(PAGES) - {"README.md", "contributing.md", "reference.md"} == linked


def test_the_python_programs_run(tmp_path: Path) -> None:
    for program in PROGRAMS:
        subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
    assert len(list((tmp_path / "results").iterdir())) == len(PROGRAMS)


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_shown_exists(line: str) -> None:
    command: click.Command = cli
    context = click.Context(cli)
    for word in shlex.split(line):
        if isinstance(command, click.Group):
            found = command.get_command(context, word)
            assert found is not None, word
            command = found
        elif word.startswith("--"):
            assert word in {option for p in command.params for option in p.opts}, word
