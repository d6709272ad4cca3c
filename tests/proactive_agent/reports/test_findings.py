"""The findings in words, of baselines whose behaviour is known."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from proactive_agent import evaluate
from proactive_agent.metrics.statistics import Estimate
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.reports.comparison.help_seeking import help_seeking
from proactive_agent.reports.failure_tables import find_failures
from proactive_agent.reports.findings import extremes, findings
from proactive_agent.reports.runs import read_runs


def found(folders: Sequence[Path]) -> dict[str, str]:
    """Returns the findings of runs as one text each."""
    runs = read_runs([RunFolder(folder) for folder in folders])
    failures = {run.name: find_failures(run.folder.outlines()) for run in runs}
    every = findings(runs, failures, help_seeking(runs))
    return {one.run: " ".join(one.sentences) for one in every}


def played(tmp_path: Path, baseline: str, condition: str = "zero-shot") -> Path:
    out = tmp_path / f"{baseline}-{condition}"
    scenarios = ["vsod", "mvp-n"]
    evaluate(f"baseline:{baseline}", scenarios=scenarios, limit=8, condition=condition, out=out)
    return out


def test_a_model_that_asks_is_told_from_one_that_guesses(tmp_path: Path) -> None:
    texts = found([played(tmp_path, "oracle"), played(tmp_path, "never-ask")])
    asks, guesses = texts.values()
    assert "asks in every first turn" in asks
    assert "right in 100.0 % of the episodes, always on an informative frame" in asks
    assert "failure" not in asks
    assert "never asks in the first turn" in guesses
    assert "but never on an informative frame: these answers are guesses" in guesses
    assert "“guessed on first turn”" in guesses


def test_over_asking_is_part_of_the_run_on_ambiguous_frames(tmp_path: Path) -> None:
    pair = [played(tmp_path, "always-ask", condition) for condition in ("zero-shot", "clear")]
    ((_, text),) = found(pair).items()
    assert "asks on 100.0 % of the ambiguous frames and on 100.0 % of the clear ones" in text


def test_recognition_is_a_finding_of_its_own(tmp_path: Path) -> None:
    ((_, text),) = found([played(tmp_path, "oracle", "reference")]).items()
    assert text == "It recognises 100.0 % of the objects on the reference frame."


@pytest.mark.parametrize(("spread", "named"), [(0.5, True), (0.05, False)])
def test_scenarios_are_named_if_they_differ(spread: float, named: bool) -> None:
    text = extremes({"rod": Estimate(value=0.2 + spread), "coco": Estimate(value=0.2)})
    assert text == (", most in ROD (70.0 %), least in COCO (20.0 %)" if named else "")
