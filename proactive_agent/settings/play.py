"""Settings of a run: what is played, and how."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Le

from proactive_agent.settings.condition_label import varied_parts
from proactive_agent.settings.declaration import (
    MOST,
    NO_JUDGE_MODEL,
    Departure,
    Heading,
    RunChoice,
    Setting,
)
from proactive_agent.settings.model_spec import split_spec
from proactive_agent.tools import ToolsetName

ProtocolName = Literal["tools", "mcqa", "oeg"]
ParserName = Literal["official", "lenient"]
JudgePrompt = Literal["own", "official"]


OPEN_ENDED_SAMPLES = 100
"""Shuffled samples per scenario that the published open-ended evaluation asks about."""

STUDIED: Mapping[str, frozenset[str]] = {
    "mcqa": frozenset({"reference", "random-suggestions", "hint", "history", "icl:1", "icl:3"}),
    "oeg": frozenset({"hint"}),
}
"""The paper's conditions by protocol, apart from zero-shot and unfiltered."""

_JUDGE = "qwen3-8b"


def _fewer_samples(limit: int | None, run: RunChoice) -> bool:
    return limit is not None and (run.protocol != "oeg" or limit < OPEN_ENDED_SAMPLES)


def _other_judge(judge: str, run: RunChoice) -> bool:
    model = split_spec(judge).model.partition("@")[0].lower()
    return model.rpartition("/")[2] != _JUDGE


def _not_studied(condition: str, run: RunChoice) -> bool:
    """Whether the paper has no such condition.

    `unfiltered` has a separate note. `tools` is compared with the conditions of `mcqa`.
    """
    varied = varied_parts(condition) - {"unfiltered"}
    studied = STUDIED["oeg" if run.protocol == "oeg" else "mcqa"]
    return len(varied) > 1 or not varied <= studied


@dataclass(frozen=True, kw_only=True)
class PlaySettings:
    """Settings that may apply to any model, scenario, protocol and condition."""

    toolset: Annotated[
        ToolsetName,
        Setting(
            heading=Heading.MANNER,
            protocol="tools",
            label="{}",
            prominent=True,
            departure=Departure(
                "a toolset other than the published options",
                lambda value, run: value != "published",
            ),
            help="tools on offer. scenario: those that apply in the state. published: the options "
            "of mcqa. episode: those that apply in some state of the episode; for agents, this is "
            "the default. all: every tool. random: only those of other scenarios.",
        ),
    ] = "scenario"
    user: Annotated[
        str,
        Setting(
            heading=Heading.MANNER,
            departure=Departure("a user played by {}", lambda value, run: value != NO_JUDGE_MODEL),
            protocol="tools",
            label="user {}",
            prominent=True,
            metavar="NAME:MODEL",
            help="simulated user that reads free requests: rules, or a model.",
        ),
    ] = "rules"
    parser: Annotated[
        ParserName,
        Setting(
            heading=Heading.MANNER,
            protocol="mcqa",
            label="{}",
            prominent=True,
            departure=Departure(
                "replies read by the lenient parser", lambda value, run: value != "official"
            ),
            help="parser that reads the replies.",
        ),
    ] = "official"
    forgiving: Annotated[
        bool,
        Setting(
            heading=Heading.MANNER,
            departure=Departure(
                "suggestions that do not apply did not end the episode",
                lambda value, run: value is True,
            ),
            help="A suggestion that does not apply costs the turn, not the episode.",
        ),
    ] = False
    unfiltered: Annotated[
        bool,
        Setting(
            heading=Heading.PLAYED,
            departure=None,
            help="Also play the samples that the official filter drops.",
        ),
    ] = False
    limit: Annotated[
        int | None,
        Ge(1),
        Le(MOST),
        Setting(
            heading=Heading.PLAYED,
            none="all",
            metavar="N",
            departure=Departure("not all samples", _fewer_samples),
            help="Play the first N samples of each scenario. oeg: the first N of the shuffled "
            "samples; default 100, as published.",
        ),
    ] = None
    repeats: Annotated[
        int,
        Ge(1),
        Le(1000),
        Setting(
            heading=Heading.PLAYED,
            departure=Departure("each sample played {} times", lambda value, run: value > 1),
            metavar="N",
            help="Play each sample N times (with a --temperature).",
        ),
    ] = 1
    seed: Annotated[
        int,
        Le(MOST),
        Setting(
            heading=Heading.PLAYED,
            departure=None,
            metavar="N",
            help="Seed of all random choices, including those of a model that samples.",
        ),
    ] = 0
    history_size: Annotated[
        int,
        Ge(1),
        Le(MOST),
        Setting(
            heading=Heading.MANNER,
            departure=Departure(
                "conversations with pictures of {} pixels instead of 224",
                lambda value, run: value != 224,
            ),
            condition="history",
            metavar="PIXELS",
            help="short edge of the pictures.",
        ),
    ] = 224
    icl_reasoning: Annotated[
        bool,
        Setting(
            heading=Heading.MANNER,
            departure=None,
            condition="icl:N",
            help="the solved examples give reasons.",
        ),
    ] = False
    icl_reduced: Annotated[
        bool,
        Setting(
            heading=Heading.MANNER,
            condition="icl:N",
            departure=Departure(
                "solved examples with small pictures, and of mvp-n only the first and last turn",
                lambda value, run: value is True,
            ),
            help="smaller solved examples for models that run out of memory: pictures with a short "
            "edge of 512 (rod) or 112 pixels (mvp-n), and of mvp-n only the first and last turn.",
        ),
    ] = False
    multi_turn: Annotated[
        bool,
        Setting(
            heading=Heading.MANNER,
            departure=Departure(
                "several open-ended turns, which the paper has for zero-shot only",
                lambda value, run: value and bool(varied_parts(run.condition)),
            ),
            protocol="oeg",
            help="the user carries out suggestions and asks again, until the turn limit.",
        ),
    ] = False
    judge: Annotated[
        str,
        Setting(
            heading=Heading.MANNER,
            departure=Departure("answers judged by {} instead of Qwen3-8B", _other_judge),
            protocol="oeg",
            label="{}",
            prominent=True,
            metavar="NAME:MODEL",
            help="judge of the answers: rules, or a model.",
        ),
    ] = "rules"
    judge_prompt: Annotated[
        JudgePrompt,
        Setting(
            heading=Heading.MANNER,
            protocol="oeg",
            judged_by_model=True,
            departure=Departure(
                "a judge prompt other than the paper's",
                lambda value, run: value != "official",
            ),
            help="prompt for a model that judges.",
        ),
    ] = "own"


@dataclass(frozen=True, kw_only=True)
class RunSettings(PlaySettings):
    """Settings of a run, except those of its model."""

    provider: Annotated[
        str,
        Setting(
            heading=Heading.PLAYED,
            departure=None,
            parameter="providers",
            metavar="NAME:MODEL",
            label="{}",
            help="Model to evaluate, for example local:idefics2 (`models` lists short names), or "
            "human to play yourself. Repeat to compare several. Baselines: baseline:oracle, "
            "random, always-ask, never-ask, ask-once, first-option, text-only. Default: all of "
            "them but first-option.",
        ),
    ]
    data: Annotated[
        str | None,
        Setting(
            heading=Heading.PLAYED,
            departure=None,
            path="any",
            metavar="DIR",
            none="embedded",
            help="Folder in the official layout, or generated scenes: fresh:SEED (docs/fresh.md). "
            "Default: the embedded suite.",
        ),
    ] = None
    scenarios: Annotated[
        tuple[str, ...],
        Setting(
            heading=Heading.PLAYED,
            departure=None,
            option="--scenario",
            parameter="scenarios",
            metavar="NAME",
            label="{}",
            help="One of rod, vsod, mvp-n, imagenet-c, quickdraw, changeit, coco; repeat for "
            "several. Default: all in the data for which the condition is defined.",
        ),
    ]
    protocol: Annotated[
        ProtocolName,
        Setting(
            heading=Heading.PLAYED,
            label="{}",
            prominent=True,
            essential=True,
            departure=Departure(
                "tool calls instead of multiple choice", lambda value, run: value == "tools"
            ),
            help="Function calling, the paper's multiple choice, or open-ended answers.",
        ),
    ] = "tools"
    condition: Annotated[
        str,
        Setting(
            heading=Heading.PLAYED,
            departure=Departure("a condition that the paper does not study ({})", _not_studied),
            parameter="conditions",
            metavar="NAME[+NAME][,…]",
            label="{}",
            prominent=True,
            essential=True,
            help="One of zero-shot, hint, reference, clear, stateless, history, icl:1, icl:3, "
            "random-suggestions, useless-suggestions, unfiltered; a+b combines two. Several, "
            "separated by commas, are played as one run each and compared.",
        ),
    ] = "zero-shot"
