"""`report` in a real browser: nothing is fetched, and no text of a model is executed."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.records.manifest import Settings
from proactive_agent.records.run_folder import EpisodeWriter, RunFolder
from proactive_agent.tools import UserError
from proactive_agent.views.html import write_report
from proactive_agent.views.html.gallery import gallery_of
from proactive_agent.views.html.steps import episode_values
from tests.proactive_agent.reports.comparison.playing import EMBEDDED_NOTE
from tests.proactive_agent.running import play_new
from tests.proactive_agent.written_records import FAILED, episode, turn

STEERING = "\u202e\x1b[2J"
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
    return turn("unreadable") | {"reply": reply, "action": action, "prompt": ATTACK + STEERING}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs; one of them also has hostile replies and a failed request."""
    pytest.importorskip("matplotlib")
    results = tmp_path_factory.mktemp("results")
    runs = []
    for provider in ("baseline:random", "baseline:oracle"):
        settings = Settings(provider=provider, scenarios=("rod", "coco"), limit=3)
        runs.append(play_new(settings, results))
    with EpisodeWriter(runs[0]) as writer:
        hostile = {"turns": [hostile_turn()], "target": ATTACK, "answer": ATTACK}
        writer.write(episode("unreadable", sample_id="evil", stop="invalid", **hostile))
        writer.write(episode("ask", sample_id=99, stop="error", error=FAILED | {"message": ATTACK}))
    file = results / "report.html"
    write_report(runs, file, episodes=50)
    return file


@pytest.fixture(scope="module")
def chromium(page: Path) -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("no chromium is installed")
    # Started after the runs were played, because the driver keeps its event loop running.
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=CHROMIUM, args=list(QUIET), env=dict(os.environ)
        )
        yield browser
        browser.close()


class Opened:
    """The page in the browser, with its requests and errors."""

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
        """Returns the episodes that pass the filters."""
        names = self.tab.locator("#list > li:not([hidden]) h3 .name")
        return [str(name) for name in names.all_text_contents()]

    def steps(self) -> Any:
        """Scrolls through the page and returns the turns of every episode."""
        for item in self.tab.locator("#list > li:not([hidden])").all():
            item.scroll_into_view_if_needed()
            item.locator(".end").wait_for()
        return self.tab.locator("#list > li:not([hidden]) .step")


@pytest.fixture
def opened(chromium: Any, page: Path) -> Iterator[Opened]:
    window = Opened(chromium, page)
    yield window
    window.tab.context.close()


def test_every_episode_is_a_timeline_of_its_pictures(opened: Opened) -> None:
    assert len(opened.shown) == 2 * 6 + 2
    images = opened.steps().locator("img")
    assert images.count() > 20
    widths = images.evaluate_all(
        "every => Promise.all(every.map(i => i.decode().then(() => i.naturalWidth)))"
    )
    assert min(widths) > 16


def test_nothing_is_fetched_and_nothing_complains(opened: Opened, page: Path) -> None:
    for step in opened.steps().all():
        step.click()
    fetched = [url for url in opened.requests if not url.startswith("data:")]
    assert fetched == [page.as_uri()]
    assert opened.complaints == []


def test_what_a_model_wrote_is_shown_and_does_not_run(opened: Opened) -> None:
    evil = opened.tab.locator(".episode", has_text="rod:evil")
    evil.scroll_into_view_if_needed()
    evil.locator(".step").click()
    assert evil.locator(".detail").inner_text().count(ATTACK) >= 4
    opened.tab.wait_for_timeout(100)
    assert "owned" not in opened.tab.title()
    assert opened.complaints == []


def test_a_text_that_would_turn_the_page_around_is_made_visible(page: Path) -> None:
    assert "\\u202e" not in page.read_text()
    assert "\\u001b" not in page.read_text()
    assert "\\ufffd[2J" in page.read_text()


def test_a_verdict_is_told_by_sign_and_word_too(opened: Opened) -> None:
    opened.tab.fill("#search", "rod:evil")
    assert opened.steps().locator(".verdict").all_inner_texts() == ["?\nno action"]
    opened.tab.select_option("#group", "right")
    opened.tab.fill("#search", "")
    opened.tab.select_option("#scenario", "rod")
    told = opened.steps().locator(".verdict").all_inner_texts()
    assert set(told) == {"✓\naccepted", "✓\nright"}


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
    opened.tab.click("#filters [type=reset]")
    opened.tab.wait_for_timeout(50)
    assert len(opened.shown) == 14


def test_a_failure_group_leads_to_its_episodes(opened: Opened) -> None:
    opened.tab.locator("#failures a", has_text="error: timeout").click()
    assert opened.shown == ["rod:99"]


def test_the_keyboard_is_enough(opened: Opened) -> None:
    press = opened.tab.keyboard.press
    press("/")
    opened.tab.keyboard.type("rod:")
    press("Escape")
    opened.tab.select_option("#run", "baseline:oracle")
    opened.tab.locator("#run").blur()
    press("j")
    press("ArrowRight")
    press("Enter")
    assert opened.tab.locator(".step[aria-expanded=true] .number").all_text_contents() == ["2"]
    assert "turn 2, shown" in opened.tab.locator(".detail").inner_text()
    press("Enter")
    assert opened.tab.locator(".detail").count() == 0


def test_tables_plots_and_failures_are_on_the_page(opened: Opened) -> None:
    text = opened.tab.inner_text("main")
    assert "baseline:oracle" in text
    assert "cannot be compared" in text
    assert opened.tab.locator("#plots img").count() >= 2
    captions = opened.tab.locator("#plots figcaption")
    assert captions.count() == opened.tab.locator("#plots img").count()
    assert EMBEDDED_NOTE in captions.first.inner_text()
    assert "error: timeout" in opened.tab.inner_text("#failures")


def test_a_narrow_screen_does_not_scroll_sideways(chromium: Any, page: Path) -> None:
    phone = Opened(chromium, page, viewport={"width": 360, "height": 740})
    for step in phone.steps().all():
        step.click()
    assert phone.tab.evaluate("document.documentElement.scrollWidth") == 360
    phone.tab.context.close()


def test_a_phone_shows_every_column_of_a_table(chromium: Any, page: Path) -> None:
    phone = Opened(chromium, page, viewport={"width": 390, "height": 800})
    hidden = phone.tab.evaluate(
        "() => [...document.querySelectorAll('main .wide td')].filter(cell => {"
        " const box = cell.getBoundingClientRect();"
        " return box.right > 390 || box.left < 0 || box.height === 0 }).length"
    )
    assert hidden == 0
    assert phone.tab.locator("main .wide td").count() > 50
    label = "getComputedStyle(document.querySelector('#results td'), '::before').content"
    assert phone.tab.evaluate(label) == '"ROD"'
    phone.tab.context.close()


def test_the_page_opens_on_the_findings(opened: Opened) -> None:
    assert opened.tab.locator("main h2").first.inner_text() == "Findings"
    assert opened.tab.inner_text("h1").startswith("Do ")
    assert "asks in every first turn" in opened.tab.inner_text("#findings")


def test_dark_where_the_system_is_and_light_on_a_click(chromium: Any, page: Path) -> None:
    window = Opened(chromium, page, color_scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    assert window.tab.evaluate(ground) == "rgb(21, 23, 26)"
    window.tab.click("#theme")
    assert window.tab.evaluate(ground) == "rgb(255, 255, 255)"
    window.tab.context.close()


def test_paper_shows_every_timeline(opened: Opened) -> None:
    opened.tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert opened.tab.locator(".strip .end").count() == len(opened.shown)
    opened.tab.emulate_media(media="print")
    assert not opened.tab.locator("#filters").is_visible()


def test_the_rest_is_counted_where_not_all_are_shown(page: Path, tmp_path: Path) -> None:
    runs = [RunFolder(path.parent) for path in page.parent.glob("*oracle*/run.json")]
    write_report([runs[0]], tmp_path / "few.html", episodes=2)
    text = (tmp_path / "few.html").read_text()
    assert "baseline:oracle: 4 more episodes are not shown here." in text


def test_a_text_without_end_is_cut_and_says_so() -> None:
    long = EpisodeRecord.model_validate(
        episode("wrong").model_dump() | {"turns": [turn("wrong", text="x" * 1_000_000)]}
    )
    (shown,) = episode_values(long, [None])["turns"]
    assert len(shown["text"]) < 5_000
    assert shown["text"].endswith("996,000 more characters")


def test_many_calls_at_once_are_counted() -> None:
    calls = [{"name": "answer", "arguments": "{}"}] * 1_000
    many = turn("unreadable")
    many["reply"] = many["reply"] | {"tool_calls": calls}
    (shown,) = episode_values(episode("wrong", turns=[many]), [None])["turns"]
    assert shown["calls"][-1] == "… 990 more calls"


def test_two_runs_share_their_pictures(page: Path, tmp_path: Path) -> None:
    (oracle,) = page.parent.glob("*oracle*")
    folder = RunFolder(oracle)
    once, twice = (gallery_of([("a", folder)] * n, 50).pictures for n in (1, 2))
    assert len(once) == len(twice) > 10


def test_a_file_that_cannot_be_written_is_named(page: Path) -> None:
    (oracle,) = page.parent.glob("*oracle*")
    with pytest.raises(UserError, match="Is a directory"):
        write_report([RunFolder(oracle)], page.parent, episodes=0)


def test_a_page_without_episodes_has_no_gallery(chromium: Any, page: Path, tmp_path: Path) -> None:
    (oracle,) = page.parent.glob("*oracle*")
    write_report([RunFolder(oracle)], tmp_path / "none.html", episodes=0)
    window = Opened(chromium, tmp_path / "none.html")
    assert "Episodes" not in window.tab.locator("nav a").all_text_contents()
    assert window.tab.locator("#failures a").count() == 0
    assert window.complaints == []
    window.tab.context.close()
