"""Drives the browser without a terminal: opens it, presses keys, reads the screen."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

import pytest

pytest.importorskip("textual", reason="needs the extra `view`")

from PIL import Image
from textual.pilot import Pilot

from proactive_agent.providers import ProviderOptions, create_provider
from proactive_agent.records.describe import name_of
from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.scenarios import DataFolder, ImageRef
from proactive_agent.views.tui.app import TraceBrowser
from tests.proactive_agent.run_folders import write_run
from tests.proactive_agent.scripted import play, sample_of

WIDE = (120, 40)
NARROW = (80, 24)
SAMPLES = [("rod", 0), ("rod", 1), ("vsod", 0), ("coco", 0), ("quickdraw", 0)]
PATIENCE = 60
"""Longest wait for an effect, in seconds."""

Steps = Callable[[Pilot[None]], Awaitable[None]]


def played(provider: str, samples: Iterable[tuple[str, int]]) -> list[EpisodeRecord]:
    """Plays samples of the embedded suite."""

    async def play_all() -> list[EpisodeRecord]:
        player = create_provider(provider, ProviderOptions())
        return [
            await play(name, player, sample=sample_of(name, number)) for name, number in samples
        ]

    return asyncio.run(play_all())


def two_runs(results: Path) -> tuple[RunFolder, RunFolder]:
    """Returns a run with one wrong answer, and a run that never asks."""
    asking = played("baseline:oracle", SAMPLES[:-1])
    silent = played("baseline:never-ask", SAMPLES)
    first = write_run(results / "1-asking", [*asking, silent[-1]], provider="baseline:oracle")
    return first, write_run(results / "2-silent", silent, provider="baseline:never-ask")


def use(browser: TraceBrowser, steps: Steps, size: tuple[int, int] = WIDE) -> None:
    """Runs steps in a browser once its list is loaded."""

    async def go() -> None:
        async with browser.run_test(size=size, notifications=True) as pilot:
            await until(pilot, lambda: browser.main.complete and showing(browser))
            await steps(pilot)

    asyncio.run(go())


async def until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    """Waits until background work makes a condition true."""
    end = time.monotonic() + PATIENCE
    await pilot.pause(0.01)
    while not holds():
        assert time.monotonic() < end, text_of(pilot)
        await pilot.pause(0.01)


def app_of(pilot: Pilot[None]) -> TraceBrowser:
    """Returns the running browser."""
    assert isinstance(pilot.app, TraceBrowser)
    return pilot.app


def showing(browser: TraceBrowser) -> bool:
    """Whether the pane shows the episode under the cursor."""
    current, shown = browser.list.current, browser.first.episode
    return (current and current.key) == (shown and shown.key)


def listed(pilot: Pilot[None]) -> list[str]:
    """Returns the names in the list."""
    return [name_of(row) for row in app_of(pilot).list.rows]


def current(pilot: Pilot[None]) -> str:
    """Returns the name under the cursor."""
    episode = app_of(pilot).list.current
    assert episode is not None
    return name_of(episode)


def text_of(pilot: Pilot[None]) -> str:
    """Returns the text on the screen."""
    lines = app_of(pilot).screen._compositor.render_strips()
    return "\n".join(line.text.rstrip() for line in lines)


def picture_of(browser: TraceBrowser) -> Image.Image | str:
    """Returns the picture of the first pane, or the reason for none."""
    return browser.first.picture.shown


def frame(ref: ImageRef) -> Image.Image:
    """Opens a picture of the embedded suite."""
    return DataFolder().images.open(ref).image
