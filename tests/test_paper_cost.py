"""`benchmarks/paper_cost.py`: its arithmetic, and the table in docs/cluster.md."""

from pathlib import Path

import pytest

from benchmarks.paper_cost import (
    PAGE,
    Assumptions,
    Work,
    billions,
    dollars,
    gpu_hours,
    models,
    page,
    published_turns,
    renewed,
    rows,
    samples,
)

GIVEN = Assumptions()


def test_the_table_of_the_page_is_current() -> None:
    text = Path(PAGE).read_text(encoding="utf-8")
    assert renewed(text, page(GIVEN)) == text, "run `python -m benchmarks.paper_cost --write`"


def test_there_are_22_models_and_three_of_them_are_behind_an_api() -> None:
    sizes = {model: billions(model) for model in models()}
    assert len(sizes) == 22
    assert [model for model, size in sizes.items() if size is None] == [
        "o4-mini", "GPT-4.1", "GPT-5.2",
    ]  # fmt: skip
    assert sizes["LLaVA-OV-0.5B"] == 0.5
    assert sizes["Phi-4-Multimodal-6B"] == 6


def test_samples_are_those_of_the_paper() -> None:
    assert sum(samples().values()) == 7557
    assert sum(samples(filtered=False).values()) == 17_909


def test_turns_are_published_suggestions_and_the_last_turn() -> None:
    """psr of LLaVA-1.5-7B: 0.7, 1.7, 0.0, 0.8, 0.7, 1.3 and 0.9."""
    counts = samples()
    turns = published_turns("table1")["LLaVA-1.5-7B"]
    assert sum(counts[name] * turns[name] for name in counts) == pytest.approx(
        88 * 1.7 + 42 * 2.7 + 2591 + 1095 * 1.8 + 2105 * 1.7 + 396 * 2.3 + 1240 * 1.9
    )


def test_a_condition_of_one_turn_has_a_request_per_sample_and_model() -> None:
    (reference,) = [row for row in rows(GIVEN) if row.name == "`reference`"]
    assert reference.requests == 22 * 7557


def test_reading_takes_two_operations_per_parameter_and_token() -> None:
    given = Assumptions(teraflops=100.0, prefill_use=0.5)
    # 1e9 tokens x 2 x 9e9 parameters = 1.8e19 operations at 5e13 per second.
    assert gpu_hours(9.0, Work(1.0, 1e9, 0.0), given) == pytest.approx(100.0)


def test_writing_takes_one_pass_over_the_weights_per_token_and_batch() -> None:
    given = Assumptions(terabytes=2.0, memory_use=0.5, batch=10.0)
    # 18 GB at 1 TB/s are 18 ms per token of ten requests.
    assert gpu_hours(9.0, Work(1.0, 0.0, 2e6), given) == pytest.approx(1.0)


def test_prices_are_per_million_tokens() -> None:
    assert dollars("GPT-4.1", Work(1.0, 2e6, 1e6)) == pytest.approx(2 * 2.0 + 8.0)
