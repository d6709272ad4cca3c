import pytest

from proactive_agent.providers.api import prices
from proactive_agent.providers.api.prices import Price, Tokens, find_price, parse_price
from proactive_agent.tools import UserError

LIST = {
    "known": {
        "input_cost_per_token": 2e-06,
        "output_cost_per_token": 8e-06,
        "cache_read_input_token_cost": 5e-07,
        "cache_creation_input_token_cost": 2.5e-06,
        "input_cost_per_token_above_200k_tokens": 4e-06,
    },
    "batched": {
        "input_cost_per_token": 2e-06,
        "output_cost_per_token": 8e-06,
        "output_cost_per_token_batches": 5e-06,
        "cache_read_input_token_cost": 5e-07,
    },
    "gemini/known": {"input_cost_per_token": 1e-06, "output_cost_per_token": 1e-06},
    "without": {"input_cost_per_token": 1e-06},
    "free": {"input_cost_per_token": 0, "output_cost_per_token": 0},
}


@pytest.fixture(autouse=True)
def price_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prices, "_price_list", lambda: LIST)
    monkeypatch.setattr(prices, "_version", lambda: "9")


def known() -> Price:
    price = find_price("openai:known")
    assert price is not None
    return price


def test_each_kind_of_token_has_its_price() -> None:
    tokens = Tokens(input=1000, output=100, cached=300, cache_written=200)
    dollars = 500 * 2e-06 + 300 * 5e-07 + 200 * 2.5e-06 + 100 * 8e-06
    assert known().cost(tokens) == pytest.approx(dollars)


def test_what_the_api_does_not_split_is_plain_input() -> None:
    assert known().cost(Tokens(input=1000, output=0)) == pytest.approx(0.002)


def test_a_price_of_the_users_own_knows_no_cache() -> None:
    price = find_price("openai:known", (1.0, 3.0))
    assert price is not None
    tokens = Tokens(input=1_000_000, output=1_000_000, cached=500_000, cache_written=100_000)
    assert price.cost(tokens) == pytest.approx(4.0)


def test_a_batch_costs_half_unless_the_list_knows_better() -> None:
    price = find_price("openai:batched", batch=True)
    assert price == Price(1e-06, 5e-06, 2.5e-07, None, "litellm 9: batched, batch")
    assert find_price("openai:batched", (1.0, 3.0), batch=True) == Price(1e-06, 3e-06)


@pytest.mark.parametrize(
    "tokens", [Tokens(), Tokens(input=5), Tokens(output=5), Tokens(input=200_001, output=5)]
)
def test_what_cannot_be_told_is_unknown(tokens: Tokens) -> None:
    assert known().cost(tokens) is None


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        ("openai:known", "known"),
        ("anthropic:known", "known"),
        ("litellm:openai/known", "known"),
        ("litellm:gemini/known", "gemini/known"),
        ("litellm:azure/known", None),
        ("openai:known@http://localhost:8000/v1", None),
        ("openai:unknown", None),
        ("openai:without", None),
        ("openai:free", "free"),
    ],
)
def test_prices_are_found_under_the_models_own_name_only(spec: str, found: str | None) -> None:
    price = find_price(spec)
    assert (price and price.source) == (found and f"litellm 9: {found}")


def test_a_free_model_costs_nothing_and_that_is_known() -> None:
    price = find_price("openai:free")
    assert price is not None
    assert price.cost(Tokens(input=5, output=5)) == 0.0


@pytest.mark.parametrize("text", ["1", "1,2,3", "a,b", "-1,2", "nan,1", "1,inf", ""])
def test_a_faulty_price_is_wrong_input(text: str) -> None:
    with pytest.raises(UserError, match="expected IN,OUT in dollars"):
        parse_price(text)


def test_a_price_is_two_numbers() -> None:
    assert parse_price("2.5, 10") == (2.5, 10.0)


def test_the_shipped_list_is_read_without_importing_litellm(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.undo()
    pytest.importorskip("litellm", reason="needs the extra `api`")
    price = find_price("openai:gpt-4.1")
    assert price is not None
    assert 0 < price.input < price.output < 1e-3
