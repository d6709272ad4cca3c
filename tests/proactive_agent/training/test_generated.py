"""Train splits of generated scenes: `train --data fresh:train`."""

import warnings
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("datasets", reason="needs the extra `train`")

from proactive_agent.providers.local.adapters import CONFIG, base_of
from proactive_agent.providers.local.aliases import resolve
from proactive_agent.scenarios.fresh.source import (
    TRAIN_SEED,
    FreshSource,
    SourceError,
    parse_source,
    parse_train_source,
)
from proactive_agent.scenarios.fresh.written import WriteSettings, write
from proactive_agent.tools import UserError
from proactive_agent.training import session
from proactive_agent.training.generated import generate_split
from proactive_agent.training.rows import read_split
from proactive_agent.training.settings import TrainingSettings

SMALL = ":n=4:px=96"


def test_generated_rows_are_those_that_data_fresh_writes(tmp_path: Path) -> None:
    source = parse_train_source(f"fresh:5{SMALL}")
    for _ in write(WriteSettings(source, tmp_path / "written", train_share=1.0)):
        pass
    written = read_split(str(tmp_path / "written"))
    read: list[int] = []
    made = generate_split(f"fresh:5{SMALL}", (), read.append)
    assert [replace(row, place="") for row in made.rows] == [
        replace(row, place="") for row in written.rows
    ]
    assert made.pictures["images"] == written.pictures["images"]
    assert sum(read) == len(made.rows) == 2 * 4 * 7


def test_only_the_scenarios_of_the_training_are_generated() -> None:
    split = generate_split(f"fresh:train{SMALL}", ("rod",), lambda done: None)
    assert {row.scenario for row in split.rows} == {*split.files} == {"rod"}
    assert [row.clear for row in split.rows] == [False, True] * 4
    assert split.rows[2].place == f"fresh:{TRAIN_SEED}:seen:n=4:px=96, rod, row 1"
    (picture,) = split.pictures_of(split.rows[0])
    assert picture.size == (96, 96)


def test_training_scenes_hold_no_held_out_things() -> None:
    assert parse_train_source("fresh:train") == FreshSource(TRAIN_SEED, things="seen")
    assert parse_train_source("fresh:3:hard").things == "seen"
    with pytest.raises(SourceError, match=r"fresh:3:unseen.*drop :unseen"):
        parse_train_source("fresh:3:unseen")


def test_a_run_needs_a_seed() -> None:
    with pytest.raises(SourceError, match=r"fresh:train.*is for `train`; expected a seed"):
        parse_source("fresh:train")


def test_training_and_test_data_have_different_seeds(tmp_path: Path) -> None:
    settings = TrainingSettings.of(model="nano", data="fresh:3:seen", eval_data="fresh:3:hard")
    with pytest.raises(UserError, match=r"the test data \(fresh:3:hard\) have the same seed, 3;"):
        session.check(settings, tmp_path / "out")


@pytest.mark.local
def test_an_adapter_of_nano_names_it_by_its_short_name(tmp_path: Path) -> None:
    settings = TrainingSettings.of(
        model="nano", data=f"fresh:5{SMALL}", scenarios=("rod",), batch_size=8, max_steps=1,
        device="cpu", eval_limit=0, held_out=0, max_tokens=4, save_every=0,
    )  # fmt: skip
    with warnings.catch_warnings():
        # peft would look for a base of this name on the Hub, and warn that there is none.
        warnings.filterwarnings("error", message="Could not find a config file")
        session.train(settings, tmp_path / "asks")
    base = base_of(tmp_path / "asks")
    assert base is not None
    assert base.source == resolve("nano")
    assert resolve("nano").location not in (tmp_path / "asks" / CONFIG).read_text()
