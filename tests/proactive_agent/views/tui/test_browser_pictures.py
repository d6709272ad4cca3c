"""Half-block pictures and the strip of frames."""

import asyncio
from pathlib import Path
from typing import NamedTuple

import pytest

pytest.importorskip("textual", reason="needs the extra `view`")

from PIL import Image
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.containers import Container
from textual.geometry import Size
from textual.strip import Strip

from proactive_agent.records.manifest import Settings
from proactive_agent.scenarios import ImageRef
from proactive_agent.views.tui.frames import FrameSource, SampleFrames, frame_strip
from proactive_agent.views.tui.picture import BlocksImage
from tests.proactive_agent.running import play_new

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


class OnePicture(App[None]):
    """An app with one picture in a container."""

    CSS = "BlocksImage { width: auto; height: auto; }"

    def __init__(self, picture: Image.Image) -> None:
        super().__init__()
        self.drawn = BlocksImage()
        self.drawn.image = picture

    def compose(self) -> ComposeResult:
        with Container():
            yield self.drawn


class Drawn(NamedTuple):
    """The size and the first row of a drawn picture."""

    size: Size
    first_row: Strip


def drawn(picture: Image.Image, room: tuple[int, int]) -> Drawn:
    app = OnePicture(picture)

    async def go() -> Drawn:
        async with app.run_test(size=room) as pilot:
            await pilot.pause()
            return Drawn(app.drawn.size, app.drawn.render_line(0))

    return asyncio.run(go())


def test_each_cell_shows_two_pixels() -> None:
    picture = Image.new("RGB", (2, 2))
    for place, colour in {(0, 0): RED, (1, 0): GREEN, (0, 1): BLUE, (1, 1): WHITE}.items():
        picture.putpixel(place, colour)
    styles = [segment.style for segment in drawn(picture, (2, 1)).first_row]
    assert [s and s.color and s.color.triplet for s in styles] == [RED, GREEN]
    assert [s and s.bgcolor and s.bgcolor.triplet for s in styles] == [BLUE, WHITE]


@pytest.mark.parametrize(
    ("picture", "size"),
    [((100, 100), (20, 10)), ((400, 100), (40, 5)), ((1, 900), (1, 10))],
)
def test_proportions_are_kept(picture: tuple[int, int], size: tuple[int, int]) -> None:
    assert drawn(Image.new("RGB", picture), (40, 10)).size == Size(*size)


# The strip of frames -----------------------------------------------------------------------------


def sample(count: int, reference: int | None, *, is_ring: bool = False) -> SampleFrames:
    frames = tuple(ImageRef(f"{number}.png") for number in range(count))
    return SampleFrames(frames, None if reference is None else frames[reference], is_ring)


def strip(of: SampleFrames, present: int, seen: list[int], width: int = 60) -> str:
    shown = [of.frames[number] for number in seen]
    return frame_strip(of, of.frames[present], shown, width).plain


def test_the_strip_marks_what_was_seen_what_is_shown_and_what_shows_enough() -> None:
    assert strip(sample(5, 4), 2, [1]) == "· • [3] · ★  3/5"
    assert strip(sample(3, 0, is_ring=True), 0, []) == "[1] · ·  ring 1/3 ★"
    assert strip(sample(2, None), 1, [0]) == "• [2]  2/2"


@pytest.mark.parametrize("present", [0, 1, 57, 115, 229])
@pytest.mark.parametrize("width", [30, 80])
def test_of_many_frames_those_around_the_present_one_show(present: int, width: int) -> None:
    text = strip(sample(230, 115), present, [], width)
    assert f"[{present + 1}]" in text
    assert f"{present + 1}/230" in text
    assert cell_len(text) <= width
    assert text.startswith("… ") == (present > width // 4)


def test_a_frame_that_the_sample_does_not_have_is_said_so() -> None:
    assert (
        "not one of the sample's frames" in frame_strip(sample(3, 0), ImageRef("x"), [], 60).plain
    )


def test_a_clear_picture_has_the_size_that_the_model_saw(tmp_path: Path) -> None:
    settings = Settings(
        provider="baseline:never-ask", protocol="mcqa", condition="clear", scenarios=("coco",),
        limit=4,
    )  # fmt: skip
    run = play_new(settings, tmp_path / "run")
    frames = FrameSource(run.read_manifest())
    for episode in run.episodes():
        shown = episode.turns[0].image
        picture = frames.picture(shown)
        assert isinstance(picture, Image.Image)
        assert picture.size == shown.size
