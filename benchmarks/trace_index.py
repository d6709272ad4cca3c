"""Time to open a large run in the terminal browser, and to page through its list.

    python -m benchmarks.trace_index [--episodes 100000]

Makes a run of episodes that ask until the turn limit, and opens it twice: without the index file
and with it. The index is written at the end of a run or by its first reader. The baseline is what
a browser without an index would do: parsing all records completely. It is measured on a part and
scaled up. A second baseline is `json.loads` of all lines, which a naive list of the episodes needs.
Seconds are wall time; ratios are of processor time, so that other programs hardly matter.
"""

import argparse
import asyncio
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from textual.pilot import Pilot

from proactive_agent.records.manifest import Settings
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.runs.planned_run import PlannedRun
from proactive_agent.runs.session import Session
from proactive_agent.views.selection import Selection
from proactive_agent.views.tui.app import TraceBrowser

BASELINE_EPISODES = 2000
FEW = 500
"""Episodes of the short list with which the long list is compared."""

TICK = 0.005
"""Seconds between two checks of the list."""

PAGES = 20
SIZE = (120, 40)


async def play(results: Path) -> RunFolder:
    """Plays the embedded suite with a model that asks until the turn limit."""
    scenarios = ("rod", "vsod", "mvp-n", "imagenet-c", "quickdraw", "changeit", "coco")
    settings = Settings(provider="baseline:always-ask", scenarios=scenarios)
    async with Session() as session:
        (played,) = await session.play([PlannedRun.new(settings, results)])
    return played.folder


def repeated(folder: RunFolder, episodes: int, path: Path) -> RunFolder:
    """Writes a run that holds the same episodes many times, as repeats."""
    long = RunFolder(path)
    long.write_manifest(folder.read_manifest())
    records = [json.loads(line) for line in folder.episodes_file.read_text().splitlines()]
    with long.episodes_file.open("w") as stream:
        for number in range(episodes):
            repeat, index = divmod(number, len(records))
            stream.write(json.dumps(records[index] | {"repeat": repeat}) + "\n")
    return long


def seconds_to_parse(folder: RunFolder, episodes: int) -> float:
    """Returns the processor seconds to parse `episodes` records, scaled up from the first ones."""
    outlines = [
        outline for outline, _ in zip(folder.scan(), range(BASELINE_EPISODES), strict=False)
    ]
    started = time.process_time()
    for outline in outlines:
        folder.read_episode(outline)
    return (time.process_time() - started) * episodes / len(outlines)


def seconds_of_json(folder: RunFolder) -> float:
    """Returns the processor seconds of `json.loads` on all lines."""
    started = time.process_time()
    with folder.episodes_file.open("rb") as stream:
        for line in stream:
            json.loads(line)
    return time.process_time() - started


class Moment(NamedTuple):
    """Seconds since a run began to open."""

    wall: float
    processor: float


class Opening(NamedTuple):
    """Times of opening a run."""

    first: Moment
    """When the first rows were listed."""
    every: Moment
    """When all rows were listed."""
    stall: float
    """Longest delay of a key press meanwhile, in seconds."""
    page: float
    """Seconds until one page down was drawn."""


async def opened(folder: RunFolder, rows: int) -> Opening:
    """Opens a run of `rows` rows and pages down in its list."""
    browser = TraceBrowser(folder, Selection())
    started, processor = time.perf_counter(), time.process_time()

    def moment() -> Moment:
        return Moment(time.perf_counter() - started, time.process_time() - processor)

    async with browser.run_test(size=SIZE) as pilot:
        now, first, stall = time.perf_counter(), None, 0.0
        while len(browser.list.rows) < rows:
            before = now
            await asyncio.sleep(TICK)
            now = time.perf_counter()
            stall = max(stall, now - before - TICK)
            if first is None and browser.list.rows:
                first = moment()
        every = moment()
        return Opening(first or every, every, stall, await seconds_per_page(pilot))


async def seconds_per_page(pilot: Pilot[None]) -> float:
    """Returns the median seconds of a page down."""
    await pilot.pause(0.5)
    taken = []
    for _ in range(PAGES):
        started = time.perf_counter()
        await pilot.press("pagedown")
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


async def compare(results: Path, episodes: int) -> None:
    """Prints one line per measure."""
    played = await play(results)
    long = repeated(played, episodes, results / "long")
    short = repeated(played, FEW, results / "short")
    parsing, plain = seconds_to_parse(long, episodes), seconds_of_json(long)
    size = long.episodes_file.stat().st_size / 1e6
    print(f"load average: {os.getloadavg()[0]:.1f}; ratios are of processor time")
    print(f"{episodes:,} episodes, {size:,.0f} MB; parsing all: {parsing:.1f} s (scaled up)")
    print(f"json.loads of all lines: {plain:.1f} s")

    def report(case: str, opening: Opening) -> None:
        for part, moment in (("first rows", opening.first), ("every row", opening.every)):
            print(
                f"{case}, {part}: {moment.wall:.2f} s, "
                f"{moment.processor / parsing:.3f} x parsing all, "
                f"{moment.processor / plain:.2f} x json.loads"
            )
        print(f"{case}, longest delay of a key: {1e3 * opening.stall:.0f} ms")

    report("without an index", await opened(long, episodes))
    print(f"size of the index: {long.index_file.stat().st_size / 1e6:,.0f} MB")
    indexed = await opened(long, episodes)
    report("with the index", indexed)
    few = await opened(short, FEW)
    ratio = indexed.page / few.page
    print(f"a page down: {1e3 * indexed.page:.0f} ms, {ratio:.2f} x a page down in {FEW} rows")


def main() -> None:
    """Reads the command line and measures in a temporary folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--episodes", type=int, default=100_000)
    episodes = parser.parse_args().episodes
    with tempfile.TemporaryDirectory() as results:
        asyncio.run(compare(Path(results), episodes))


if __name__ == "__main__":
    main()
