"""Token counts, estimates and prices.

Prices come from litellm's price list, which is read as a file, or from `--price`.
"""

import importlib.util
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from proactive_agent.disk.regular_file import read_regular
from proactive_agent.providers.api.server import parse_target
from proactive_agent.providers.messages import AssistantMessage, Request, TextPart
from proactive_agent.tools import UserError

PRICE_LIST = "model_prices_and_context_window_backup.json"
CHARACTERS_PER_TOKEN = 4
PIXELS_PER_TOKEN = 750
"""Anthropic's rule. The tiles of OpenAI and Gemini give similar numbers at these sizes."""
REPLY = 48
"""Estimated tokens of a reply: one tool call, or the letter and text of an option."""
BATCH_SHARE = 0.5
"""The price of a batch as a share of the ordinary price, if the list has no batch price."""
_LONG_PROMPT = re.compile(r"input_cost_per_token_above_(\d+)k_tokens")


@dataclass(frozen=True, slots=True)
class Tokens:
    """Token counts reported by the API. None means that it does not report them."""

    input: int | None = None
    """The whole prompt, including tokens that were read from or written to the prompt cache."""
    output: int | None = None
    """All generated tokens, including reasoning."""
    cached: int | None = None
    cache_written: int | None = None
    reasoning: int | None = None


@dataclass(frozen=True, slots=True)
class Price:
    """Prices in US dollars per token."""

    input: float
    output: float
    cached: float | None = None
    """Price of input read from the prompt cache; None means the price of other input."""
    cache_written: float | None = None
    source: str = "--price"
    up_to: int | None = None
    """Longest prompt, in tokens, with this price; None means any length."""

    def cost(self, tokens: Tokens) -> float | None:
        """The cost of a reply in US dollars; None if it is unknown."""
        if tokens.input is None or tokens.output is None:
            return None
        if self.up_to is not None and tokens.input > self.up_to:
            return None
        cached, written = tokens.cached or 0, tokens.cache_written or 0
        return (
            max(0, tokens.input - cached - written) * self.input
            + cached * _or(self.cached, self.input)
            + written * _or(self.cache_written, self.input)
            + tokens.output * self.output
        )


def parse_price(text: str) -> tuple[float, float]:
    """Parses `IN,OUT`, in US dollars per million tokens. Raises UserError."""
    try:
        given, written = (float(number) for number in text.split(","))
    except ValueError:
        given = written = -1.0
    if not (0 <= given < float("inf") and 0 <= written < float("inf")):
        raise UserError(
            f"price {text!r}: expected IN,OUT in dollars per million tokens, for example 2.5,10"
        )
    return given, written


def find_price(
    spec: str, own: tuple[float, float] | None = None, *, batch: bool = False
) -> Price | None:
    """The price of a `NAME:MODEL`. `own`, in dollars per million tokens, overrides the list.

    `batch` asks for the price of the batch API. None if the price is unknown: the model is not in
    the list, or a custom server runs it.
    """
    if own is not None:
        return Price(own[0] / 1e6, own[1] / 1e6)
    name, _, rest = spec.partition(":")
    target = parse_target(rest)
    if target.base_url is not None:
        return None
    for key in _keys(name, target.model):
        if price := _price(key, _price_list().get(key), batch=batch):
            return price
    return None


def has_price_list() -> bool:
    """Whether litellm's price list is installed."""
    return bool(_price_list())


def listed(name: str, model: str, keys: Iterable[str] | None = None) -> Mapping[str, Any] | None:
    """The entry of a model in litellm's list, which also says what the model can do.

    `keys` are the names to look up, by default those of a model at its company's own API.
    """
    prices = _price_list()
    found = (prices.get(key) for key in keys or _keys(name, model))
    return next((entry for entry in found if entry is not None), None)


def input_tokens(request: Request, sizes: Mapping[str, tuple[int, int]]) -> int:
    """Estimates the input tokens of a request: texts, tools and pictures.

    `sizes` maps `ImagePart.key` to the width and height in pixels at which a picture is sent.
    """
    characters = sum(len(text) for text in _texts(request))
    tokens = characters / CHARACTERS_PER_TOKEN
    for message in request.messages:
        for part in getattr(message, "content", ()):
            if not isinstance(part, TextPart):
                width, height = sizes[part.key]
                tokens += width * height / PIXELS_PER_TOKEN
    return round(tokens)


def sent_size(size: tuple[int, int], longest_edge: int) -> tuple[int, int]:
    """The size of a picture after scaling it down to `longest_edge` pixels."""
    scale = min(1.0, longest_edge / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _texts(request: Request) -> Iterable[str]:
    yield request.system
    for tool in request.tools:
        yield f"{tool.name} {tool.description} {tool.schema()}"
    for message in request.messages:
        if isinstance(message, AssistantMessage):
            yield message.text
            yield from (call.name + call.arguments for call in message.tool_calls)
        else:
            yield from (part.text for part in message.content if isinstance(part, TextPart))


def _keys(name: str, model: str) -> Iterable[str]:
    if name == "litellm":
        # The list has the models of these two companies without the prefix that litellm expects.
        prefix, _, bare = model.partition("/")
        return (model, bare) if prefix in ("openai", "anthropic") else (model,)
    return (model, f"{name}/{model}")


def _price(key: str, entry: Mapping[str, Any] | None, *, batch: bool) -> Price | None:
    if entry is None:
        return None
    given, written = _listed(entry, "input", batch), _listed(entry, "output", batch)
    if given is None or written is None:
        return None
    limits = [int(found[1]) * 1000 for field in entry if (found := _LONG_PROMPT.fullmatch(field))]
    return Price(
        given,
        written,
        _listed(entry, "cache_read_input", batch),
        _listed(entry, "cache_creation_input", batch),
        source=f"litellm {_version()}: {key}{', batch' * batch}",
        up_to=min(limits, default=None),
    )


def _listed(entry: Mapping[str, Any], kind: str, batch: bool) -> float | None:
    """The price of a kind of tokens; in a batch, half the price if the list does not say it."""
    name = f"{kind}_cost_per_token" if kind in ("input", "output") else f"{kind}_token_cost"
    price = entry.get(name)
    if not batch or price is None:
        return None if price is None else float(price)
    listed = entry.get(f"{name}_batches")
    return float(price) * BATCH_SHARE if listed is None else float(listed)


@cache
def _price_list() -> Mapping[str, Any]:
    """The price list; empty if litellm is not installed. Read as a file: its import is slow."""
    found = importlib.util.find_spec("litellm")
    if found is None or found.origin is None:
        return {}
    try:
        content = read_regular(Path(found.origin).parent / PRICE_LIST)
        prices: Mapping[str, Any] = json.loads(content)
    except (OSError, ValueError):
        return {}
    return prices


def _version() -> str:
    import importlib.metadata

    return importlib.metadata.version("litellm")


def _or(value: float | None, instead: float) -> float:
    return instead if value is None else value
