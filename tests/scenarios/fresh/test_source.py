"""The text that names generated data."""

import re
from pathlib import Path
from typing import get_args

import click
import pytest

from proactive_agent.cli.data import fresh
from proactive_agent.scenarios.fresh.source import (
    SIZES,
    Difficulty,
    FreshSource,
    SourceError,
    parse_source,
)
from proactive_agent.scenarios.open_data import canonical_name, open_data, resolve_data


@pytest.mark.parametrize(
    "text", ["fresh:7", "fresh:0:hard", "fresh:7:easy:unseen:n=500:px=128", "fresh:7:seen:n=1"]
)
def test_a_source_is_written_as_it_is_read(text: str) -> None:
    assert str(parse_source(text)) == text


def test_parts_come_in_any_order_and_defaults_are_left_out() -> None:
    source = parse_source("fresh:07:px=128:n=200:all:hard")
    assert source == FreshSource(7, "hard", size=128)
    assert str(source) == "fresh:7:hard:px=128"


@pytest.mark.parametrize(
    "text",
    [
        "fresh:", "fresh:x", "fresh:-1", "fresh:7:", "fresh:7:harder", "fresh:7:n=", "fresh:7:n=0",
        "fresh:7:px=8", "fresh:7:px=9999", "fresh:99999999999999999999", "fresh:7:m=3", "fresh:٣",
        "fresh:9223372036854775808", "fresh:7:n=1000001", "fresh:7:easy:hard", "fresh:7:n=1:n=2",
        "fresh:7:seen:unseen",
    ],
)  # fmt: skip
def test_other_texts_are_refused_by_name(text: str) -> None:
    with pytest.raises(SourceError, match=re.escape(text)):
        parse_source(text)


def test_settings_record_the_whole_name_and_absolute_paths(tmp_path: Path) -> None:
    assert canonical_name("fresh:07:normal") == "fresh:7"
    assert canonical_name(tmp_path) == str(tmp_path)
    assert canonical_name(None) is None


def test_the_command_has_the_limits_and_defaults_of_a_source() -> None:
    # The command repeats them, because its help must not load the generator.
    options = {option.name: option for option in fresh.params}
    default = FreshSource(0)
    difficulties, sizes = options["difficulty"].type, options["size"].type
    assert isinstance(difficulties, click.Choice)
    assert isinstance(sizes, click.IntRange)
    assert tuple(difficulties.choices) == get_args(Difficulty)
    assert (sizes.min, sizes.max) == SIZES
    assert options["difficulty"].default == default.difficulty
    assert options["size"].default == default.size
    assert options["per_scenario"].default == default.samples


def test_a_plan_names_a_seed_or_a_folder_beside_it(tmp_path: Path) -> None:
    assert str(resolve_data(tmp_path / "plan.yaml", "fresh:7")) == "fresh:7"
    assert resolve_data(tmp_path / "plan.yaml", "scenes") == tmp_path / "scenes"


def test_data_are_opened_by_their_name() -> None:
    data = open_data("fresh:7:n=3")
    assert (data.source, data.embedded, data.generated) == ("fresh:7:n=3", False, True)
    assert open_data(None).embedded


@pytest.mark.parametrize("named", ["fresh", "Fresh:7"])
def test_a_misspelt_name_is_told_from_a_missing_folder(named: str) -> None:
    with pytest.raises(SourceError, match="fresh:SEED"):
        open_data(named)


def test_training_takes_generated_scenes() -> None:
    from proactive_agent.training.episodes import read_episodes
    from proactive_agent.training.selection import comparison_data

    found = read_episodes("fresh:3:seen:n=4:px=96")
    assert len(found.rows) == 4 * len(found.data.scenarios())
    assert all(picture.mode == "RGB" for picture in found.pictures_of(found.rows[0]))
    assert [data.source for data in comparison_data("rows", "fresh:4:unseen")] == ["fresh:4:unseen"]
