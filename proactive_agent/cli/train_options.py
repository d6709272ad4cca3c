"""The options of `train`, by the headings under which `train --help` lists them."""

from pathlib import Path
from typing import Any

import click

from proactive_agent.cli.headed import HeadedCommand

_COUNT = click.IntRange(min=1)
_NONE_TOO = click.IntRange(min=0)
_POSITIVE = click.FloatRange(min=0, min_open=True)
_AMOUNT = click.FloatRange(min=0)
_SHARE = click.FloatRange(0, 1, min_open=True, max_open=True)


def _option(*names: str, **how: Any) -> click.Option:
    how.setdefault("show_default", "default" in how and not how.get("is_flag"))
    return click.Option(names, **how)


OPTIONS: dict[str, tuple[click.Option, ...]] = {
    "What is trained on what": (
        _option("--model", metavar="MODEL", help="Short name, hub id or folder of the model."),
        _option(
            "--data",
            metavar="DATA",
            help="Train split: a folder or file (train-*.parquet), or a data set on the Hub, "
            "e.g. tdemin16/ProactiveBench.",
        ),
        _option(
            "--out",
            type=click.Path(file_okay=False, path_type=Path),
            metavar="DIR",
            help="Folder to make; run --provider local:DIR loads it.",
        ),
        _option(
            "--scenario",
            "scenarios",
            multiple=True,
            metavar="NAME",
            help="Scenario to train on; repeat for several, the rest is unseen. "
            "Default: all in the data.",
        ),
        _option("--limit", type=_COUNT, metavar="N", help="Rows per scenario, from the first on."),
        _option("--resume", is_flag=True, help="Go on with the training that lies in --out."),
        _option(
            "--dry-run", is_flag=True, help="Check settings and rows, show the mix; load no model."
        ),
        _option("--seed", type=int, default=0),
    ),
    "How": (
        _option(
            "--method",
            type=click.Choice(("grpo", "sft")),
            default="grpo",
            help="Reinforcement learning, or supervised on solved episodes.",
        ),
        _option(
            "--protocol",
            type=click.Choice(("mcqa", "tools")),
            default="mcqa",
            help="The paper's multiple choice, or function calling.",
        ),
        _option(
            "--parser",
            type=click.Choice(("official", "lenient")),
            default="official",
            help="mcqa: which parser's reading of a reply is rewarded.",
        ),
        _option(
            "--multi-turn",
            is_flag=True,
            help="Experimental: whole episodes, of samples in the official layout (DATA).",
        ),
        _option(
            "--warm-up",
            type=_NONE_TOO,
            default=0,
            metavar="STEPS",
            help="grpo: supervised steps first, for a model that never asks.",
        ),
        _option(
            "--warm-up-learning-rate",
            type=_POSITIVE,
            metavar="RATE",
            help="Default: the learning rate.",
        ),
        _option(
            "--reply-form",
            type=click.Choice(("letter-and-text", "text", "letter")),
            default="letter-and-text",
            help="mcqa: how solved episodes answer.",
        ),
    ),
    "Reward": (
        _option(
            "--reward-suggestion",
            type=_AMOUNT,
            default=0.5,
            help="For a valid suggestion; the right category gets 1.",
        ),
        _option(
            "--suggestion-price", type=_AMOUNT, default=0.0, help="Taken off for each suggestion."
        ),
        _option(
            "--over-asking-penalty",
            type=_AMOUNT,
            default=0.0,
            help="Taken off for a suggestion on a clear frame.",
        ),
    ),
    "Optimisation": (
        _option("--rollouts", type=click.IntRange(min=2), default=8, help="Replies per prompt."),
        _option(
            "--batch-size",
            type=_COUNT,
            default=512,
            help="Replies per step, over all devices: prompts x rollouts.",
        ),
        _option(
            "--device-batch-size",
            type=_COUNT,
            default=8,
            help="Replies in one pass through the model, per device.",
        ),
        _option(
            "--generation-batch-size",
            type=_COUNT,
            metavar="N",
            help="Replies written at once, over all devices. Default: those of a step.",
        ),
        _option("--epochs", type=_POSITIVE, default=1.0),
        _option("--max-steps", type=_COUNT, metavar="N", help="Overrides --epochs."),
        _option("--optimizer", default="adamw_torch", help="As transformers names it."),
        _option("--learning-rate", type=_POSITIVE, default=2e-5),
        _option("--schedule", default="cosine", help="Of the learning rate."),
        _option("--lr-warm-up-steps", type=_NONE_TOO, default=0),
        _option("--weight-decay", type=_AMOUNT, default=0.0),
        _option("--max-grad-norm", type=_AMOUNT, default=1.0),
        _option("--beta", type=_AMOUNT, default=0.0, help="Weight of the KL divergence."),
        _option("--clip", type=_POSITIVE, default=0.2),
        _option(
            "--loss",
            type=click.Choice(("dapo", "grpo", "dr_grpo", "bnpo", "cispo", "sapo")),
            default="dapo",
            help="As TRL names it.",
        ),
        _option("--scale-rewards", type=click.Choice(("group", "batch", "none")), default="group"),
        _option("--iterations", type=_COUNT, default=1, help="Updates per reply."),
        _option("--temperature", type=_POSITIVE, default=1.0),
        _option("--top-p", type=click.FloatRange(0, 1, min_open=True), default=1.0),
        _option(
            "--max-tokens",
            type=_COUNT,
            metavar="N",
            help="Of a reply (default 64); multi-turn: of an episode with its pictures (2048).",
        ),
    ),
    "Weights": (
        _option(
            "--tune",
            type=click.Choice(("lora", "full")),
            default="lora",
            help="Adapters of the language model, or all weights.",
        ),
        _option("--lora-rank", type=_COUNT, default=16),
        _option("--lora-alpha", type=_COUNT, default=16),
        _option("--lora-dropout", type=click.FloatRange(0, 1, max_open=True), default=0.1),
        _option(
            "--lora-target",
            "lora_targets",
            multiple=True,
            default=("q_proj", "k_proj"),
            metavar="LAYER",
            help="Layer of the language model; repeat for several.",
        ),
    ),
    "Evaluation": (
        _option(
            "--eval-every",
            type=_COUNT,
            metavar="STEPS",
            help="Measure the held-out reward and play the small benchmark.",
        ),
        _option(
            "--eval-data",
            type=click.Path(path_type=Path),
            metavar="DIR",
            help="Test data of the small benchmark. Default: the embedded suite.",
        ),
        _option(
            "--eval-limit",
            type=_NONE_TOO,
            default=8,
            help="Its samples per scenario; 0 leaves it out.",
        ),
        _option("--held-out", type=_NONE_TOO, default=64, help="Rows that only measure."),
        _option(
            "--patience",
            type=_COUNT,
            metavar="N",
            help="End after N evaluations without a better held-out reward.",
        ),
        _option(
            "--save-every",
            type=_NONE_TOO,
            metavar="STEPS",
            help="Write a checkpoint; 0: never. Default: with every evaluation, else every 50.",
        ),
        _option("--keep", type=_COUNT, default=2, help="Checkpoints."),
        _option(
            "--report-to",
            multiple=True,
            metavar="NAME",
            help="tensorboard, wandb, …; repeat for several.",
        ),
    ),
    "Machine": (
        _option(
            "--dtype",
            type=click.Choice(("auto", "float32", "bfloat16", "float16")),
            default="auto",
            help="Of the weights. auto: bfloat16 below adapters on a GPU, else float32.",
        ),
        _option("--device", type=click.Choice(("auto", "cpu")), default="auto"),
        _option("--attn", "attention", help="sdpa, flash_attention_2, eager, …"),
        _option("--revision", help="Branch, tag or commit of a hub model."),
        _option("--trust-remote-code", is_flag=True, help="Run code that a model brings."),
        _option("--checkpointing", is_flag=True, help="Compute activations twice, to save memory."),
        _option(
            "--deepspeed",
            type=click.Path(exists=True, dir_okay=False),
            metavar="FILE",
            help="DeepSpeed's configuration.",
        ),
        _option(
            "--vllm", type=click.Choice(("colocate", "server")), help="Write replies with vLLM."
        ),
        _option("--vllm-server", metavar="URL", help="vllm=server: its address."),
        _option("--vllm-memory", type=_SHARE, default=0.3, help="vllm=colocate: share of the GPU."),
    ),
}


class TrainCommand(HeadedCommand):
    """Lists these options below their headings."""

    headings = OPTIONS
