"""`report` in a real browser: nothing is fetched, nothing runs that a model wrote."""

import asyncio
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from proactive_agent.manifest import Settings
from proactive_agent.page import write_page
from proactive_agent.run_folder import EpisodeWriter, RunFolder
from proactive_agent.runner import prepare_run, run
from tests.proactive_agent.records import FAILED, episode, turn

ATTACK = (
    "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
)
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


def hostile_turn() -> dict[str, Any]:
    call = {"name": ATTACK, "arguments": ATTACK, "id": "1"}
    reply = {"text": ATTACK, "tool_calls": [call], "finish_reason": ATTACK, "tool_format": None}
    action = {"kind": "invalid", "why": "unknown_tool", "detail": ATTACK}
    return turn("unreadable") | {"reply": reply, "action": action, "prompt": ATTACK}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs; to one of them a hostile model and a failed request were added."""
    pytest.importorskip("matplotlib")
    results = tmp_path_factory.mktemp("results")
    runs = []
    for provider in ("baseline:random", "baseline:oracle"):
        settings = Settings(provider=provider, scenarios=("rod", "coco"), limit=3)
        prepared = prepare_run(settings, results)
        asyncio.run(run(prepared))
        runs.append(prepared.folder)
    with EpisodeWriter(runs[0]) as writer:
        hostile = {"turns": [hostile_turn()], "target": ATTACK, "answer": ATTACK}
        writer.write(episode("unreadable", sample_id="evil", stop="invalid", **hostile))
        writer.write(episode("ask", sample_id=99, stop="error", error=FAILED | {"message": ATTACK}))
    file = results / "report.html"
    write_page([str(folder.path) for folder in runs], results, file, episodes=50)
    return file


@pytest.fixture(scope="module")
def chromium(page: Path) -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("no chromium is installed")
    # After the runs were played: the driver keeps an event loop of its own running.
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=CHROMIUM, args=list(QUIET), env=dict(os.environ)
        )
        yield browser
        browser.close()


class Opened:
    """The page in the browser, and what it did."""

    def __init__(self, browser: Any, file: Path, **context: Any) -> None:
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.tab = browser.new_context(**context).new_page()
        self.tab.on("console", lambda message: self.complaints.append(message.text))
        self.tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.tab.on("request", lambda request: self.requests.append(request.url))
        self.tab.goto(file.as_uri())

    @property
    def shown(self) -> list[str]:
        """The episodes that pass the filters."""
        names = self.tab.locator("#list > li:not([hidden]) summary b")
        return [str(name) for name in names.all_text_contents()]


@pytest.fixture
def opened(chromium: Any, page: Path) -> Iterator[Opened]:
    window = Opened(chromium, page)
    yield window
    window.tab.context.close()


def test_every_episode_is_there_with_its_pictures(opened: Opened) -> None:
    assert len(opened.shown) == 2 * 6 + 2
    for summary in opened.tab.locator("summary").all():
        summary.click()
    images = opened.tab.locator(".turn img")
    assert images.count() > 20
    widths = images.evaluate_all(
        "every => Promise.all(every.map(i => i.decode().then(() => i.naturalWidth)))"
    )
    assert min(widths) > 16


def test_nothing_is_fetched_and_nothing_complains(opened: Opened, page: Path) -> None:
    for summary in opened.tab.locator("summary").all():
        summary.click()
    fetched = [url for url in opened.requests if not url.startswith("data:")]
    assert fetched == [page.as_uri()]
    assert opened.complaints == []


def test_what_a_model_wrote_is_shown_and_does_not_run(opened: Opened) -> None:
    opened.tab.locator("summary", has_text="rod:evil").click()
    told = opened.tab.locator("details[open]").inner_text()
    assert told.count(ATTACK) >= 4
    opened.tab.wait_for_timeout(100)
    assert "owned" not in opened.tab.title()
    assert opened.complaints == []


def test_filters_and_search_leave_what_fits(opened: Opened) -> None:
    opened.tab.select_option("#scenario", "coco")
    assert len(opened.shown) == 2 * 3
    assert all(name.startswith("coco:") for name in opened.shown)
    opened.tab.select_option("#scenario", "")
    opened.tab.select_option("#group", "error: timeout")
    assert opened.shown == ["rod:99"]
    opened.tab.select_option("#group", "")
    opened.tab.fill("#search", "OWNED")
    assert sorted(opened.shown) == ["rod:99", "rod:evil"]
    assert opened.tab.locator("#count").text_content() == "2 of 14"


def test_the_keyboard_is_enough(opened: Opened) -> None:
    press = opened.tab.keyboard.press
    press("/")
    opened.tab.keyboard.type("timeout")
    press("Escape")
    press("j")
    press("Enter")
    assert opened.tab.locator("details[open] summary b").all_text_contents() == ["rod:99"]


def test_tables_plots_and_failures_are_on_the_page(opened: Opened) -> None:
    text = opened.tab.inner_text("main")
    assert "baseline:oracle" in text
    assert "does not compare" in text.replace("do not compare", "does not compare")
    assert opened.tab.locator("#plots img").count() >= 2
    assert "error: timeout" in opened.tab.inner_text("#failures")


def test_a_narrow_screen_does_not_scroll_sideways(chromium: Any, page: Path) -> None:
    phone = Opened(chromium, page, viewport={"width": 360, "height": 740})
    for summary in phone.tab.locator("summary").all():
        summary.click()
    assert phone.tab.evaluate("document.documentElement.scrollWidth") == 360
    phone.tab.context.close()


def test_dark_where_the_system_is_and_light_on_a_click(chromium: Any, page: Path) -> None:
    window = Opened(chromium, page, color_scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    assert window.tab.evaluate(ground) == "rgb(21, 23, 26)"
    window.tab.click("#theme")
    assert window.tab.evaluate(ground) == "rgb(255, 255, 255)"
    window.tab.context.close()


def test_paper_shows_every_episode_open(opened: Opened) -> None:
    opened.tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert opened.tab.locator("details[open]").count() == len(opened.shown)
    opened.tab.emulate_media(media="print")
    assert not opened.tab.locator("#filters").is_visible()


def test_the_rest_is_counted_where_not_all_are_shown(page: Path, tmp_path: Path) -> None:
    runs = [RunFolder(path.parent) for path in page.parent.glob("*oracle*/run.json")]
    write_page([str(runs[0].path)], page.parent, tmp_path / "few.html", episodes=2)
    text = (tmp_path / "few.html").read_text()
    assert "4 more episodes of baseline:oracle are not shown here." in text
