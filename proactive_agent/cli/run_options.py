"""The options of `run`, by the headings under which `run --help` lists them."""

from pathlib import Path
from typing import Any

import click

from proactive_agent.cli.headed import HeadedCommand

PROTOCOLS = ("tools", "mcqa", "oeg")
TOOLSETS = ("scenario", "all", "random")
PARSERS = ("official", "lenient")
REASONING = ("minimal", "low", "medium", "high")

_COUNT = click.IntRange(min=1)
_POSITIVE = click.FloatRange(min=0, min_open=True)


def _option(*names: str, **how: Any) -> click.Option:
    how.setdefault("show_default", "default" in how and not how.get("is_flag"))
    return click.Option(names, **how)


OPTIONS: dict[str, tuple[click.Option, ...]] = {
    "What is played": (
        _option(
            "--provider",
            "providers",
            multiple=True,
            metavar="NAME:MODEL",
            help="Model to judge, e.g. local:idefics2, or human to play yourself; several end "
            "with a comparison. Default: the scripted baselines.",
        ),
        _option(
            "--data",
            type=click.Path(path_type=Path),
            metavar="DIR",
            help="Folder in the official layout. Default: the embedded suite.",
        ),
        _option(
            "--scenario",
            "scenarios",
            multiple=True,
            metavar="NAME",
            help="Scenario to play; repeat for several. Default: all that are there and the "
            "condition is known for.",
        ),
        _option(
            "--protocol",
            type=click.Choice(PROTOCOLS),
            default="tools",
            help="Function calling, the paper's multiple choice, or open-ended answers.",
        ),
        _option(
            "--condition",
            "conditions",
            multiple=True,
            default=("zero-shot",),
            metavar="NAME[+NAME][,…]",
            help="zero-shot, hint, reference, clear, stateless, history, icl:1, icl:3, "
            "random-suggestions, unfiltered; a+b combines. Several, with commas, are a run each "
            "and end with a comparison.",
        ),
        _option(
            "--limit",
            type=_COUNT,
            metavar="N",
            help="Samples per scenario, from the first on; of oeg the first N of the shuffled "
            "ones, by default 100, as published.",
        ),
        _option(
            "--repeats",
            type=_COUNT,
            default=1,
            metavar="N",
            help="Play each sample so often (with a --temperature).",
        ),
        _option("--seed", type=int, default=0),
        _option("--unfiltered", is_flag=True, help="Play what the official filter drops."),
        _option(
            "--plan",
            type=click.Path(dir_okay=False, path_type=Path),
            metavar="FILE",
            help="A whole study, models x protocols x conditions, from a YAML file; the same "
            "again plays what is missing.",
        ),
    ),
    "How it is played": (
        _option(
            "--toolset",
            type=click.Choice(TOOLSETS),
            default="scenario",
            help="tools: those of the state, all, or those of other scenarios.",
        ),
        _option(
            "--parser",
            type=click.Choice(PARSERS),
            default="official",
            help="mcqa: whose reading of a reply counts.",
        ),
        _option(
            "--forgiving",
            is_flag=True,
            help="A suggestion that does not apply costs the turn, not the episode.",
        ),
        _option(
            "--history-size",
            type=_COUNT,
            default=224,
            metavar="PIXELS",
            help="history: short edge of the pictures.",
        ),
        _option("--icl-reasoning", is_flag=True, help="icl: the solved examples give reasons."),
        _option(
            "--multi-turn",
            is_flag=True,
            help="oeg: the user does what is suggested and asks again.",
        ),
        _option(
            "--judge",
            default="rules",
            metavar="NAME:MODEL",
            help="oeg: who judges the answers: rules, or a model.",
        ),
        _option(
            "--judge-prompt",
            type=click.Choice(("own", "official")),
            default="own",
            help="oeg: what a model is told that judges.",
        ),
    ),
    "The run": (
        _option(
            "--concurrency",
            type=_COUNT,
            metavar="N",
            help="Episodes in flight. Default: what suits the provider.",
        ),
        _option(
            "--out",
            "results",
            type=click.Path(path_type=Path),
            default=Path("results"),
            metavar="DIR",
            help="Where the run's folder is made.",
        ),
        _option(
            "--resume",
            multiple=True,
            metavar="RUN",
            help="Go on with a run: its folder or id; repeat for several.",
        ),
        _option(
            "--dry-run",
            is_flag=True,
            help="Show the first prompt and an estimate of the requests; ask nothing.",
        ),
    ),
    "The model": (
        _option("--max-tokens", type=_COUNT, default=512),
        _option("--temperature", type=click.FloatRange(min=0), default=0.0),
        _option("--dtype", default="auto", help="local: float32, float16, bfloat16."),
        _option(
            "--device",
            default="auto",
            help="local: cuda, cuda:1, mps, cpu; spread uses several GPUs.",
        ),
        _option("--attn", "attention", help="local: sdpa, flash_attention_2, eager, …"),
        _option("--quantize", help="local: 4bit or 8bit."),
        _option("--revision", help="local: branch, tag or commit of a hub model."),
        _option(
            "--batch-size", type=_COUNT, default=16, help="local: the most requests in one batch."
        ),
        _option("--trust-remote-code", is_flag=True, help="local: run code that a model brings."),
    ),
    "Models behind an API": (
        _option(
            "--api",
            type=click.Choice(("auto", "chat", "responses")),
            default="auto",
            help="openai: Chat Completions or Responses. auto: Responses for reasoning models.",
        ),
        _option("--reasoning", type=click.Choice(REASONING), help="How much the model thinks."),
        _option(
            "--image-size",
            type=click.IntRange(min=16),
            default=1568,
            metavar="PIXELS",
            help="Longest edge of a picture that is sent.",
        ),
        _option("--image-quality", type=click.IntRange(1, 100), default=90),
        _option("--image-format", type=click.Choice(("jpeg", "webp")), default="jpeg"),
        _option("--rpm", type=_POSITIVE, help="Requests per minute."),
        _option("--tpm", type=_POSITIVE, help="Tokens per minute."),
        _option(
            "--timeout",
            type=_POSITIVE,
            default=180.0,
            metavar="SECONDS",
            help="When a request is given up and sent anew.",
        ),
        _option(
            "--price",
            metavar="IN,OUT",
            help="Dollars per million tokens. Default: litellm's price list.",
        ),
        _option(
            "--budget-usd",
            type=_POSITIVE,
            metavar="USD",
            help="Stop before more is spent, by all models together.",
        ),
        _option(
            "--cache",
            type=click.Path(file_okay=False, path_type=Path),
            metavar="DIR",
            help="Keep replies here, so that the same request costs nothing again.",
        ),
    ),
}


class Headed(HeadedCommand):
    """Lists these options below their headings."""

    headings = OPTIONS
