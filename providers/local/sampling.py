"""Sampling that depends on a request's seed alone, whatever else is in its batch."""

from collections.abc import Sequence

import torch
from transformers import LogitsProcessor

_TINY = torch.finfo(torch.float32).tiny


class SeededSampling(LogitsProcessor):  # type: ignore[misc, unused-ignore]  # untyped base
    """Makes greedy decoding draw from softmax(scores / temperature), each row by its own seed.

    The maximum of the scores with Gumbel noise added is such a draw.  transformers' own sampling
    takes its numbers from one generator for the whole batch.
    """

    def __init__(self, temperature: float, seeds: Sequence[int], device: torch.device) -> None:
        self._temperature = temperature
        self._rows = [torch.Generator(device).manual_seed(seed % 2**63) for seed in seeds]

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        noise = torch.empty_like(scores, dtype=torch.float32)
        for row, generator in zip(noise, self._rows, strict=True):
            row.exponential_(generator=generator)
        gumbel = -noise.clamp_min_(_TINY).log_()
        return scores.float() / self._temperature + gumbel
