"""The pack that ships: complete, small, balanced, and with known authors and licences."""

import csv
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from proactive_agent.scenarios.fresh.pack import (
    SHADOW_REACH,
    SHIPPED,
    SKETCH_SIDE,
    Thing,
    ThingModel,
    View,
    load_pack,
)

PACK = load_pack()
TABLES = Path(__file__).parents[3] / "scenarios/suite_build/fresh"
MOST_BYTES = 10_000_000
LICENCES = {"CC0 1.0", "CC-BY 3.0", "CC-BY 3.0 US"}
HELD_OUT = (0.15, 0.25)
"""Share of the groups that never appear in a train share."""


def things() -> Iterator[Thing]:
    for group in PACK.groups:
        yield from group.things


def models() -> Iterator[ThingModel]:
    for thing in things():
        yield from thing.models


def views() -> Iterator[View]:
    for model in models():
        yield from model.views


def test_it_is_small_enough_for_the_package() -> None:
    assert sum(file.stat().st_size for file in SHIPPED.iterdir()) <= MOST_BYTES


def test_it_consists_of_three_files() -> None:
    names = {file.name for file in SHIPPED.iterdir()}
    assert names == {"index.json", "pictures.zip", "CREDITS.md"}


def test_every_picture_is_listed_once_and_is_there() -> None:
    listed = [view.file for view in views()]
    listed += [view.shadow for view in views() if view.shadow is not None]
    listed += [plate.file for plate in PACK.plates] + [cover.file for cover in PACK.covers]
    assert sorted(listed) == list(PACK.files())


def test_the_archive_depends_on_its_pictures_only() -> None:
    with zipfile.ZipFile(SHIPPED / "pictures.zip") as archive:
        entries = archive.infolist()
    assert {entry.compress_type for entry in entries} == {zipfile.ZIP_STORED}
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert [entry.filename for entry in entries] == list(PACK.files())


def test_names_of_things_and_groups_are_unique() -> None:
    names = [thing.name for thing in things()]
    assert len(set(names)) == len(names) == 4 * len(PACK.groups)
    groups = [group.name for group in PACK.groups]
    assert len(set(groups)) == len(groups)


def test_a_model_shows_one_thing_only() -> None:
    keys = [model.key for model in models()]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("thing", list(things()), ids=lambda thing: thing.name)
def test_every_model_has_two_views_with_shadows(thing: Thing) -> None:
    assert thing.models
    for model in thing.models:
        assert model.views[0].kind == "three-quarter", model.key
        assert len(model.views) >= 2, model.key
        assert all(view.shadow for view in model.views), model.key


def test_views_are_listed_once() -> None:
    for model in models():
        found = [view.kind for view in model.views]
        assert len(set(found)) == len(found), model.key


def test_boxes_are_those_of_the_decoded_pixels() -> None:
    for view in list(views())[::7]:
        pixels = PACK.pixels(view.file)
        assert pixels.shape[0] == pixels.shape[1]
        assert _box(pixels[:, :, 3] > 0) == view.box, view.file


def test_every_cutout_is_seen_and_framed() -> None:
    for view in views():
        left, top, right, bottom = view.box
        side = PACK.pixels(view.file).shape[0]
        assert 0 < left < right < side, view.file
        assert 0 < top < bottom < side, view.file
        assert max(right - left, bottom - top) >= 0.8 * side, view.file


def test_shadows_lie_at_the_foot_of_their_thing() -> None:
    for view in list(views())[::7]:
        if view.shadow is None:
            continue
        shadow = PACK.pixels(view.shadow)
        assert shadow.ndim == 2
        assert shadow.shape[0] == shadow.shape[1]
        assert shadow.max() > 30, view.file
        assert max(shadow[0].max(), shadow[:, 0].max()) <= 4, view.file  # WebP is lossy
        rows = np.nonzero(shadow.max(1) > shadow.max() / 2)[0] / shadow.shape[0]
        foot = 0.5 + (view.box[3] / PACK.pixels(view.file).shape[0] - 0.5) / SHADOW_REACH
        assert rows.min() < foot + 0.1, view.file


def _box(mask: "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]") -> tuple[int, ...]:
    rows, columns = np.nonzero(mask.any(1))[0], np.nonzero(mask.any(0))[0]
    return (
        int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1,
    )  # fmt: skip


def test_rooms_say_where_the_table_and_the_light_are() -> None:
    assert {plate.sun for plate in PACK.plates if plate.stage == "high"} == {-1, 1}
    for plate in PACK.plates:
        assert PACK.pixels(plate.file).shape == (640, 640, 3)
        assert 0.3 < plate.edge < 0.7


def test_covers_are_opaque_in_their_box() -> None:
    for cover in PACK.covers:
        left, top, right, bottom = cover.opaque
        assert (PACK.pixels(cover.file)[top:bottom, left:right, 3] == 255).all(), cover.name


def test_no_cover_is_also_a_category() -> None:
    keys = {model.key for model in models()}
    assert not keys & {cover.model for cover in PACK.covers}


def test_a_fifth_of_the_groups_is_held_out() -> None:
    for groups in (PACK.groups, PACK.sketches):
        share = sum(group.held_out for group in groups) / len(groups)
        assert HELD_OUT[0] <= share <= HELD_OUT[1]


def test_sketches_are_unique_and_inside_their_square() -> None:
    names = [sketch.name for group in PACK.sketches for sketch in group.sketches]
    assert len(set(names)) == len(names)
    for group in PACK.sketches:
        for sketch in group.sketches:
            assert len(sketch.strokes) >= 4, sketch.name
            for stroke in sketch.strokes:
                assert len(stroke) >= 4, sketch.name
                assert len(stroke) % 2 == 0, sketch.name
                assert min(stroke) >= -100, sketch.name
                assert max(stroke) <= SKETCH_SIDE + 100, sketch.name


def test_authors_and_licences_are_known_and_credited() -> None:
    credits = (SHIPPED / "CREDITS.md").read_text("utf-8")
    for source in (*models(), *PACK.index.sources):
        assert source.licence in LICENCES, source.key
        assert source.creator, source.key
        assert f"`{source.key}`) | {source.creator} |" in credits, source.key
    known = {source.key for source in PACK.index.sources}
    assert {cover.model for cover in PACK.covers if cover.model} <= known


def table(name: str) -> list[dict[str, str]]:
    """Returns the lines of a table from which the pack is made."""
    with (TABLES / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_the_pack_is_the_one_of_its_tables() -> None:
    listed = [
        (row["group"], row["thing"], row["colour"] == "natural") for row in table("things.tsv")
    ]
    found = [(group.name, thing.name, thing.natural) for group in PACK.groups
             for thing in group.things]  # fmt: skip
    assert sorted(found) == sorted(listed)
    models_listed = {(row["thing"], row["model"]) for row in table("models.tsv")}
    assert {
        (thing.name, model.key) for thing in things() for model in thing.models
    } == models_listed
    drawn = [(group.name, sketch.name) for group in PACK.sketches for sketch in group.sketches]
    assert drawn == [(row["group"], row["name"]) for row in table("sketches.tsv")]
    held_out = {group.name for group in (*PACK.groups, *PACK.sketches) if group.held_out}
    assert held_out == {row["group"] for row in table("held_out.tsv")}


def test_rejected_models_and_views_are_not_shipped() -> None:
    rejected = {(row["model"], row["view"]) for row in table("rejected.tsv")}
    shipped = {(model.key, "") for model in models()} | {
        (cover.model or "", "") for cover in PACK.covers
    }
    shipped |= {(model.key, view.kind) for model in models() for view in model.views}
    assert not shipped & rejected


def test_the_index_has_no_unknown_fields() -> None:
    raw = json.loads((SHIPPED / "index.json").read_text("utf-8"))
    assert set(raw) == set(PACK.index.__struct_fields__)
