"""Builds that fail, that are repeated and that are cancelled."""

import json
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

from proactive_agent.scenarios.builder import (
    Appearance,
    BuildError,
    BuildReport,
    BuildSettings,
    SkippedItem,
    build,
)
from proactive_agent.scenarios.builder.output import BuildManifest
from proactive_agent.tools import MissingExtraError
from tests.scenarios.builder.material import (
    LABELS,
    built,
    content,
    drawings,
    lines_of,
    photo,
    photo_folder,
    photo_list,
    text_file,
    video_list,
    view_folder,
)

STEM = "Realistic-Occlusion-Dataset"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return photo_folder(tmp_path / "photos")


def skips(events: list[object]) -> list[str]:
    return [event.why for event in events if isinstance(event, SkippedItem)]


def beside(out: Path) -> list[str]:
    """Returns the entries of the build's parent folder."""
    return sorted(path.name for path in out.parent.iterdir())


# Items that are left out -------------------------------------------------------------------------


def test_a_broken_picture_is_left_out_and_counted(photos: Path, tmp_path: Path) -> None:
    broken = photos / LABELS[0] / "0.png"
    broken.write_bytes(broken.read_bytes()[:300])
    events = built(tmp_path / "out", {"rod": photos})
    assert len(skips(events)) == 1
    assert str(broken) in skips(events)[0]
    (report,) = [event for event in events if isinstance(event, BuildReport)]
    assert (report.counts.samples, report.counts.skipped) == (9, 1)
    assert len(lines_of(tmp_path / "out", STEM)) == 9


@pytest.mark.parametrize(
    ("name", "reason"),
    [("text.png", "not a picture in one of the formats JPEG"), ("tiny.png", "fewer than 32")],
)
def test_why_a_picture_was_left_out(photos: Path, tmp_path: Path, name: str, reason: str) -> None:
    (photos / LABELS[0] / "text.png").write_text("x")
    Image.new("RGB", (31, 200)).save(photos / LABELS[0] / "tiny.png")
    whys = skips(built(tmp_path / "out", {"rod": photos}))
    assert [reason in why for why in whys if name in why] == [True]


def test_a_link_out_of_the_source_is_not_followed(photos: Path, tmp_path: Path) -> None:
    photo(1).save(tmp_path / "secret.png")
    (photos / LABELS[0] / "link.png").symlink_to(tmp_path / "secret.png")
    (why,) = skips(built(tmp_path / "out", {"rod": photos}))
    assert "leads outside" in why


def test_a_picture_that_is_not_there_is_left_out(tmp_path: Path) -> None:
    file = photo_list(tmp_path / "s")
    with file.open("a") as stream:
        stream.write("gone.png,kettle,1,1,9,9\n")
    (why,) = skips(built(tmp_path / "out", {"rod": file}))
    assert "line 12" in why
    assert "gone.png" in why


def test_a_box_outside_the_picture_is_left_out(tmp_path: Path) -> None:
    file = photo_list(tmp_path / "s")
    with file.open("a") as stream:
        stream.write("0-0.png,kettle,500,500,9,9\n")
    (why,) = skips(built(tmp_path / "out", {"rod": file}))
    assert "is outside the picture of 160 x 120 pixels" in why


def test_one_view_alone_is_left_out(tmp_path: Path) -> None:
    views = view_folder(tmp_path / "views")
    (views / LABELS[0] / "two").mkdir()
    photo(0).save(views / LABELS[0] / "two" / "0.png")
    (why,) = skips(built(tmp_path / "out", {"mvp-n": views}))
    assert "1 views; at least 2 are needed" in why


def test_numbers_do_not_change_with_what_is_left_out(photos: Path, tmp_path: Path) -> None:
    (photos / LABELS[0] / "0.png").write_bytes(b"")
    built(tmp_path / "out", {"rod": photos}, Appearance(variants=2))
    ids = [fields["id"] for fields in lines_of(tmp_path / "out", STEM)]
    every = set(range(20))
    assert len(ids) == 18
    assert len(every - set(ids)) == 2


def test_vsod_plays_the_frames_of_a_video(tmp_path: Path) -> None:
    videos = view_folder(tmp_path / "videos", views=9)
    built(tmp_path / "out", {"vsod": videos}, Appearance(frames=6))
    samples = lines_of(tmp_path / "out", "OcclusionDataSet-MM20")
    assert [fields["num_images"] for fields in samples] == [6] * 5


def test_a_video_of_two_frames_is_enough_for_changeit(tmp_path: Path) -> None:
    built(tmp_path / "out", {"changeit": video_list(tmp_path / "s", frames=2)})
    samples = lines_of(tmp_path / "out", "ChangeIt")
    assert [(f["first_image"], f["reference_image"]) for f in samples[:2]] == [(0, 1), (1, 0)]


def test_videos_whose_frames_differ_in_size_are_left_out(tmp_path: Path) -> None:
    videos = view_folder(tmp_path / "videos", views=5)
    photo(0, (90, 60)).save(videos / LABELS[0] / "one" / "view2.png")
    (why,) = skips(built(tmp_path / "out", {"vsod": videos}))
    assert "not all of one size" in why


# Builds that are refused -------------------------------------------------------------------------


def refused(tmp_path: Path, sources: dict[str, Path], **options: object) -> str:
    """Checks that nothing was left behind and returns the reason."""
    before = beside(tmp_path / "out")
    with pytest.raises(BuildError) as error:
        built(tmp_path / "out", sources, **options)
    assert beside(tmp_path / "out") == before
    return str(error.value)


def test_coco_invents_no_box(photos: Path, tmp_path: Path) -> None:
    message = refused(tmp_path, {"coco": photos})
    assert "coco needs the object's box" in message
    assert "0.png" in message


def test_a_row_without_a_box_is_named(tmp_path: Path) -> None:
    file = photo_list(tmp_path / "s")
    with file.open("a") as stream:
        stream.write("0-0.png,kettle\n")
    assert f"{file}, line 12: coco needs" in refused(tmp_path, {"coco": file})


def test_changeit_guesses_no_frame(tmp_path: Path) -> None:
    message = refused(tmp_path, {"changeit": view_folder(tmp_path / "views")})
    assert "changeit needs the informative frame" in message


def test_too_few_labels(tmp_path: Path) -> None:
    source = photo_folder(tmp_path / "s", labels=("a cup", "dog", "owl"))
    assert "at least 4 labels" in refused(tmp_path, {"rod": source})


def test_clashing_labels(tmp_path: Path) -> None:
    source = photo_folder(tmp_path / "s", labels=("hot_dog", "Hotdog", "owl", "cup"))
    assert "reads like" in refused(tmp_path, {"rod": source})


def test_an_empty_source(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    assert "contains nothing from which rod" in refused(tmp_path, {"rod": tmp_path / "s"})


def test_a_source_that_is_not_there(tmp_path: Path) -> None:
    assert "does not exist" in refused(tmp_path, {"rod": tmp_path / "nowhere"})


def test_a_folder_inside_the_source(photos: Path) -> None:
    with pytest.raises(BuildError, match="is inside the source"):
        built(photos / "out", {"rod": photos})


def test_an_occluder_that_is_no_picture(photos: Path, tmp_path: Path) -> None:
    file = text_file(tmp_path / "wall.png", ["x"])
    assert "wall.png" in refused(tmp_path, {"rod": photos}, look=Appearance(occluder=file))


def test_nothing_could_be_built(tmp_path: Path) -> None:
    source = photo_folder(tmp_path / "s", each=1)
    for file in source.rglob("*.png"):
        file.write_bytes(b"")
    assert "no sample" in refused(tmp_path, {"rod": source})


@pytest.mark.parametrize(
    ("scenario", "module", "options"),
    [("imagenet-c", "imagecorruptions", {}), ("rod", "datasets", {"train_share": 0.5})],
)
def test_a_missing_extra_is_named(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scenario: str, module: str,
    options: dict[str, float],
) -> None:  # fmt: skip
    import sys

    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=r"pip install .*\[build\]"):
        built(tmp_path / "out", {scenario: photos}, **options)


# The folder --------------------------------------------------------------------------------------


def test_a_folder_that_is_not_empty_is_refused(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    assert "--force" in refused(tmp_path, {"rod": photos})


def test_force_does_not_touch_what_no_build_made(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    assert "it is not an earlier build" in refused(tmp_path, {"rod": photos}, force=True)
    assert content(tmp_path / "out") == {"mine.txt": b"mine"}


def test_force_removes_only_what_the_build_made(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    built(out, {"rod": photos, "quickdraw": drawings(tmp_path / "d.ndjson")})
    mine = ["mine.txt", "test/protocol.json", "test/QuickDraw/000000/notes.txt"]
    for name in mine:
        (out / name).write_text("mine")
    built(out, {"rod": photos}, limit=7, force=True)
    fresh = tmp_path / "fresh"
    built(fresh, {"rod": photos}, limit=7)
    assert content(out) == content(fresh) | dict.fromkeys(mine, b"mine")


def test_a_manifest_cannot_name_foreign_files(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    built(out, {"rod": photos})
    victim = text_file(tmp_path / "victim.parquet", ["x"])
    manifest = json.loads((out / "build.json").read_text())
    manifest["shards"] = ["../../victim.parquet"]
    manifest["scenarios"]["../.."] = manifest["scenarios"]["rod"]
    (out / "build.json").write_text(json.dumps(manifest))
    built(out, {"rod": photos}, force=True)
    assert victim.exists()


def test_a_build_that_is_given_up_leaves_nothing(photos: Path, tmp_path: Path) -> None:
    before = beside(tmp_path / "out")
    with closing(build(BuildSettings(sources={"rod": photos}, out=tmp_path / "out"))) as steps:
        next(steps)
        assert beside(tmp_path / "out") != before
    assert beside(tmp_path / "out") == before


def test_a_build_that_is_given_up_leaves_the_earlier_one(photos: Path, tmp_path: Path) -> None:
    built(tmp_path / "out", {"rod": photos})
    before = content(tmp_path / "out")
    settings = BuildSettings(sources={"rod": photos}, out=tmp_path / "out", seed=9, force=True)
    with closing(build(settings)) as steps:
        next(steps)
    assert content(tmp_path / "out") == before


def test_the_manifest_tells_what_was_built(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    built(out, {"rod": photos}, seed=5, look=Appearance(size=100))
    manifest = BuildManifest.model_validate_json((out / "build.json").read_bytes())
    assert manifest.seed == 5
    assert manifest.settings["size"] == 100
    assert "pillow" in manifest.libraries
    assert manifest.scenarios["rod"].model_dump(exclude={"sources_sha256"}) == {
        "source": "photos", "items": 10, "samples": 10, "train_rows": 0, "skipped": 0,
    }  # fmt: skip


def test_a_limit_takes_items_of_every_class(photos: Path, tmp_path: Path) -> None:
    built(tmp_path / "out", {"rod": photos}, limit=5)
    answers = [fields["answer"] for fields in lines_of(tmp_path / "out", STEM)]
    assert len(set(answers)) == 5


def test_the_bound_on_the_size_holds(photos: Path, tmp_path: Path) -> None:
    built(tmp_path / "out", {"rod": photos}, Appearance(size=100), limit=1)
    sizes = set()
    for file in (tmp_path / "out").rglob("*.webp"):
        with Image.open(file) as image:
            sizes.add(image.size)
    assert sizes == {(100, 75)}
