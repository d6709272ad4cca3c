"""Scores on other data than the official ones are never shown without a note."""

from html import unescape
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner

from proactive_agent import open_run
from proactive_agent.cli.app import cli
from proactive_agent.records.manifest import Manifest
from proactive_agent.reports.data_notes import data_note, data_notes
from proactive_agent.reports.runs import DataKind, data_kind
from tests.proactive_agent.reports.comparison.playing import OFFICIAL, answers, played

GENERATED = {"embedded": False, "generator": "fresh 1"}
DATA: dict[DataKind, dict[str, Any]] = {
    DataKind.OFFICIAL: OFFICIAL,
    DataKind.EMBEDDED: {},
    DataKind.GENERATED: GENERATED,
    DataKind.OWN: {"embedded": False},
    DataKind.OTHER_SAMPLES: OFFICIAL,
}


def manifest_of(kind: DataKind) -> Manifest:
    manifest = played("a", answers("1"), data=DATA[kind]).manifest
    if kind is DataKind.OTHER_SAMPLES:
        manifest.data.files["rod"].kept = 1
    return manifest


def note_of(source: str) -> str:
    return f"Scores on {source} cannot be compared with published ones."


@pytest.mark.parametrize("kind", DataKind)
def test_all_data_but_the_official_have_a_note(kind: DataKind) -> None:
    manifest = manifest_of(kind)
    assert data_kind(manifest) is kind
    note = data_note(manifest)
    if kind is DataKind.OFFICIAL:
        assert note is None
    else:
        assert note is not None
        assert note.endswith("cannot be compared with published ones.")


def test_a_note_names_its_runs_if_others_are_on_other_data() -> None:
    official, one, two = (
        played(name, answers("1"), provider=f"local:{name}", data=data).manifest
        for name, data in (("a", OFFICIAL), ("b", GENERATED), ("c", GENERATED))
    )
    assert data_notes([official]) == []
    assert data_notes([one, two]) == [note_of("generated scenes")]
    assert data_notes([official, one, two]) == [
        f"{note_of('generated scenes')} This concerns local:b, local:c."
    ]


class Shown(NamedTuple):
    """A command on a run, and the file in which it writes what people read."""

    arguments: tuple[str, ...]
    file: str | None = None


SHOWN = {
    "comparison": Shown(("compare", "RUN")),
    "LaTeX": Shown(("compare", "RUN", "--format", "latex")),
    "judge": Shown(("judge", "RUN")),
    "report": Shown(("report", "RUN", "-o", "FOLDER/r.html"), "r.html"),
    "card": Shown(("export", "RUN", "--format", "hf", "-o", "FOLDER/hub"), "hub/README.md"),
}


def invoke(*arguments: str) -> str:
    result = CliRunner().invoke(cli, list(arguments))
    assert result.exit_code == 0, result.output
    return result.output


class OtherRun(NamedTuple):
    """A run on other data, and what is printed at its end."""

    folder: Path
    printed: str
    note: str


@pytest.fixture(scope="module", params=["generated scenes", "own data"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> OtherRun:
    results, data = tmp_path_factory.mktemp("results"), "fresh:1:n=2:px=96"
    if request.param == "own data":
        data = str(tmp_path_factory.mktemp("data") / "scenes")
        options = ("--seed", "1", "--per-scenario", "2", "--size", "96", "--scenario", "mvp-n")
        invoke("data", "fresh", data, *options)
    printed = invoke(
        "run", "--data", data, "--scenario", "mvp-n", "--protocol", "oeg",
        "--provider", "baseline:never-ask", "--out", str(results),
    )  # fmt: skip
    (folder,) = results.iterdir()
    return OtherRun(folder, printed, note_of(request.param))


def test_the_table_of_a_run_has_the_note(run: OtherRun) -> None:
    assert run.note in " ".join(run.printed.split())
    assert run.note in unescape(open_run(run.folder)._repr_html_())


@pytest.mark.parametrize("name", SHOWN)
def test_every_other_table_has_the_note(name: str, run: OtherRun, tmp_path: Path) -> None:
    if name in ("report", "card"):
        pytest.importorskip({"report": "matplotlib", "card": "pyarrow"}[name])
    places = {"RUN": str(run.folder), "FOLDER": str(tmp_path)}
    arguments = SHOWN[name].arguments
    for word, place in places.items():
        arguments = tuple(argument.replace(word, place) for argument in arguments)
    text = invoke(*arguments)
    if file := SHOWN[name].file:
        text = (tmp_path / file).read_text(encoding="utf-8")
    assert run.note in " ".join(text.split())


def test_published_rows_are_marked_as_not_comparable(run: OtherRun) -> None:
    shown = " ".join(invoke("compare", str(run.folder), "--published").split())
    assert "NOT COMPARABLE with the published figures: runs on" in shown
