"""Runs on generated scenes of different seeds are compared without pairing."""

from pathlib import Path

import numpy as np
import pytest

from proactive_agent import evaluate
from proactive_agent.metrics.statistics.resampling import shuffle_labels
from proactive_agent.metrics.statistics.shares import unpaired_difference
from proactive_agent.metrics.statistics.testing import permutation_test
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.reports.comparison.report import ComparisonReport, make_report
from proactive_agent.reports.runs import read_runs


def compared(folder: Path, *runs: tuple[str, str]) -> ComparisonReport:
    """Plays two baselines on two sources and compares them."""
    for number, (model, source) in enumerate(runs):
        evaluate(f"baseline:{model}", data=source, scenarios="mvp-n", out=folder / str(number))
    played = read_runs([RunFolder(folder / str(number)) for number in range(len(runs))])
    return make_report(played, played[0], with_published=False)


def test_two_seeds_are_not_paired(tmp_path: Path) -> None:
    report = compared(tmp_path, ("oracle", "fresh:1:n=8:px=96"), ("never-ask", "fresh:2:n=8:px=96"))
    (found,) = report.differences.values()
    difference = found.scenarios["mvp-n"]["informed"]
    assert (difference.paired, difference.samples) == (False, 8)
    assert difference.difference.value == -1
    assert difference.p is not None
    assert difference.p < 0.01
    assert "without pairing" in " ".join(report.notes)
    assert report.runs[0].data == "generated scenes, fresh:1:n=8:px=96"


def test_seen_and_unseen_things_are_not_paired(tmp_path: Path) -> None:
    report = compared(
        tmp_path, ("oracle", "fresh:1:seen:n=4:px=96"), ("oracle", "fresh:1:unseen:n=4:px=96")
    )
    (found,) = report.differences.values()
    assert not found.scenarios["mvp-n"]["acc"].paired


def test_episodes_record_whether_the_thing_is_unseen(tmp_path: Path) -> None:
    evaluate("baseline:oracle", data="fresh:1:unseen:n=4:px=96", scenarios="rod", out=tmp_path)
    assert [e.unseen for e in RunFolder(tmp_path).episodes()] == [True] * 4


def test_one_seed_is_paired_even_if_one_run_has_more_samples(tmp_path: Path) -> None:
    report = compared(tmp_path, ("oracle", "fresh:1:n=8:px=96"), ("oracle", "fresh:1:n=4:px=96"))
    (found,) = report.differences.values()
    difference = found.scenarios["mvp-n"]["acc"]
    assert (difference.paired, difference.samples) == (True, 4)
    assert "different data" not in " ".join(report.notes)


def test_other_difficulties_are_not_compared(tmp_path: Path) -> None:
    report = compared(
        tmp_path, ("oracle", "fresh:1:n=4:px=96"), ("oracle", "fresh:2:hard:n=4:px=96")
    )
    assert not report.differences
    assert "different data" in " ".join(report.notes)


def test_the_unpaired_test_is_fishers() -> None:
    from scipy.stats import fisher_exact

    ours, theirs = np.repeat([1.0, 0.0], [30, 20]), np.repeat([1.0, 0.0], [15, 35])
    p = permutation_test(shuffle_labels(ours, theirs, "x"))
    assert p == pytest.approx(fisher_exact([[30, 20], [15, 35]]).pvalue, abs=0.003)


def test_means_of_repeats_are_dealt_too() -> None:
    rng = np.random.default_rng(0)
    ours, theirs = rng.choice([0, 0.5, 1], 60), rng.choice([0, 0.5, 1], 80)
    p = permutation_test(shuffle_labels(ours, theirs, "x"))
    assert p is not None
    assert 0.05 < p < 1
    shifted = permutation_test(shuffle_labels(ours + 1, theirs, "x"))
    assert shifted is not None
    assert shifted < 0.001


def test_the_interval_is_newcombes() -> None:
    """Newcombe (1998), table II, method 10: 56/70 and 48/80."""
    ours, theirs = np.repeat([1.0, 0.0], [56, 14]), np.repeat([1.0, 0.0], [48, 32])
    found = unpaired_difference(ours, theirs, (70, 80))
    assert found.value == pytest.approx(0.2)
    assert found.low == pytest.approx(0.0524, abs=5e-4)
    assert found.high == pytest.approx(0.3339, abs=5e-4)
