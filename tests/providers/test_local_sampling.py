"""Sampling with temperature and seeds."""

import asyncio
from collections import Counter

import pytest

from proactive_agent.providers import Sampling
from tests.providers import asking
from tests.providers.asking import Opened, ask_all, ask_each, question, questions

tiny = pytest.importorskip("tests.providers.tiny_models", reason="needs the extra `local`")
pytestmark = pytest.mark.local

opened = asking.opened


def test_sampled_replies_depend_on_the_seed_and_not_on_the_batch(opened: Opened) -> None:
    provider = opened()
    requests = questions(6, sampling=Sampling(12, temperature=1.0))
    together = asyncio.run(ask_all(provider, requests))
    backwards = asyncio.run(ask_each(provider, requests[::-1]))[::-1]
    assert asking.essence(together) == asking.essence(backwards)


def test_another_seed_is_another_reply(opened: Opened) -> None:
    provider, sampling = opened(), Sampling(12, temperature=1.0)
    requests = [question("What?", seed=seed, sampling=sampling) for seed in range(6)]
    assert len({r.text for r in asyncio.run(ask_all(provider, requests))}) == 6


def test_temperature_0_does_not_look_at_the_seed(opened: Opened) -> None:
    provider = opened()
    requests = [question("What?", seed=seed) for seed in range(4)]
    assert len({r.text for r in asyncio.run(ask_all(provider, requests))}) == 1


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_sampling_follows_the_scores(temperature: float) -> None:
    import torch

    from proactive_agent.providers.local.sampling import SeededSampling, chosen_flags

    scores = torch.tensor([2.0, 1.0, 0.0, float("-inf")])
    number = 4000
    flags = chosen_flags(Sampling(temperature=temperature))
    assert flags is not None
    sample = SeededSampling(flags, range(number), torch.device("cpu"))
    drawn = Counter(sample(torch.empty(0), scores.repeat(number, 1)).argmax(dim=1).tolist())
    expected = torch.softmax(scores / temperature, dim=0)
    # At most five standard errors.
    assert [drawn[i] / number for i in range(4)] == pytest.approx(expected.tolist(), abs=0.04)


@pytest.mark.parametrize(
    ("sampling", "possible"),
    [
        (Sampling(temperature=1.0, top_k=2), {0, 1}),
        (Sampling(temperature=1.0, top_p=0.5), {0}),
        (Sampling(temperature=9.0, top_p=0.5), {0, 1}),
        (Sampling(temperature=9.0, top_p=0.99, top_k=1), {0}),
    ],
)
def test_unlikely_tokens_are_never_sampled(sampling: Sampling, possible: set[int]) -> None:
    import torch

    from proactive_agent.providers.local.sampling import SeededSampling, chosen_flags

    scores = torch.tensor([2.0, 1.0, 0.0, float("-inf")])
    flags = chosen_flags(sampling)
    assert flags is not None
    sample = SeededSampling(flags, range(500), torch.device("cpu"))
    assert set(sample(torch.empty(0), scores.repeat(500, 1)).argmax(dim=1).tolist()) == possible
