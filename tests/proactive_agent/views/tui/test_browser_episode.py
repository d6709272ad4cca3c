"""Episodes in the browser: turns, requests, pictures, hostile text."""

from pathlib import Path

import pytest
from PIL import Image

from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.scenarios import DataFolder
from proactive_agent.terminal.console import plain
from proactive_agent.views.selection import Selection
from proactive_agent.views.tui.frames import FrameSource, ref_of
from proactive_agent.views.tui.picture_screen import PictureScreen
from proactive_agent.views.tui.screens import TextScreen
from tests.hostile.records import EVIL, STEERING, evil_episode
from tests.proactive_agent.run_folders import write_run
from tests.proactive_agent.scripted import sample_of
from tests.proactive_agent.views.tui.browsing import (
    NARROW,
    WIDE,
    Pilot,
    TraceBrowser,
    app_of,
    current,
    frame,
    picture_of,
    played,
    text_of,
    until,
    use,
)
from tests.proactive_agent.written_records import FAILED, episode

# An episode --------------------------------------------------------------------------------------


def test_the_picture_is_that_of_the_chosen_turn(run: RunFolder) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        browser = app_of(pilot)
        await pilot.press("enter", "down", "down")
        record = browser.first.episode
        assert record is not None
        third = frame(ref_of(record.turns[2].image))
        await until(pilot, lambda: picture_of(browser) == third)
        text = text_of(pilot)
        assert f"ring {8 + 2}/14" in text or f"ring {8 - 2}/14" in text
        await pilot.press("end", "up", "home")
        assert browser.first.turns.turn == 0

    use(TraceBrowser(run, Selection()), steps)


def test_a_turn_says_what_was_shown_called_judged_and_done(run: RunFolder) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        await pilot.press("enter")
        text = text_of(pilot)
        record = app_of(pilot).first.episode
        assert record is not None
        for words in (sample_of("rod").prompt, "call    → move_object({", "suggestion correct",
                      f"user    does move_object({record.turns[0].action.argument})"):  # fmt: skip
            assert words in text
        await pilot.press("end")
        await until(pilot, lambda: "end     correct" in text_of(pilot))

    use(TraceBrowser(run, Selection()), steps)


def test_turns_are_folded_and_unfolded(run: RunFolder) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        turns = app_of(pilot).first.turns
        await pilot.press("enter")
        whole = turns.virtual_size.height
        await pilot.press("enter")
        assert "▸ turn 1 of 8" in text_of(pilot)
        assert turns.virtual_size.height < whole
        await pilot.press("z")
        assert turns.virtual_size.height == 8
        await pilot.press("z")
        assert turns.virtual_size.height == whole

    use(TraceBrowser(run, Selection()), steps)


def test_other_episodes_are_reached_from_the_turns(run: RunFolder) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        await pilot.press("enter", "right_square_bracket", "right_square_bracket")
        assert current(pilot) == "vsod:0"
        await pilot.press("left_square_bracket")
        assert current(pilot) == "rod:1"
        await pilot.press("escape", "down")
        assert current(pilot) == "vsod:0"

    use(TraceBrowser(run, Selection()), steps)


def test_an_episode_without_turns_says_why(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", [episode(error={**FAILED, "message": "no luck"})])

    async def steps(pilot: Pilot[None]) -> None:
        await pilot.press("enter", "down", "f", "r", "z")
        assert "end     error: error: timeout (provider): no luck" in text_of(pilot)

    use(TraceBrowser(folder, Selection()), steps)


def test_a_run_without_episodes_can_be_opened(tmp_path: Path) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        await pilot.press("down", "n", "enter", "f", "r", "y", "end", "escape", "s")
        assert "0 episodes" in text_of(pilot)

    use(TraceBrowser(write_run(tmp_path / "run"), Selection()), steps)


def test_the_record_shows_the_request_with_the_conversation_before_it(run: RunFolder) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        await pilot.press("enter", "down", "r")
        await until(pilot, lambda: isinstance(pilot.app.screen, TextScreen))
        screen = pilot.app.screen
        assert isinstance(screen, TextScreen)
        text = screen.text.plain
        before, _, after = text.partition("Recorded parts of the request")
        assert before.count("<picture ") == 2
        assert before.index("── user") < before.index("── model") < before.index("── result of")
        assert sample_of("rod").prompt in before
        assert '"enum": ["right", "left"]' in before
        assert 'finish_reason: "tool_calls"' in after
        assert "other wording" not in before
        await pilot.press("escape")
        assert not isinstance(pilot.app.screen, TextScreen)

    use(TraceBrowser(run, Selection()), steps)


def test_a_request_that_was_worded_otherwise_is_marked(tmp_path: Path) -> None:
    (record,) = played("baseline:never-ask", [("rod", 0)])
    fields = record.model_dump()
    fields["turns"][0]["prompt"] = "What was it again?"
    folder = write_run(tmp_path / "run", [EpisodeRecord.model_validate(fields)])

    async def steps(pilot: Pilot[None]) -> None:
        await pilot.press("r")
        await until(pilot, lambda: isinstance(pilot.app.screen, TextScreen))
        assert "The run used another wording" in text_of(pilot)
        assert 'prompt: "What was it again?"' in text_of(pilot)

    use(TraceBrowser(folder, Selection()), steps)


def test_the_picture_alone_then_all_frames_then_back_at_its_turn(run: RunFolder) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        browser = app_of(pilot)
        await pilot.press("f")
        screen = pilot.app.screen
        assert isinstance(screen, PictureScreen)
        await pilot.press("right")
        record = browser.first.episode
        assert record is not None
        second = frame(ref_of(record.turns[1].image))
        await until(pilot, lambda: screen.view.shown == second)
        await pilot.press("a")
        await until(pilot, lambda: screen.view.shown != second)
        film = screen.view.shown
        assert isinstance(film, Image.Image)
        assert film.width > 2 * second.width
        await pilot.press("escape")
        await until(pilot, lambda: browser.first.turns.turn == 1)

    use(TraceBrowser(run, Selection()), steps)


def test_the_command_that_opens_an_episode_is_copied(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = TraceBrowser(run, Selection())
    copied: list[str] = []
    monkeypatch.setattr(browser, "copy_to_clipboard", copied.append)

    async def steps(pilot: Pilot[None]) -> None:
        await pilot.press("down", "y")
        assert copied == [f"python -m proactive_agent trace {run.path} --sample rod:1"]

    use(browser, steps)


# Pictures that cannot be shown -------------------------------------------------------------------


def shows_instead(folder: RunFolder, reason: str) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: reason in str(picture_of(app_of(pilot))))
        await until(pilot, lambda: reason in text_of(pilot))
        await pilot.press("enter", "down", "f", "a", "escape", "r")
        await until(pilot, lambda: isinstance(pilot.app.screen, TextScreen))
        assert "cannot be rebuilt" in text_of(pilot)

    use(TraceBrowser(folder, Selection()), steps)


def test_a_data_folder_that_is_gone_leaves_a_text(tmp_path: Path) -> None:
    records = played("baseline:oracle", [("rod", 0)])
    shows_instead(write_run(tmp_path / "run", records, data="gone"), "gone is not a folder")


@pytest.mark.parametrize("path", ["../../secret.png", "/etc/hostname", "C:/secret.png"])
def test_no_picture_outside_the_data_folder_is_opened(path: str, tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(b"")
    (record,) = played("baseline:never-ask", [("rod", 0)])
    fields = record.model_dump()
    fields["turns"][0]["image"]["path"] = path
    fields["sample_id"] = 10**6
    folder = write_run(tmp_path / "run", [EpisodeRecord.model_validate(fields)])
    shows_instead(folder, "leads outside the data folder")


def test_data_that_moved_is_found_where_it_is_said_to_be(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", played("baseline:oracle", [("rod", 0)]), data="gone")
    browser = TraceBrowser(folder, Selection(), data=DataFolder().root)

    async def steps(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: isinstance(picture_of(app_of(pilot)), Image.Image))

    use(browser, steps)


def test_frames_that_are_not_known_are_those_that_were_shown(tmp_path: Path) -> None:
    (record,) = played("baseline:oracle", [("vsod", 0)])
    folder = write_run(tmp_path / "run", data="gone")
    sample = FrameSource(folder.read_manifest()).frames_of(record)
    assert list(sample.frames) == [ref_of(turn.image) for turn in record.turns]


# Texts of a model --------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_no_models_text_steers_the_terminal_or_is_markup(
    size: tuple[int, int], tmp_path: Path
) -> None:
    for name in ("run", "other"):
        write_run(tmp_path / name, [evil_episode()], provider=f"openai:{EVIL}", condition=EVIL)
    browser = TraceBrowser(RunFolder(tmp_path / "run"), Selection())

    async def steps(pilot: Pilot[None]) -> None:
        def check(words: str) -> None:
            text = text_of(pilot)
            assert words in text
            assert not [code for code in STEERING if code in text]

        title = plain(EVIL)
        check(title[:20])
        await pilot.press("enter")
        check("[red]markup[/red]")
        await pilot.press("z", "z", "end", "f")
        check("turn 3 of 3")
        await pilot.press("escape", "r")
        await until(pilot, lambda: isinstance(pilot.app.screen, TextScreen))
        check("[red]markup[/red]")
        await pilot.press("escape", "y", "escape", "d")
        check("[red]markup[/red]")
        await pilot.press("enter")
        await until(pilot, lambda: browser.second.episode is not None)
        check("[red]")

    use(browser, steps, size)
