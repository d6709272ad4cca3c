"""The options of `train`, grouped by the headings of `train --help`."""

from pathlib import Path
from typing import Any, get_args

import click

from proactive_agent.cli.headed import HeadedCommand
from proactive_agent.cli.run_options import options_of
from proactive_agent.settings import ParserName, PlaySettings

_COUNT = click.IntRange(min=1)
_NOT_NEGATIVE = click.IntRange(min=0)
_POSITIVE = click.FloatRange(min=0, min_open=True)
_AMOUNT = click.FloatRange(min=0)
_SHARE = click.FloatRange(0, 1, min_open=True, max_open=True)


def _option(*names: str, **attributes: Any) -> click.Option:
    attributes.setdefault("show_default", "default" in attributes and not attributes.get("is_flag"))
    return click.Option(names, **attributes)


OPTIONS: dict[str, tuple[click.Option, ...]] = {
    "Model and data": (
        _option("--model", metavar="MODEL", help="Short name, Hub id or folder of the model."),
        _option(
            "--data",
            metavar="DATA",
            help="Train split: a folder or file (train-*.parquet), a data set on the Hub, for "
            "example tdemin16/ProactiveBench, or generated scenes (fresh:train).",
        ),
        _option(
            "--out",
            type=click.Path(file_okay=False, path_type=Path),
            metavar="DIR",
            help="New folder for the trained model; run --provider local:DIR loads it.",
        ),
        _option(
            "--scenario",
            "scenarios",
            multiple=True,
            metavar="NAME",
            help="Scenario to train on; repeat for several. The others are unseen. "
            "Default: all in the data.",
        ),
        _option("--limit", type=_COUNT, metavar="N", help="Use the first N rows of each scenario."),
        _option("--resume", is_flag=True, help="Resume the training in --out."),
        _option(
            "--dry-run",
            is_flag=True,
            help="Check the settings and the rows and show their counts; load no model. "
            "With --resume, also show what would be loaded, run and sent.",
        ),
        _option("--seed", type=int, default=0, help="Seed of the training."),
    ),
    "Method": (
        _option(
            "--method",
            type=click.Choice(("grpo", "sft")),
            default="grpo",
            help="Reinforcement learning, or supervised training on solved episodes.",
        ),
        _option(
            "--protocol",
            type=click.Choice(("mcqa", "tools")),
            default="mcqa",
            help="The paper's multiple choice, or function calling.",
        ),
        _option(
            "--parser",
            type=click.Choice(get_args(ParserName)),
            default=PlaySettings.parser,
            help="mcqa: parser that reads the replies to be rewarded.",
        ),
        _option(
            "--multi-turn",
            is_flag=True,
            help="Experimental: train on whole episodes; DATA is a folder in the official layout.",
        ),
        _option(
            "--warm-up",
            type=_NOT_NEGATIVE,
            default=0,
            metavar="STEPS",
            help="grpo: supervised steps before GRPO, for a model that never asks.",
        ),
        _option(
            "--warm-up-learning-rate",
            type=_POSITIVE,
            metavar="RATE",
            help="Learning rate of the warm-up. Default: --learning-rate.",
        ),
        _option(
            "--reply-form",
            type=click.Choice(("letter-and-text", "text", "letter")),
            default="letter-and-text",
            help="mcqa: form of the replies in solved episodes.",
        ),
    ),
    "Reward": (
        _option(
            "--reward-suggestion",
            type=_AMOUNT,
            default=0.5,
            help="Reward of a valid suggestion; the right category earns 1.",
        ),
        _option(
            "--suggestion-price", type=_AMOUNT, default=0.0, help="Subtracted for each suggestion."
        ),
        _option(
            "--over-asking-penalty",
            type=_AMOUNT,
            default=0.0,
            help="Subtracted for a suggestion on a clear frame.",
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
            help="Replies in one forward pass, per device.",
        ),
        _option(
            "--generation-batch-size",
            type=_COUNT,
            metavar="N",
            help="Replies generated at once, over all devices. Default: all replies of a step.",
        ),
        _option("--epochs", type=_POSITIVE, default=1.0, help="Passes over the rows."),
        _option(
            "--max-steps", type=_COUNT, metavar="N", help="Optimizer steps; overrides --epochs."
        ),
        _option("--optimizer", default="adamw_torch", help="Optimizer; name in transformers."),
        _option("--learning-rate", type=_POSITIVE, default=2e-5, help="Highest learning rate."),
        _option(
            "--schedule", default="cosine", help="Learning rate schedule; name in transformers."
        ),
        _option(
            "--lr-warm-up-steps",
            type=_NOT_NEGATIVE,
            default=0,
            help="Steps in which the learning rate rises.",
        ),
        _option("--weight-decay", type=_AMOUNT, default=0.0, help="Weight decay of the optimizer."),
        _option(
            "--max-grad-norm", type=_AMOUNT, default=1.0, help="Highest norm of the gradients."
        ),
        _option(
            "--beta",
            type=_AMOUNT,
            default=0.0,
            help="Weight of the KL divergence from the initial model.",
        ),
        _option("--clip", type=_POSITIVE, default=0.2, help="Clipping range of GRPO's ratio."),
        _option(
            "--loss",
            type=click.Choice(("dapo", "grpo", "dr_grpo", "bnpo", "cispo", "sapo")),
            default="dapo",
            help="Variant of the GRPO loss; name in TRL.",
        ),
        _option(
            "--scale-rewards",
            type=click.Choice(("group", "batch", "none")),
            default="group",
            help="Replies over which rewards are normalized.",
        ),
        _option("--iterations", type=_COUNT, default=1, help="Updates per reply."),
        _option("--temperature", type=_POSITIVE, default=1.0, help="Sampling temperature."),
        _option(
            "--top-p",
            type=click.FloatRange(0, 1, min_open=True),
            default=1.0,
            help="Nucleus sampling: share of the probability.",
        ),
        _option(
            "--max-tokens",
            type=_COUNT,
            metavar="N",
            help="Longest reply (default 64); multi-turn: longest episode with pictures (2048).",
        ),
    ),
    "Weights": (
        _option(
            "--tune",
            type=click.Choice(("lora", "full")),
            default="lora",
            help="Train LoRA adapters of the language model, or all weights.",
        ),
        _option("--lora-rank", type=_COUNT, default=16, help="Rank of the adapters."),
        _option("--lora-alpha", type=_COUNT, default=16, help="Scale of the adapters."),
        _option(
            "--lora-dropout",
            type=click.FloatRange(0, 1, max_open=True),
            default=0.1,
            help="Dropout of the adapters.",
        ),
        _option(
            "--lora-target",
            "lora_targets",
            multiple=True,
            default=("q_proj", "k_proj"),
            metavar="LAYER",
            help="Layer of the language model that gets an adapter; repeat for several.",
        ),
    ),
    "Evaluation": (
        _option(
            "--eval-every",
            type=_COUNT,
            metavar="STEPS",
            help="Measure the held-out reward and play the small benchmark every STEPS steps.",
        ),
        _option(
            "--eval-data",
            type=click.Path(path_type=Path),
            metavar="DIR",
            help="Test data of the small benchmark: a folder, or generated scenes (fresh:SEED). "
            "Default: the embedded suite.",
        ),
        _option(
            "--eval-limit",
            type=_NOT_NEGATIVE,
            default=8,
            help="Samples per scenario of the small benchmark; 0 skips it.",
        ),
        _option(
            "--held-out",
            type=_NOT_NEGATIVE,
            default=64,
            help="Rows that are not trained on but measure the reward.",
        ),
        _option(
            "--patience",
            type=_COUNT,
            metavar="N",
            help="Stop after N evaluations without a better held-out reward.",
        ),
        _option(
            "--save-every",
            type=_NOT_NEGATIVE,
            metavar="STEPS",
            help="Steps between checkpoints; 0: none. Default: --eval-every, else 50.",
        ),
        _option("--keep", type=_COUNT, default=2, help="Number of checkpoints to keep."),
        _option(
            "--report-to",
            multiple=True,
            metavar="NAME",
            help="Send logs to tensorboard, wandb, …; repeat for several.",
        ),
    ),
    "Machine": (
        _option(
            "--dtype",
            type=click.Choice(("auto", "float32", "bfloat16", "float16")),
            default="auto",
            help="Precision of the weights. auto: bfloat16 for adapters on a GPU, else float32.",
        ),
        _option(
            "--device",
            type=click.Choice(("auto", "cpu")),
            default="auto",
            help="auto: GPUs if there are any.",
        ),
        *options_of("attention", "revision", "trust_remote_code"),
        _option("--checkpointing", is_flag=True, help="Recompute activations to save memory."),
        _option(
            "--deepspeed",
            type=click.Path(exists=True, dir_okay=False),
            metavar="FILE",
            help="DeepSpeed configuration file.",
        ),
        _option(
            "--vllm", type=click.Choice(("colocate", "server")), help="Generate replies with vLLM."
        ),
        _option("--vllm-server", metavar="URL", help="--vllm server: its address."),
        _option(
            "--vllm-memory",
            type=_SHARE,
            default=0.3,
            help="--vllm colocate: its share of the GPU memory.",
        ),
    ),
}


class TrainCommand(HeadedCommand):
    """The command `train`, whose help lists the options by heading."""

    headings = OPTIONS
    common = frozenset(
        (
            "--model", "--data", "--out", "--scenario", "--limit", "--resume", "--dry-run",
            "--method", "--reward-suggestion", "--warm-up", "--max-steps", "--tune",
            "--learning-rate", "--eval-every",
        )
    )  # fmt: skip
