"""Makes the pictures of README and docs from new runs of the embedded suite.

    python docs/make_pictures.py

It needs the extras `view`, `report` and `dev`, and chromium. It writes `docs/pictures/NAME.webp`
and `NAME.txt`, the text that the picture shows. `tests/test_pictures.py` makes the texts again and
compares them, so a picture that is no longer current fails a test.
"""

import asyncio
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image, ImageDraw, ImageFont

from proactive_agent import DataFolder, EpisodeRecord, Result, TurnRecord, evaluate
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.scenarios.environment import ImageRef
from proactive_agent.scenarios.images import ImageStore
from proactive_agent.views.html import write_report

FOLDER = Path(__file__).parent / "pictures"
SAMPLES = {
    "rod": 0, "vsod": 1, "mvp-n": 3, "imagenet-c": 1, "quickdraw": 3, "changeit": 0, "coco": 1,
}  # fmt: skip
"""The episodes of the contact sheet, by scenario."""

TILE = 236
"""Longest side of a picture on the contact sheet, in pixels."""

TERMINAL = (126, 38)
"""Columns and rows of the browser in the terminal."""

PAGE = {"width": 1100, "height": 900}
"""Size of the browser window that shows the report, in pixels."""

PATIENCE = 60.0
"""Seconds after which background work counts as hanging."""


def chosen_episodes(oracle: Result) -> list[EpisodeRecord]:
    """Returns the episodes of the contact sheet, in the order of `SAMPLES`."""
    episodes = {(e.scenario, e.sample_id): e for e in oracle.episodes()}
    return [episodes[key] for key in SAMPLES.items()]


def captions(episode: EpisodeRecord) -> list[str]:
    """Returns the lines between two pictures: call, argument and count, answer."""
    actions = [turn.action for turn in episode.turns]
    ((tool, argument),) = {(a.tool, a.argument) for a in actions[:-1]}
    count = len(actions) - 1
    times = f"  {count} times" if count > 1 else ""
    answer = (actions[-1].category or "").removesuffix(".")
    return [f"{tool}({argument or ''}){times}", f"answer({answer})"]


def contact_sheet(oracle: Result) -> Image.Image:
    """Draws a column for each scenario: first frame, calls, reference frame."""
    episodes = chosen_episodes(oracle)
    store = ImageStore(DataFolder().root)
    font, small = ImageFont.load_default(17), ImageFont.load_default(14)
    column, header, middle = TILE + 14, 30, 60
    size = (column * len(episodes), header + 2 * TILE + middle)
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    for number, episode in enumerate(episodes):
        left, centre = column * number + 7, column * number + column // 2
        draw.text((centre, header // 2), episode.scenario, "black", font, anchor="mm")
        first = _frame(store, episode.turns[0])
        sheet.paste(first, (left + (TILE - first.width) // 2, header + TILE - first.height))
        for row, line in enumerate(captions(episode)):
            where = (centre, header + TILE + 18 + 23 * row)
            draw.text(where, line, ("#0550ae", "#116329")[row], small, anchor="mm")
        last = _frame(store, episode.turns[-1])
        sheet.paste(last, (left + (TILE - last.width) // 2, header + TILE + middle))
    return sheet


def contact_sheet_text(oracle: Result) -> str:
    """Returns the text of the contact sheet, and the hashes of its pictures."""
    lines = []
    for episode in chosen_episodes(oracle):
        images = [episode.turns[index].image for index in (0, -1)]
        hashes = [image.sha256[:12] for image in images if image and image.sha256]
        lines.append(" | ".join([episode.scenario, *captions(episode), *hashes]))
    return "\n".join(lines) + "\n"


def _frame(store: ImageStore, turn: TurnRecord) -> Image.Image:
    if turn.image is None:
        raise ValueError(f"turn {turn.index} shows no picture")
    picture = store.open(ImageRef(turn.image.path, crop=turn.image.crop)).image.copy()
    picture.thumbnail((TILE, TILE), Image.Resampling.LANCZOS)
    return picture


def browser_svg(run: RunFolder) -> str:
    """Opens a failed episode in the browser of `trace` and returns the screen as SVG."""
    from proactive_agent.views.selection import Selection
    from proactive_agent.views.tui.app import TraceBrowser

    async def look() -> str:
        app = TraceBrowser(run, Selection(), results=run.path.parent)
        async with app.run_test(size=TERMINAL) as pilot:
            await _until(pilot, lambda: app.main.complete)
            first = await _settled(pilot)
            await pilot.press("n")
            await _until(pilot, lambda: app.export_screenshot() != first)
            return await _settled(pilot)

    return asyncio.run(look())


async def _settled(pilot: Any) -> str:
    """Waits until the screen shows a whole episode and stays as it is, and returns it as SVG."""
    screens = [""]

    def unchanged() -> bool:
        screens.append(pilot.app.export_screenshot())
        is_whole = "▀" in screens[-1] and "right is" in svg_text(screens[-1])
        return is_whole and screens[-1] == screens[-2]

    await _until(pilot, unchanged)
    return screens[-1]


async def _until(pilot: Any, holds: Any) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError("the browser does not load the run")
        await pilot.pause(0.3)


def svg_text(svg: str) -> str:
    """Returns the rows of text of a terminal's screen, without the cells of pictures."""
    rows: dict[str, str] = {}
    for height, text in re.findall(r'<text [^>]*? y="([\d.]+)"[^>]*>(.*?)</text>', svg):
        rows[height] = rows.get(height, "") + unescape(text)
    lines = [re.sub(r"[▀▁▔\s]+", " ", row).strip() for row in rows.values()]
    return "\n".join(line for line in lines if line) + "\n"


@contextmanager
def chromium() -> Iterator[Any]:
    """Starts a headless browser."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        raise SystemExit("the pictures need chromium, for example `apt-get install chromium`")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


def report_text(browser: Any, file: Path) -> str:
    """Returns the text that the report shows above its first gallery, without dates."""
    page = browser.new_page(viewport=PAGE)
    page.goto(file.as_uri())
    shown = page.evaluate(
        "() => [...document.querySelectorAll('h1, h2, main td, main th, main p, main li')]"
        f".filter(e => e.getBoundingClientRect().top < {PAGE['height']}"
        " && e.getBoundingClientRect().height > 0).map(e => e.innerText)"
    )
    page.close()
    text = "\n".join(re.sub(r"\s+", " ", line).strip() for line in shown)
    return re.sub(r"\d{4}-\d\d-\d\d[T ][\d:]+Z?", "DATE", text) + "\n"


class Sources(NamedTuple):
    """What the pictures show."""

    oracle: Result
    screen: str
    """The terminal's screen as SVG."""
    report: Path


def make_sources(folder: Path) -> Sources:
    """Plays the runs, opens one in the terminal, and writes the report."""
    names = ("oracle", "ask-once", "never-ask")
    runs = [evaluate(f"baseline:{name}", out=folder / "results" / name) for name in names]
    report = folder / "report.html"
    write_report([RunFolder(run.folder) for run in runs], report, episodes=60)
    return Sources(runs[0], browser_svg(RunFolder(runs[1].folder)), report)


def texts(sources: Sources, browser: Any) -> dict[str, str]:
    """Returns the text of each picture, by the picture's name."""
    return {
        "scenarios": contact_sheet_text(sources.oracle),
        "trace": svg_text(sources.screen),
        "report": report_text(browser, sources.report),
    }


def write_pictures(folder: Path) -> None:
    """Writes every picture and its text."""
    with tempfile.TemporaryDirectory() as scratch:
        # Before chromium is started, because its driver keeps an event loop running.
        sources = make_sources(Path(scratch))
        screen = Path(scratch) / "screen.svg"
        screen.write_text(sources.screen, encoding="utf-8")
        with chromium() as browser:
            pictures = {
                "scenarios": contact_sheet(sources.oracle),
                "trace": _screenshot(browser, screen, _size(sources.screen)),
                "report": _screenshot(browser, sources.report, PAGE),
            }
            written = texts(sources, browser)
    for name, picture in pictures.items():
        (folder / f"{name}.txt").write_text(written[name], encoding="utf-8")
        picture.save(folder / f"{name}.webp", quality=80, method=6)


def _screenshot(browser: Any, file: Path, size: dict[str, int]) -> Image.Image:
    page = browser.new_page(viewport=size)
    page.goto(file.as_uri())
    shot = page.screenshot()
    page.close()
    return Image.open(BytesIO(shot), formats=["PNG"]).convert("RGB")


def _size(svg: str) -> dict[str, int]:
    found = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    if found is None:
        raise ValueError("the terminal's screen has no size")
    return {"width": int(float(found[1])), "height": int(float(found[2]))}


if __name__ == "__main__":
    write_pictures(FOLDER)
