"""Names of files that are not UTF-8: they are written, shown as escapes, or refused."""

import json
import os
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from proactive_agent.cli.app import cli
from tests.hostile.attacking import named, refusal
from tests.hostile.test_data_folders import ordinary
from tests.proactive_agent.run_folders import write_run
from tests.proactive_agent.written_records import episode
from tests.scenarios.builder.material import photo_folder
from tests.scenarios.official_layout import write_samples

pytestmark = pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names are Unicode")

NAME = os.fsdecode(b"caf\xe9")
"""`café` in Latin-1. Python shows its last byte as half of a surrogate pair."""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of the commands, with a run that has such a name."""
    monkeypatch.chdir(tmp_path)
    played = [episode("ask", "right", sample_id=0), episode("wrong", sample_id=1)]
    write_run(tmp_path / "run", played, provider="baseline:oracle").path.rename(NAME)
    return tmp_path


def played(*arguments: str) -> Result:
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 0, (done.output, done.exception)
    return done


READERS: list[tuple[str, tuple[str, ...]]] = [
    (" ".join(words).replace(NAME, "NAME"), words)
    for words in (
        ("trace", NAME),
        ("why", NAME),
        ("compare", NAME),
        ("report", NAME, "-o", f"{NAME}.html"),
        *(("export", NAME, "--format", form) for form in ("csv", "parquet", "inspect", "hf")),
        *(("export", NAME, "--format", form, "-o", f"x{NAME}") for form in ("hf", "otel")),
    )
]


@pytest.mark.parametrize("command", named(READERS))
def test_a_run_is_read_and_exported(here: Path, command: tuple[str, ...]) -> None:
    del here
    if "parquet" in command or "hf" in command:
        pytest.importorskip("pyarrow")
    if "inspect" in command:
        pytest.importorskip("inspect_ai")
    played(*command)


def test_a_build_records_the_name_of_its_source(here: Path) -> None:
    photo_folder(here / f"photos{NAME}")
    command = ("build", f"photos{NAME}", "--scenario", "rod", "--out", f"out{NAME}")
    assert "--data outcaf\N{REPLACEMENT CHARACTER}" in played(*command).stdout
    record = json.loads((here / f"out{NAME}" / "build.json").read_bytes())
    assert record["scenarios"]["rod"]["source"] == f"photos{NAME}"
    played(*command, "--force")  # reads it


@pytest.mark.parametrize("option", ["--data", "--provider"])
def test_a_setting_that_cannot_be_recorded_is_refused(here: Path, option: str) -> None:
    data = {"--provider": "baseline:oracle", "--data": f"data{NAME}"}
    write_samples(here / f"data{NAME}", "coco", [ordinary("coco")])
    replay = {"--provider": f"replay:{NAME}/episodes.jsonl"}
    options = data if option == "--data" else replay
    words = [word for pair in options.items() for word in pair]
    message = refusal("run", *words, "--out", "out")
    assert f"{option[2:]}: " in message
    assert "is not UTF-8, so it cannot be recorded" in message
    assert not (here / "out").exists()
