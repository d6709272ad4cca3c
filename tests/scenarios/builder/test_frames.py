"""The frames of a single sample."""

import random
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageDraw

from proactive_agent.scenarios.builder import SkipError
from proactive_agent.scenarios.builder.changeit import build_changeit, sampled
from proactive_agent.scenarios.builder.items import Box, Built
from proactive_agent.scenarios.builder.mvp_n import build_mvp_n, order_of_views
from proactive_agent.scenarios.builder.quickdraw import build_quickdraw
from proactive_agent.scenarios.builder.rod import build_rod
from proactive_agent.scenarios.builder.sliding import opaque_rectangle
from proactive_agent.scenarios.builder.vsod import build_vsod

SIZE = (160, 120)
MAGENTA = (255, 0, 255)
"""A colour that no occluder has."""
BOX = Box(60, 40, 90, 76)


def scene(box: Box = BOX) -> Image.Image:
    """Returns a grey scene with the box in magenta."""
    image = Image.new("RGB", SIZE, (120, 120, 120))
    image.paste(MAGENTA, box)
    return image


def magenta(image: Image.Image) -> int:
    """Returns how many pixels have the object's colour."""
    difference = ImageChops.difference(image, Image.new("RGB", image.size, MAGENTA))
    most = ImageChops.lighter(
        ImageChops.lighter(difference.getchannel(0), difference.getchannel(1)),
        difference.getchannel(2),
    )
    return most.histogram()[0]


def frames(built: Built) -> dict[str, Image.Image]:
    return {frame.name: frame.image for frame in built.frames}


def layer(draw: Callable[[ImageDraw.ImageDraw], None]) -> Image.Image:
    """An occluder of 100 x 80 pixels."""
    image = Image.new("RGBA", (100, 80))
    draw(ImageDraw.Draw(image))
    return image


def disc() -> Image.Image:
    return layer(lambda draw: draw.ellipse((0, 0, 99, 79), fill=(10, 90, 40, 255)))


boxes = st.builds(
    lambda x, y, w, h: Box(x, y, min(x + w, SIZE[0]), min(y + h, SIZE[1])),
    st.integers(0, 150), st.integers(0, 110), st.integers(1, 160), st.integers(1, 120),
)  # fmt: skip


@settings(deadline=None)
@given(boxes, st.integers(0, 10**6))
def test_rod_hides_the_box_at_first_and_shows_all_of_it_at_last(box: Box, seed: int) -> None:
    built = build_rod(scene(box), box, random.Random(seed))
    shown = frames(built)
    assert magenta(shown[str(built.fields["first_image"])]) == 0
    assert magenta(shown[str(built.fields["reference_image"])]) == box.area
    assert len(shown) == built.fields["num_images"] == 14


def test_rod_with_a_given_occluder_hides_the_box() -> None:
    shown = frames(build_rod(scene(), BOX, random.Random(0), occluder=disc()))
    assert (magenta(shown["7"]), magenta(shown["0"])) == (0, BOX.area)


def test_rod_without_a_box_hides_the_middle_and_frees_everything() -> None:
    image = Image.new("RGB", SIZE, MAGENTA)
    shown = frames(build_rod(image, None, random.Random(0)))
    assert magenta(shown["7"].crop((16, 12, 144, 108))) == 0
    assert magenta(shown["0"]) == SIZE[0] * SIZE[1]


def test_a_mask_is_sharper_than_a_box() -> None:
    mask = Image.new("L", SIZE)
    ImageDraw.Draw(mask).ellipse(BOX, fill=255)
    image = Image.new("RGB", SIZE, (120, 120, 120))
    image.paste(MAGENTA, mask=mask)
    shown = frames(build_rod(image, None, random.Random(0), mask=mask))
    assert magenta(shown["7"]) == 0
    assert magenta(shown["0"]) == magenta(image)


def test_an_occluder_that_one_can_see_through_is_refused() -> None:
    glass = layer(lambda draw: draw.rectangle((0, 0, 99, 79), fill=(10, 90, 40, 250)))
    with pytest.raises(SkipError, match="nowhere opaque"):
        build_rod(scene(), BOX, random.Random(0), occluder=glass)


@settings(deadline=None)
@given(boxes, st.integers(4, 15), st.integers(0, 10**6))
def test_vsod_hides_the_box_at_first_and_shows_all_of_it_at_last(
    box: Box, count: int, seed: int
) -> None:
    built = build_vsod([scene(box)] * count, box, random.Random(seed))
    shown = frames(built)
    assert magenta(shown[f"{built.fields['first_image']:04d}"]) == 0
    assert magenta(shown[f"{built.fields['reference_image']:04d}"]) == box.area


def test_vsod_keeps_the_order_of_a_video() -> None:
    scenes = [Image.new("RGB", SIZE, (shade, 0, 0)) for shade in range(0, 100, 10)]
    shown = frames(build_vsod(scenes, Box(70, 50, 80, 60), random.Random(1), passer=disc()))
    # The upper left corner is never passed.
    assert [shown[f"{i:04d}"].getpixel((0, 0)) for i in range(10)] == [
        (shade, 0, 0) for shade in range(0, 100, 10)
    ]


def test_the_opaque_rectangle_of_a_disc_lies_in_it() -> None:
    box = opaque_rectangle(disc())
    assert disc().getchannel("A").crop(box).getextrema() == (255, 255)
    assert box.area > 0.45 * 100 * 80


strokes = st.lists(
    st.lists(st.tuples(st.integers(-900, 900), st.integers(-900, 900)), min_size=1, max_size=6),
    min_size=2,
    max_size=6,
)


@settings(deadline=None)
@given(strokes)
def test_quickdraw_only_adds_ink(drawing: list[list[tuple[int, int]]]) -> None:
    built = build_quickdraw([tuple(stroke) for stroke in drawing], side=64)
    shown = list(frames(built).values())
    assert len(shown) == len(drawing) == built.fields["num_images"]
    for before, after in pairwise(shown):
        assert ImageChops.darker(before, after) == after


def test_quickdraw_frames_are_kept_without_loss() -> None:
    assert build_quickdraw([((0, 0), (9, 9)), ((0, 9),)]).lossless


def test_one_stroke_is_no_sample() -> None:
    with pytest.raises(SkipError, match="one stroke"):
        build_quickdraw([((0, 0), (9, 9))])


def test_mvp_n_shows_the_informative_view_last() -> None:
    views = [Image.new("RGB", (8, 8), (shade, 0, 0)) for shade in range(3)]
    order = order_of_views(3, informative=0)
    built = build_mvp_n((views[i] for i in order), 3)
    assert {name: image.getpixel((0, 0)) for name, image in frames(built).items()} == {
        "0_0000": (1, 0, 0), "0_0001": (2, 0, 0), "1_0002": (0, 0, 0),
    }  # fmt: skip


def test_of_many_views_six_are_shown() -> None:
    assert order_of_views(20, informative=3) == [0, 4, 8, 12, 16, 3]


def test_a_video_keeps_its_first_and_its_informative_frame_when_it_is_sampled() -> None:
    for first, informative in ((0, 57), (99, 50), (33, 34)):
        chosen = sampled(100, {first, informative}, 10)
        assert {first, informative} <= set(chosen)
        assert chosen == sorted(set(chosen))
        assert len(chosen) == 10


def test_changeit_refuses_a_frame_that_cannot_be_reached() -> None:
    views = [Image.new("RGB", (8, 8))] * 5
    with pytest.raises(ValueError, match="not reached"):
        build_changeit(views, 5, first=0, informative=3, step_size=2)


def test_changeit_with_larger_steps_allows_a_walk_through_the_video() -> None:
    fields = build_changeit([], 9, first=0, informative=8, step_size=2).fields
    assert (fields["step_size"], fields["max_steps"]) == (2, 5)


def test_a_source_is_turned_upright(tmp_path: Path) -> None:
    from proactive_agent.scenarios.builder.picture import open_rgb

    image = Image.new("RGB", (60, 40))
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    image.save(tmp_path / "a.jpg", exif=exif)
    assert open_rgb(tmp_path, "a.jpg").size == (40, 60)


def test_transparency_becomes_white(tmp_path: Path) -> None:
    from proactive_agent.scenarios.builder.picture import open_rgb

    Image.new("RGBA", (40, 40), (0, 0, 0, 0)).save(tmp_path / "a.png")
    assert open_rgb(tmp_path, "a.png").getpixel((5, 5)) == (255, 255, 255)
