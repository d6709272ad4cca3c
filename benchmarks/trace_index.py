"""How long it takes to open a large run in the browser, and to go through its list.

    python -m benchmarks.trace_index [--episodes 100000]

Makes a run of episodes that ask until the turn limit.  The baseline is reading the same records
whole, which a list that parses its file would do; it is measured on a part and scaled up.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from textual.pilot import Pilot

from proactive_agent.browser.app import TraceBrowser
from proactive_agent.manifest import Settings
from proactive_agent.run_folder import RunFolder
from proactive_agent.runner import prepare_run, run
from proactive_agent.trace.selection import Selection

BASELINE_EPISODES = 2000
FEW = 500
"""Episodes of the short list that a step in the long one is compared with."""

SIZE = (120, 40)


async def play(results: Path) -> RunFolder:
    """The embedded suite, asked to the turn limit."""
    scenarios = ("rod", "vsod", "mvp-n", "imagenet-c", "quickdraw", "changeit", "coco")
    prepared = prepare_run(Settings(provider="baseline:always-ask", scenarios=scenarios), results)
    await run(prepared)
    return prepared.folder


def repeated(folder: RunFolder, episodes: int, path: Path) -> RunFolder:
    """The same episodes over and over, each time as a further repeat."""
    long = RunFolder(path)
    long.write_manifest(folder.read_manifest())
    records = [json.loads(line) for line in folder.episodes_file.read_text().splitlines()]
    with long.episodes_file.open("w") as stream:
        for number in range(episodes):
            repeat, index = divmod(number, len(records))
            stream.write(json.dumps(records[index] | {"repeat": repeat}) + "\n")
    return long


def seconds_to_parse(folder: RunFolder, episodes: int) -> float:
    """Reading so many records whole, measured on the first of them."""
    outlines = [
        outline for outline, _ in zip(folder.scan(), range(BASELINE_EPISODES), strict=False)
    ]
    started = time.perf_counter()
    for outline in outlines:
        folder.read_episode(outline.offset, outline.length)
    return (time.perf_counter() - started) * episodes / len(outlines)


async def opened(
    folder: RunFolder, measure: Callable[[Pilot[None], float], Awaitable[None]]
) -> None:
    """Opens a browser and measures in it; it is told when it began."""
    browser = TraceBrowser(folder, Selection())
    started = time.perf_counter()
    async with browser.run_test(size=SIZE) as pilot:
        await measure(pilot, started)


async def until_rows(pilot: Pilot[None], rows: int) -> float:
    """Waits until the list has so many rows; says when that was."""
    assert isinstance(pilot.app, TraceBrowser)
    while len(pilot.app.list.rows) < rows:
        await asyncio.sleep(0.005)
    return time.perf_counter()


async def seconds_per_page(pilot: Pilot[None]) -> float:
    """One page down, drawn."""
    await pilot.pause(0.5)
    started = time.perf_counter()
    for _ in range(20):
        await pilot.press("pagedown")
    return (time.perf_counter() - started) / 20


async def compare(results: Path, episodes: int) -> None:
    """Prints a line per measure."""
    played = await play(results)
    long = repeated(played, episodes, results / "long")
    short = repeated(played, FEW, results / "short")
    parsing = seconds_to_parse(long, episodes)
    size = long.episodes_file.stat().st_size / 1e6
    print(f"{episodes:,} episodes, {size:,.0f} MB; read whole: {parsing:.1f} s (scaled up)")
    pages: list[float] = []

    async def long_list(pilot: Pilot[None], started: float) -> None:
        first = await until_rows(pilot, 1) - started
        every = await until_rows(pilot, episodes) - started
        print(f"first rows: {first:.2f} s, {first / parsing:.3f} x reading whole")
        print(f"every row: {every:.2f} s, {every / parsing:.3f} x reading whole")
        pages.append(await seconds_per_page(pilot))

    async def short_list(pilot: Pilot[None], started: float) -> None:
        await until_rows(pilot, FEW)
        pages.append(await seconds_per_page(pilot))

    await opened(long, long_list)
    await opened(short, short_list)
    print(f"a page down: {1e3 * pages[0]:.0f} ms, {pages[0] / pages[1]:.2f} x that of {FEW} rows")


def main() -> None:
    """Makes the runs in a folder that is removed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--episodes", type=int, default=100_000)
    episodes = parser.parse_args().episodes
    with tempfile.TemporaryDirectory() as results:
        asyncio.run(compare(Path(results), episodes))


if __name__ == "__main__":
    main()
