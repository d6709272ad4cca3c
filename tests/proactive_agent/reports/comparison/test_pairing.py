from itertools import product

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import mcnemar

from proactive_agent.reports.comparison.pairing import subtract
from tests.proactive_agent.reports.comparison.playing import answers, played

OURS = played("ours", answers("1111111100") + answers("11111100", "coco"))
BASE = played("base", answers("0000011011") + answers("11110001", "coco"))


def test_a_difference_is_computed_on_common_samples() -> None:
    ours = played("ours", answers("11-10"))
    base = played("base", answers("01100-11"))
    found = subtract(ours.tables, base.tables, ["rod"]).scenarios["rod"]["acc"]
    assert found.samples == 4
    assert found.difference.value == pytest.approx((1 + 0 + 1 + 0) / 4)


def test_acc_is_tested_by_mcnemars_test() -> None:
    found = subtract(OURS.tables, BASE.tables, ["rod"]).scenarios["rod"]["acc"]
    only_ours, only_base = 6, 2
    theirs = mcnemar([[2, only_ours], [only_base, 0]], exact=True)
    assert found.p == pytest.approx(theirs.pvalue)


def test_psr_is_compared_too() -> None:
    ours, base = played("ours", answers("AAAA11")), played("base", answers("111111"))
    found = subtract(ours.tables, base.tables, ["rod"]).scenarios["rod"]["psr"]
    assert found.difference.value == pytest.approx(4 / 6)
    assert found.p == pytest.approx(2 / 2**4, abs=0.02)


def test_p_values_are_adjusted_over_scenarios() -> None:
    found = subtract(OURS.tables, BASE.tables, ["rod", "coco"]).scenarios
    p, p_holm = ([getattr(found[s]["acc"], f) for s in ("rod", "coco")] for f in ("p", "p_holm"))
    assert p_holm[p.index(min(p))] == pytest.approx(2 * min(p))


def test_the_average_is_over_the_scenarios_with_common_samples() -> None:
    found = subtract(OURS.tables, BASE.tables, ["rod", "coco"])
    each = [by_metric["acc"].difference.value for by_metric in found.scenarios.values()]
    assert found.macro["acc"].difference.value == pytest.approx(sum(each) / 2)
    assert found.macro["acc"].samples == 18
    alone = subtract(OURS.tables, BASE.tables, ["rod"])
    assert alone.macro["acc"].difference == alone.scenarios["rod"]["acc"].difference


def test_repeats_of_a_sample_are_one_sample() -> None:
    """Repeats of one lucky sample are not evidence."""
    ours = played("ours", [one for r in range(20) for one in answers("1", repeat=r)])
    base = played("base", [one for r in range(20) for one in answers("0", repeat=r)])
    found = subtract(ours.tables, base.tables, ["rod"]).scenarios["rod"]["acc"]
    assert (found.samples, found.difference.value) == (1, 1)
    assert (found.p, found.stars) == (1, "")


def test_acc_of_repeated_samples_is_tested_by_the_size_of_the_differences() -> None:
    """Nine samples gain one right repeat of five and one loses all; a sign test sees 9 to 1."""
    ours = [one for r in range(5) for one in answers("1" * 9 + "0", repeat=r)]
    base = [one for r in range(5) for one in answers(("0" if r == 0 else "1") * 9 + "1", repeat=r)]
    found = subtract(played("ours", ours).tables, played("base", base).tables, ["rod"])
    differences = np.array([0.2] * 9 + [-1.0])
    null = [abs(differences @ signs) for signs in product((-1, 1), repeat=10)]
    exact = np.mean(np.array(null) >= abs(differences.sum()) - 1e-9)
    assert found.scenarios["rod"]["acc"].p == pytest.approx(exact, abs=0.02)
    assert found.scenarios["rod"]["acc"].p > 0.2


def test_a_significant_difference_gets_stars() -> None:
    ours, base = played("ours", answers("1" * 30)), played("base", answers("0" * 30))
    found = subtract(ours.tables, base.tables, ["rod"])
    assert found.scenarios["rod"]["acc"].stars == "***"


def test_without_common_samples_there_is_no_difference() -> None:
    ours, base = played("ours", answers("1-")), played("base", answers("-0"))
    assert subtract(ours.tables, base.tables, ["rod"]).scenarios == {}
