"""Journal, curves and card."""

import json
from pathlib import Path
from xml.etree import ElementTree

from proactive_agent import evaluate
from proactive_agent.training.card import CARD, draw_curves, write_card
from proactive_agent.training.evaluation import AFTER, BEFORE, CONDITIONS, run_folders
from proactive_agent.training.folder import JOURNAL, Journal, read_journal
from tests.proactive_agent.training.test_checkpoints import manifest

LINES = [
    {"phase": "grpo", "step": step, "reward": step / 4, "ask_rate/clear": 0.5, "loss": 0.0}
    for step in (1, 2, 3, 4)
]


def test_a_resumed_journal_keeps_what_the_checkpoint_builds_on(tmp_path: Path) -> None:
    for phase, step in (("benchmark", 0), ("warm-up", 3), ("grpo", 1), ("grpo", 2), ("grpo", 3)):
        Journal(tmp_path, 99).write(phase, step, {"loss": 1.0})
    with (tmp_path / JOURNAL).open("a") as stream:
        stream.write('{"phase": "grpo", "st')
    Journal(tmp_path, 2)
    kept = [(line["phase"], line["step"]) for line in read_journal(tmp_path)]
    assert kept == [("benchmark", 0), ("warm-up", 3), ("grpo", 1), ("grpo", 2)]
    Journal(tmp_path)
    assert [line["phase"] for line in read_journal(tmp_path)] == ["benchmark"]


def test_another_process_leaves_the_journal_alone(tmp_path: Path) -> None:
    Journal(tmp_path).write("benchmark", 0, {"x": 1})
    assert Journal(tmp_path, writes=False).write("grpo", 1, {"loss": 1.0})["loss"] == 1
    assert [line["phase"] for line in read_journal(tmp_path)] == ["benchmark"]


def test_a_line_holds_numbers_and_the_speed(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    nan = float("nan")
    journal.write("grpo", 1, {"reward": 0.5, "kl": nan, "num_tokens": 1000.0, "total_flos": 3})
    (line,) = read_journal(tmp_path)
    assert line.pop("tokens_per_second") > 0
    assert line == {"phase": "grpo", "step": 1, "reward": 0.5, "num_tokens": 1000.0}
    assert "NaN" not in (tmp_path / JOURNAL).read_text()


def test_curves_show_the_metrics_that_were_logged() -> None:
    drawn = draw_curves(LINES, "grpo")
    assert drawn is not None
    root = ElementTree.fromstring(drawn)
    lines = [element.get("points") for element in root.iter() if element.tag.endswith("polyline")]
    assert len(lines) == 2
    assert lines[0] == "40.0,130.0 226.7,100.0 413.3,70.0 600.0,40.0"
    assert draw_curves(LINES, "sft") is None
    assert "loss" in (draw_curves([{**line, "phase": "sft", "reward": None, "ask_rate/clear": None}
                              for line in LINES], "sft") or "")  # fmt: skip


def test_one_point_is_no_curve() -> None:
    assert draw_curves(json.loads(json.dumps(LINES[:1])), "grpo") is None


def test_results_beside_the_papers_have_the_note_on_their_data(tmp_path: Path) -> None:
    for label in (BEFORE, AFTER):
        for condition, folder in zip(CONDITIONS, run_folders(tmp_path, label), strict=True):
            evaluate(
                "baseline:never-ask", data="fresh:1:n=1:px=96", scenarios="rod",
                condition=condition, out=folder,
            )  # fmt: skip
    write_card(tmp_path, manifest())
    card = (tmp_path / CARD).read_text(encoding="utf-8")
    assert "Scores on generated scenes cannot be compared with published ones." in card
