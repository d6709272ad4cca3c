"""Tiny models that were trained to reply with options, so that their rewards differ."""

import functools
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from proactive_agent.training.events import Event, Stepped
from proactive_agent.training.session import train
from proactive_agent.training.settings import TrainingSettings
from tests.proactive_agent.training.material import small_split
from tests.providers import tiny_models

_ROOT = tempfile.TemporaryDirectory(prefix="taught-models-")
SHORT = {"batch_size": 16, "save_every": 0, "rollouts": 4, "device_batch_size": 16, "eval_limit": 0}


@functools.cache
def split() -> Path:
    """Returns the train split for all models."""
    return small_split(Path(_ROOT.name))


@functools.cache
def taught(kind: str) -> Path:
    """Returns the folder of a model that writes option letters. It is made once per test run."""
    out = Path(_ROOT.name) / kind
    trained(out, model=str(tiny_models.folder(kind)), method="sft", tune="full", rollouts=2,
            max_steps=14, learning_rate=1e-2, reply_form="letter")  # fmt: skip
    return out


class Rewarded(NamedTuple):
    """A model after three steps of GRPO, and the log of each step."""

    out: Path
    logged: list[dict[str, Any]]


@functools.cache
def rewarded(kind: str) -> Rewarded:
    """Trains all weights of a SmolVLM, or an adapter of another model; once per test run."""
    out = Path(_ROOT.name) / f"{kind}-rewarded"
    whole = kind == "smolvlm"
    more = {"tune": "full", "beta": 0.01, "save_every": 1, "keep": 1} if whole else {}
    logged = trained(
        out, model=str(taught(kind)), max_steps=3, learning_rate=1e-2, max_tokens=8, eval_limit=1,
        **more,
    )  # fmt: skip
    return Rewarded(out, logged)


def trained(out: Path, **settings: Any) -> list[dict[str, Any]]:
    """Trains into a folder; returns the log of every step."""
    told: list[Event] = []
    train(TrainingSettings.of(**{"data": str(split()), **SHORT, **settings}), out, told.append)
    return steps(told)


def steps(told: list[Event]) -> list[dict[str, Any]]:
    """Returns the log of every step."""
    return [event.values for event in told if isinstance(event, Stepped)]
