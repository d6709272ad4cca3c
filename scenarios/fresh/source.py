"""The text that names generated data: `fresh:7`, `fresh:7:hard`, `fresh:7:unseen:n=500:px=128`.

The seed comes first. The other parts may follow in any order.
"""

from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args

from proactive_agent.scenarios.sample import quoted
from proactive_agent.tools import UserError

PREFIX = "fresh:"
TRAIN = "train"
"""Stands in the place of the seed for the scenes that `train` makes of its own accord."""
TRAIN_SEED = 1_720_000
"""Seed of `fresh:train`. Do not test on it."""

VERSION = 1
"""Version of the generator. The same version, pack and seed give the same pixels and texts."""

Difficulty = Literal["easy", "normal", "hard"]
Things = Literal["all", "seen", "unseen"]

MOST_SAMPLES = 1_000_000
MOST_SEED = 2**63 - 1
SIZES = (96, 1024)


class SourceError(UserError):
    """The text does not name generated data."""


@dataclass(frozen=True)
class FreshSource:
    """The parts of the text: which scenes are generated."""

    seed: int
    difficulty: Difficulty = "normal"
    things: Things = "all"
    """`seen`: only things that may be in a train share; `unseen`: only those that never are."""
    samples: int = 200
    """Samples per scenario."""
    size: int = 448
    """Width and height of a frame in pixels. Those of ImageNet-C are half as large, and the
    picture of COCO is larger."""

    def __post_init__(self) -> None:
        for name, least, most in (
            ("seed", 0, MOST_SEED), ("samples", 1, MOST_SAMPLES), ("size", *SIZES)
        ):  # fmt: skip
            value: int = getattr(self, name)
            if not least <= value <= most:
                raise SourceError(f"{name} {value:,}: expected a number from {least} to {most:,}")

    def __str__(self) -> str:
        """Returns the text that names this source. Equal sources have equal texts."""
        parts = [f"{PREFIX}{self.seed}"]
        parts += [] if self.difficulty == "normal" else [self.difficulty]
        parts += [] if self.things == "all" else [self.things]
        defaults = {field.name: field.default for field in fields(self)}
        for name, key in (("samples", "n"), ("size", "px")):
            if (value := getattr(self, name)) != defaults[name]:
                parts.append(f"{key}={value}")
        return ":".join(parts)


def is_fresh(text: str) -> bool:
    """Returns whether a text names generated data and not a folder."""
    return text.startswith(PREFIX)


def parse_source(text: str) -> FreshSource:
    """Reads a text such as `fresh:7:hard`. Raises SourceError."""
    seed, *parts = text.removeprefix(PREFIX).split(":")
    if seed == TRAIN:
        raise SourceError(f"{quoted(text)} is for `train`; expected a seed, for example fresh:7")
    given: dict[str, Any] = {"seed": _number(seed, text)}
    for part in parts:
        name, value = _read(part, text)
        if name in given:
            raise SourceError(f"{quoted(text)}: {name} is given twice; give it once")
        given[name] = value
    try:
        return FreshSource(**given)
    except SourceError as error:
        raise SourceError(f"{quoted(text)}: {error}") from None


def parse_train_source(text: str) -> FreshSource:
    """Reads the name of scenes to train on, such as `fresh:train` or `fresh:train:n=500`.

    They contain only things that may be in a train share. Raises SourceError.
    """
    start, *parts = text.removeprefix(PREFIX).split(":")
    seed = str(TRAIN_SEED) if start == TRAIN else start
    source = parse_source(PREFIX + ":".join([seed, *parts]))
    if source.things == "unseen":
        raise SourceError(
            f"{quoted(text)}: things that train splits leave out are for tests only; drop :unseen"
        )
    return replace(source, things="seen")


def _read(part: str, text: str) -> tuple[str, Any]:
    """Returns the name and the value of the field that a part sets."""
    key, equals, value = part.partition("=")
    if part in get_args(Difficulty):
        return "difficulty", part
    if part in get_args(Things):
        return "things", part
    if equals and key in ("n", "px"):
        return "samples" if key == "n" else "size", _number(value, text)
    raise _unknown(part, text)


def _number(part: str, text: str) -> int:
    if not (part.isascii() and part.isdigit() and len(part) < 20):
        raise _unknown(part, text)
    return int(part)


def _unknown(part: str, text: str) -> SourceError:
    return SourceError(
        f"{quoted(text)}: {quoted(part)} is unknown; expected fresh:SEED, followed by any of "
        ":easy, :hard, :seen, :unseen, :n=SAMPLES and :px=SIZE, for example fresh:7:hard:n=500"
    )
