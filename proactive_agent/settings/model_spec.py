"""The spec of a model: `NAME:MODEL`, for example `openai:gpt-4.1`."""

from typing import NamedTuple


class ModelSpec(NamedTuple):
    """The parts of a spec; each may be empty."""

    provider: str
    model: str


def split_spec(spec: str) -> ModelSpec:
    """Splits a spec at its first colon. Without a colon, it is the name of a provider."""
    provider, _, model = spec.partition(":")
    return ModelSpec(provider, model)
