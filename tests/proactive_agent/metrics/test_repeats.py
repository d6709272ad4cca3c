from itertools import combinations

import pytest

from proactive_agent.metrics import Consistency, summarise
from tests.proactive_agent.written_records import episode

PLAYED = ["11111", "11010", "00000", "00100"]
"""One sample per row: whether each of its repeats was right."""


def consistency(samples: list[str], scenario: str = "rod") -> Consistency:
    episodes = [
        episode("right" if right == "1" else "wrong", sample_id=i, repeat=r, scenario=scenario)
        for i, rights in enumerate(samples)
        for r, right in enumerate(rights)
    ]
    found = summarise(episodes).scenarios[scenario].consistency
    assert found is not None
    return found


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5])
def test_pass_hat_k_is_the_share_of_k_repeats_that_are_all_right(k: int) -> None:
    tries = [set(picked) for sample in PLAYED for picked in combinations(sample, k)]
    expected = sum(picked == {"1"} for picked in tries) / len(tries)
    assert consistency(PLAYED).pass_hat[k].value == pytest.approx(expected)


def test_samples_with_fewer_repeats_do_not_count_for_more() -> None:
    found = consistency(["111", "1", "00"])
    assert found.pass_hat[3].value == 1
    assert found.pass_hat[2].value == pytest.approx((1 + 0) / 2)


def test_many_repeats_report_powers_of_two_and_the_total() -> None:
    found = consistency(["1" * 21, "0" * 21])
    assert list(found.pass_hat) == [1, 2, 3, 4, 5, 6, 7, 8, 16, 21]


def test_variances_within_and_between_samples_are_separated() -> None:
    found = consistency(PLAYED)
    within = [0, 0.6 * 0.4 * 5 / 4, 0, 0.2 * 0.8 * 5 / 4]
    shares = [1, 0.6, 0, 0.2]
    mean = sum(shares) / 4
    spread = sum((share - mean) ** 2 for share in shares) / 3
    assert found.within.value == pytest.approx(sum(within) / 4)
    assert found.between.value == pytest.approx(spread - sum(within) / 4 / 5)


def test_constant_samples_have_no_variance_within() -> None:
    found = consistency(["11", "00", "11", "00"])
    assert found.within.value == 0
    assert found.between.value == pytest.approx(1 / 3)


def test_variance_only_within_samples_gives_none_between() -> None:
    assert consistency(["10", "01", "10", "01"]).between.value == 0


def test_without_repeats_there_is_no_consistency() -> None:
    assert summarise([episode("right")]).scenarios["rod"].consistency is None


def test_the_average_is_over_scenarios_with_repeats() -> None:
    episodes = [
        episode("right", scenario=scenario, sample_id=0, repeat=repeat)
        for scenario, repeats in (("rod", 2), ("vsod", 1), ("coco", 2))
        for repeat in range(repeats)
    ]
    episodes[-1] = episode("wrong", scenario="coco", sample_id=0, repeat=1)
    found = summarise(episodes).consistency
    assert found is not None
    assert found.pass_hat[2].value == pytest.approx((1 + 0) / 2)
