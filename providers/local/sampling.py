"""Samples tokens with a separate seed for each prompt of a batch."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from transformers import (
    EpsilonLogitsWarper,
    EtaLogitsWarper,
    LogitsProcessor,
    MinPLogitsWarper,
    TopHLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
    TypicalLogitsWarper,
)

from proactive_agent.settings import Sampling

FLAGS = (
    "temperature", "top_k", "top_p", "min_p", "top_h", "typical_p", "epsilon_cutoff", "eta_cutoff",
)  # fmt: skip
"""The settings of a generation config that shape the distribution."""

_DEFAULTS = {"temperature": 1.0, "top_k": 50, "top_p": 1.0}
"""The values that transformers uses if a checkpoint that samples sets none."""

_TINY = torch.finfo(torch.float32).tiny


def chosen_flags(sampling: Sampling) -> dict[str, Any] | None:
    """Returns the flags of a request, or None if it takes the most likely token."""
    if sampling.temperature == 0:
        return None
    flags = {
        "temperature": sampling.temperature, "top_k": sampling.top_k, "top_p": sampling.top_p
    }  # fmt: skip
    return {name: value for name, value in flags.items() if value is not None}


def checkpoint_flags(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the flags with which a checkpoint of these settings samples."""
    return _DEFAULTS | {name: settings[name] for name in FLAGS if name in settings}


class SeededSampling(LogitsProcessor):  # type: ignore[misc, unused-ignore]  # untyped base
    """Samples from softmax(scores / temperature) with a separate seed for each row.

    The other flags remove unlikely tokens from that distribution first, as transformers does.

    Adds Gumbel noise to the scores, so that their maximum, which greedy decoding takes, is a
    sample. The sampling of transformers uses one generator for a whole batch, so a reply would
    depend on the other requests in it.
    """

    def __init__(
        self, flags: Mapping[str, Any], seeds: Sequence[int], device: torch.device
    ) -> None:
        self._temperature = flags["temperature"]
        self._warpers = _warpers(flags, device)
        self._rows = [torch.Generator(device).manual_seed(seed % 2**63) for seed in seeds]

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        noise = torch.empty_like(scores, dtype=torch.float32)
        for row, generator in zip(noise, self._rows, strict=True):
            row.exponential_(generator=generator)
        gumbel = -noise.clamp_min_(_TINY).log_()
        return self.warped(input_ids, scores) + gumbel

    def warped(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Returns the scores of the distribution that is sampled from."""
        scaled: torch.Tensor = scores.float() / self._temperature
        for warper in self._warpers:
            scaled = warper(input_ids, scaled)
        return scaled


def _warpers(flags: Mapping[str, Any], device: torch.device) -> list[Any]:
    """Returns the warpers of these flags, in the order of transformers."""
    value = flags.get
    top_p, typical = value("top_p") or 1.0, value("typical_p") or 1.0
    epsilon, eta = value("epsilon_cutoff") or 0.0, value("eta_cutoff") or 0.0
    warpers: list[Any] = []
    if (top_h := value("top_h")) is not None:
        warpers.append(TopHLogitsWarper(top_h=top_h))
    if top_k := value("top_k"):
        warpers.append(TopKLogitsWarper(top_k))
    if top_p < 1:
        warpers.append(TopPLogitsWarper(top_p))
    if (min_p := value("min_p")) is not None:
        warpers.append(MinPLogitsWarper(min_p))
    if typical < 1:
        warpers.append(TypicalLogitsWarper(mass=typical))
    if 0 < epsilon < 1:
        warpers.append(EpsilonLogitsWarper(epsilon=epsilon))
    if 0 < eta < 1:
        # The device is a text: the annotation of this class says so.
        warpers.append(EtaLogitsWarper(epsilon=eta, device=str(device)))
    return warpers
