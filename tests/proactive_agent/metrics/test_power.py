"""The number of samples that tell two models apart."""

from pathlib import Path

import numpy as np
import pytest

from proactive_agent.metrics.statistics.power import paired_samples, table, unpaired_samples
from proactive_agent.metrics.statistics.testing import sign_test

ROOT = Path(__file__).parents[3]


def test_mcnemars_test_finds_the_difference_in_four_of_five_studies() -> None:
    count = paired_samples(0.05, 0.2)
    rng = np.random.default_rng(1)
    better, worse, _ = rng.multinomial(count, (0.125, 0.075, 0.8), 1000).T
    found = [sign_test(int(b), int(w)) < 0.05 for b, w in zip(better, worse, strict=True)]
    assert 0.74 < np.mean(found) < 0.84


def test_a_test_of_two_shares_finds_it_too() -> None:
    count = unpaired_samples(0.05)
    rng = np.random.default_rng(2)
    ours, theirs = (rng.binomial(count, share, 4000) / count for share in (0.525, 0.475))
    middle = (ours + theirs) / 2
    scores = (ours - theirs) / np.sqrt(2 * middle * (1 - middle) / count)
    assert 0.77 < np.mean(np.abs(scores) > 1.96) < 0.83


@pytest.mark.parametrize(("difference", "disagreement"), [(0, 0.1), (0.2, 0.1), (0.1, 1.1)])
def test_impossible_disagreements_are_refused(difference: float, disagreement: float) -> None:
    with pytest.raises(ValueError, match="expected"):
        paired_samples(difference, disagreement)


def test_the_table_is_that_of_the_docs() -> None:
    assert table() in (ROOT / "docs" / "fresh.md").read_text(encoding="utf-8")
