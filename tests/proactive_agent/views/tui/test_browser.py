"""Keys of the browser: list, searches, comparison of two runs, unfinished runs, errors."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from textual.widgets import OptionList

from proactive_agent.records import episode_index, run_folder
from proactive_agent.records.outline import EpisodeOutline
from proactive_agent.records.run_folder import EpisodeWriter, RunFolder
from proactive_agent.views.selection import Selection
from proactive_agent.views.tui.episode_list import EpisodeList
from proactive_agent.views.tui.frames import ref_of
from proactive_agent.views.tui.help_text import help_text
from proactive_agent.views.tui.screens import RunsScreen
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
    listed,
    picture_of,
    played,
    showing,
    text_of,
    until,
    use,
)
from tests.proactive_agent.written_records import FAILED, episode

ALL = ["rod:0", "rod:1", "vsod:0", "quickdraw:0", "coco:0"]


# The list ----------------------------------------------------------------------------------------


def test_it_opens_with_the_list_and_the_first_episode(run: RunFolder) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        assert listed(pilot) == ALL
        await until(pilot, lambda: isinstance(picture_of(app_of(pilot)), Image.Image))
        text = text_of(pilot)
        for words in ("baseline:oracle: tools, zero-shot", "5 episodes", "rod:0  correct",
                      "turn 1 of 8", "move_object(", "[8]", "ring 8/14"):  # fmt: skip
            assert words in text
        record = app_of(pilot).first.episode
        assert record is not None
        assert picture_of(app_of(pilot)) == frame(ref_of(record.turns[0].image))

    use(TraceBrowser(run, Selection()), steps)


def test_the_pane_follows_the_cursor(run: RunFolder) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        for keys, expected in (
            (["down", "j"], "vsod:0"),
            (["end"], "coco:0"),
            (["k"], "quickdraw:0"),
            (["home", "up"], "rod:0"),
            (["pagedown"], "coco:0"),
        ):
            await pilot.press(*keys)
            assert current(pilot) == expected
        await until(pilot, lambda: showing(app_of(pilot)))
        assert "coco:0  correct" in text_of(pilot)

    use(TraceBrowser(run, Selection()), steps)


def test_a_search_is_typed_kept_and_dropped(run: RunFolder) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        await pilot.press("slash", *"correct", "space", *"rod|vsod")
        await until(pilot, lambda: listed(pilot) == ["rod:0", "rod:1", "vsod:0"])
        await pilot.press("enter", "down")
        assert current(pilot) == "rod:1"
        assert "3 of 5 episodes" in text_of(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: listed(pilot) == ALL)
        assert current(pilot) == "rod:1"

    use(TraceBrowser(run, Selection()), steps)


def test_a_text_is_looked_for_on_enter(run: RunFolder) -> None:
    question = sample_of("vsod").prompt

    async def steps(pilot: Pilot[None]) -> None:
        await pilot.press("slash")
        app_of(pilot).search.value = f'"{question.upper()}"'
        await pilot.pause(0.4)
        assert listed(pilot) == ALL
        await pilot.press("enter")
        await until(pilot, lambda: listed(pilot) == ["vsod:0"])

    use(TraceBrowser(run, Selection()), steps)


def test_a_query_that_means_nothing_is_said_so(run: RunFolder) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        app_of(pilot).search.value = "colour>3"
        await until(pilot, lambda: "unknown number 'colour'" in text_of(pilot))
        assert listed(pilot) == ALL

    use(TraceBrowser(run, Selection()), steps)


def test_next_and_previous_failure(runs: tuple[RunFolder, RunFolder]) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        await pilot.press("n")
        assert current(pilot) == "quickdraw:0"
        await pilot.press("n")
        assert current(pilot) == "quickdraw:0"
        await until(pilot, lambda: "no further one" in text_of(pilot))
        await pilot.press("end", "N")
        assert current(pilot) == "quickdraw:0"

    use(TraceBrowser(runs[0], Selection()), steps)


def test_only_failures_and_back(run: RunFolder) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        await pilot.press("w")
        await until(pilot, lambda: listed(pilot) == ["quickdraw:0"])
        await pilot.press("w")
        await until(pilot, lambda: listed(pilot) == ALL)

    use(TraceBrowser(run, Selection()), steps)


def test_other_orders(run: RunFolder) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        await pilot.press("s")
        await until(pilot, lambda: listed(pilot)[-1] == "quickdraw:0")
        assert "by ended" in text_of(pilot)
        await pilot.press("s")
        await until(
            pilot, lambda: listed(pilot)[-1] == "quickdraw:0" and "by turns" in text_of(pilot)
        )
        assert listed(pilot)[0] == "rod:0"

    use(TraceBrowser(run, Selection()), steps)


def test_it_begins_with_what_the_command_line_asks_for(run: RunFolder) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        assert listed(pilot) == ["rod:0", "rod:1", "vsod:0", "coco:0"]
        await until(pilot, lambda: current(pilot) == "vsod:0")
        assert app_of(pilot).focused is app_of(pilot).first.turns

    chosen = Selection(outcomes=("correct",), sample=("vsod", "0"))
    use(TraceBrowser(run, chosen), steps)


def test_a_sample_that_is_not_there_is_said_so(run: RunFolder) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: "no episode rod:99" in text_of(pilot))

    use(TraceBrowser(run, Selection(sample=("rod", "99"))), steps)


def test_rows_that_do_not_show_are_not_rendered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [episode("right", sample_id=number) for number in range(3000)]
    browser = TraceBrowser(write_run(tmp_path / "run", records), Selection())
    rendered: set[int] = set()
    original = EpisodeList._row

    def counting(self: EpisodeList, one: EpisodeOutline) -> Any:
        rendered.add(int(one.sample_id))
        return original(self, one)

    monkeypatch.setattr(EpisodeList, "_row", counting)

    async def steps(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: len(app_of(pilot).list.rows) == 3000)
        await pilot.press("end")
        await pilot.pause()
        assert 2999 in rendered
        assert len(rendered) <= 2 * WIDE[1]

    use(browser, steps)


def test_a_large_run_is_opened_by_its_index(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(episode_index, "WORTH", 1)

    async def steps(pilot: Pilot[None]) -> None:
        assert listed(pilot) == ALL
        app_of(pilot).search.value = "move_object"
        await until(pilot, lambda: listed(pilot) == ["rod:0", "rod:1"])
        assert "turn 1 of 8" in text_of(pilot)

    use(TraceBrowser(run, Selection()), steps)
    monkeypatch.setattr(run_folder, "decode", None)
    use(TraceBrowser(run, Selection()), steps)
    run.index_file.unlink()


# Two runs ----------------------------------------------------------------------------------------


def test_two_runs_stand_side_by_side_at_the_turn_where_they_part(
    runs: tuple[RunFolder, RunFolder],
) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        browser = app_of(pilot)
        await until(pilot, lambda: browser.second.episode is not None)
        assert "baseline:oracle | baseline:never-ask" in text_of(pilot)
        await until(pilot, lambda: text_of(pilot).count("≠ first difference") == 2)
        first, second = browser.first.episode, browser.second.episode
        assert first is not None
        assert second is not None
        assert first.key == second.key
        assert (first.outcome.correct, second.outcome.correct) == (True, False)
        await pilot.press("n")
        assert current(pilot) == "rod:1"

    use(TraceBrowser(runs[0], Selection(), second=runs[1]), steps)


def test_a_search_names_what_became_of_a_sample(runs: tuple[RunFolder, RunFolder]) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        app_of(pilot).search.value = "same"
        await until(pilot, lambda: listed(pilot) == ["quickdraw:0"])
        await until(pilot, lambda: "≠ first difference" not in text_of(pilot))

    use(TraceBrowser(runs[0], Selection(), second=runs[1]), steps)


def test_both_panes_go_to_the_same_turn(tmp_path: Path) -> None:
    one, other = (
        write_run(tmp_path / name, played(provider, [("vsod", 0)]))
        for name, provider in (("one", "baseline:oracle"), ("other", "baseline:always-ask"))
    )

    async def steps(pilot: Pilot[None]) -> None:
        browser = app_of(pilot)
        await until(pilot, lambda: browser.second.episode is not None)
        await pilot.press("tab", "home", "down", "down")
        assert (browser.first.turns.turn, browser.second.turns.turn) == (2, 2)
        await pilot.press("tab", "down")
        assert (browser.first.turns.turn, browser.second.turns.turn) == (3, 3)

    use(TraceBrowser(one, Selection(), second=other), steps)


def test_another_run_is_picked_and_taken_away(runs: tuple[RunFolder, RunFolder]) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        browser = app_of(pilot)
        await pilot.press("d")
        assert isinstance(pilot.app.screen, RunsScreen)
        assert pilot.app.screen.query_one(OptionList).option_count == 1
        await pilot.press("enter")
        await until(pilot, lambda: browser.second.episode is not None)
        await until(pilot, lambda: "baseline:oracle | baseline:never-ask" in text_of(pilot))
        assert browser.second.display
        await pilot.press("d")
        await until(pilot, lambda: "baseline:never-ask" not in text_of(pilot))
        assert not browser.second.display

    use(TraceBrowser(runs[0], Selection(), results=runs[0].path.parent), steps)


def test_a_sample_that_the_other_run_lacks_is_said_so(
    runs: tuple[RunFolder, RunFolder], tmp_path: Path
) -> None:
    other = write_run(tmp_path / "other", [episode("right", sample_id=1)])

    async def steps(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: "not played" in text_of(pilot))
        assert "not played" in text_of(pilot)
        await pilot.press("down")
        await until(pilot, lambda: app_of(pilot).second.episode is not None)

    use(TraceBrowser(runs[0], Selection(), second=other), steps)


def test_a_faulty_run_beside_is_named_and_taken_away(run: RunFolder, tmp_path: Path) -> None:
    faulty = write_run(tmp_path / "faulty", [episode("right")])
    with faulty.episodes_file.open("a") as stream:
        stream.write("nonsense\n")

    async def steps(pilot: Pilot[None]) -> None:
        browser = app_of(pilot)
        await until(pilot, lambda: browser.other is None)
        await until(pilot, lambda: "line 2: " in text_of(pilot))
        assert listed(pilot) == ALL
        assert browser.fault is None

    use(TraceBrowser(run, Selection(), second=faulty), steps)


# Faulty files, runs in progress ------------------------------------------------------------------


def test_a_foreign_line_ends_the_browser_with_its_number(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", [episode("right")])
    with folder.episodes_file.open("a") as stream:
        stream.write("nonsense\n")
    browser = TraceBrowser(folder, Selection())

    async def go() -> None:
        async with browser.run_test() as pilot:
            await until(pilot, lambda: browser.fault is not None)

    asyncio.run(go())
    assert f"{folder.episodes_file}, line 2: " in str(browser.fault)


def test_the_list_grows_while_a_run_goes_on(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", [episode("right")], status="running")

    async def steps(pilot: Pilot[None]) -> None:
        assert "running" in text_of(pilot)
        writer.write(episode("wrong", sample_id=1))
        writer.write(episode(sample_id=2, error=FAILED))
        await until(pilot, lambda: listed(pilot) == ["rod:0", "rod:1", "rod:2"])
        assert current(pilot) == "rod:2"
        writer.write(episode("wrong", sample_id=2))
        await until(pilot, lambda: "rod:2  wrong" in text_of(pilot))
        assert len(listed(pilot)) == 3
        manifest = folder.read_manifest()
        folder.write_manifest(manifest.model_copy(update={"status": "finished"}))
        await until(pilot, lambda: "running" not in text_of(pilot))

    with EpisodeWriter(folder) as writer:
        use(TraceBrowser(folder, Selection(), follow=True), steps)


# Narrow terminals --------------------------------------------------------------------------------


def test_a_narrow_terminal_shows_the_list_or_the_episode(run: RunFolder) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        assert "rod:1" in text_of(pilot)
        assert "turn 1 of 8" not in text_of(pilot)
        await pilot.press("enter")
        assert "turn 1 of 8" in text_of(pilot)
        assert "coco:0" not in text_of(pilot)
        await pilot.press("escape")
        assert "coco:0" in text_of(pilot)

    use(TraceBrowser(run, Selection()), steps, NARROW)


def test_the_chosen_turn_stays_in_sight_when_the_terminal_shrinks(run: RunFolder) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        await pilot.press("enter", "end")
        await until(pilot, lambda: "turn 8 of 8" in text_of(pilot))
        await pilot.resize_terminal(*NARROW)
        await until(pilot, lambda: len(text_of(pilot).splitlines()) == NARROW[1])
        await until(pilot, lambda: "turn 8 of 8" in text_of(pilot))

    use(TraceBrowser(run, Selection()), steps)


def test_the_help_explains_the_columns_of_the_list() -> None:
    for column in ("trn", "ask", "part"):
        assert f"  {column}  " in help_text().plain


def test_the_keys_are_shown_and_left(run: RunFolder) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        await pilot.press("question_mark")
        await until(pilot, lambda: "next, previous failure" in text_of(pilot))
        await pilot.press("question_mark", "down")
        assert current(pilot) == "rod:1"

    use(TraceBrowser(run, Selection()), steps)
