import io
from typing import Any

import pytest
from rich.console import Console

from proactive_agent.records import EpisodeRecord
from proactive_agent.terminal import plain
from proactive_agent.trace import Filter, episode_view
from tests.proactive_agent.records import FAILED, episode, turn

EVIL = "\x1b[2J\x1b]0;title\x07[red]markup[/red] [link=http://x]y[/link] \u202egnirts \r\x08"


def shown(record: EpisodeRecord, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system="standard")
    console.print(episode_view(record))
    output = console.file.getvalue()  # type: ignore[attr-defined]
    return str(output)


def evil_episode() -> EpisodeRecord:
    fields: dict[str, Any] = turn("ask", text=EVIL)
    fields["reply"]["tool_calls"] = [{"name": EVIL, "arguments": EVIL}]
    fields["action"] = {"kind": "invalid", "why": "unknown_tool", "detail": EVIL}
    fields["notes"] = [EVIL]
    fields["prompt"] = EVIL
    fields["image"]["path"] = EVIL
    return episode(turns=[fields], target=EVIL, error={**FAILED, "message": EVIL})


def test_no_models_text_steers_the_terminal() -> None:
    output = shown(evil_episode())
    for forbidden in ("\x1b[2J", "\x1b]", "\x07", "\u202e", "\x08", "\r"):
        assert forbidden not in output


def test_no_models_text_is_taken_for_markup() -> None:
    assert shown(evil_episode()).count("[red]markup[/red]") >= 7


def test_what_controls_is_replaced_and_the_rest_stays() -> None:
    assert plain("a\x1b[2Jb\tc\nd\u202eé漢") == "a\ufffd[2Jb\tc\nd\ufffdé漢"


def test_an_episode_is_readable_at_80_columns() -> None:
    console = Console(file=io.StringIO(), width=80, color_system=None)
    console.print(episode_view(episode("ask", "right")))
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert max(map(len, lines)) <= 80
    assert lines[0] == "rod:0  tools, zero-shot  correct"
    assert "  = move_object(left)  suggestion correct" in lines
    assert "  = answer: Cat.  category correct" in lines
    assert lines[-2] == "right answer: Cat."


def test_an_error_is_shown_with_its_source() -> None:
    assert "error (provider, timeout): no answer" in shown(episode("ask", error=FAILED))


RECORDS = [
    episode("right", sample_id=0),
    episode("wrong", sample_id=1),
    episode(sample_id=2, error=FAILED),
    episode("wrong", scenario="coco", sample_id=1),
]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Filter(), ["rod:0", "rod:1", "rod:2", "coco:1"]),
        (Filter(wrong=True), ["rod:1", "coco:1"]),
        (Filter(correct=True), ["rod:0"]),
        (Filter(errors=True), ["rod:2"]),
        (Filter(errors=True, wrong=True), ["rod:1", "rod:2", "coco:1"]),
        (Filter(scenarios=frozenset({"coco"})), ["coco:1"]),
        (Filter(sample=("rod", "1")), ["rod:1"]),
        (Filter(limit=1, wrong=True), ["rod:1"]),
    ],
)
def test_filters(wanted: Filter, found: list[str]) -> None:
    assert [f"{e.scenario}:{e.sample_id}" for e in wanted.apply(RECORDS)] == found
