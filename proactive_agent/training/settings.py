"""The settings of a training, and advice about doubtful ones.

The defaults are those of the paper, where the paper names one (`docs/protocol.md`, section
"Training").
"""

from collections.abc import Iterator
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from proactive_agent.reports.published import PublishedModel, find
from proactive_agent.settings import ParserName
from proactive_agent.tools import UserError
from proactive_agent.tools.errors import first_problem

Method = Literal["grpo", "sft"]
ReplyForm = Literal["letter-and-text", "text", "letter"]
FEW_PROMPTS = 32
"""Prompts per step below which advice is given: lucky guesses outweigh rare suggestions."""
_PAPER = ("Qwen2.5-VL-3B", "LLaVA-NeXT-Mistral-7B")
SAVE_EVERY = 50
"""Steps between two checkpoints, if neither `save_every` nor `eval_every` is given."""
Loss = Literal["dapo", "grpo", "dr_grpo", "bnpo", "cispo", "sapo"]


class TrainingSettings(BaseModel):
    """Everything that determines a trained model: equal settings and data give the same model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    """Short name, Hub id or folder, as after `local:`."""
    data: str
    """The train split: a folder, a parquet file, a data set on the Hub, or generated scenes."""
    scenarios: tuple[str, ...] = ()
    """Scenarios to train on; empty means all in the data. The others are unseen."""
    limit: int | None = Field(None, ge=1)
    """Rows per scenario, counted from the first."""
    method: Method = "grpo"
    protocol: Literal["mcqa", "tools"] = "mcqa"
    parser: ParserName = "official"
    multi_turn: bool = False
    """Whole episodes instead of single questions."""
    seed: int = 0

    reward_suggestion: float = Field(0.5, ge=0)
    suggestion_price: float = Field(0.0, ge=0)
    """Subtracted for each suggestion."""
    over_asking_penalty: float = Field(0.0, ge=0)
    """Subtracted for a suggestion on a clear frame."""

    rollouts: int = Field(8, ge=2)
    """Replies per prompt."""
    batch_size: int = Field(512, ge=1)
    """Replies per optimizer step, over all devices: prompts x rollouts."""
    device_batch_size: int = Field(8, ge=1)
    """Replies in one forward pass, per device."""
    generation_batch_size: int | None = Field(None, ge=1)
    """Replies generated at once, over all devices; None: all replies of a step."""
    epochs: float = Field(1.0, gt=0)
    max_steps: int | None = Field(None, ge=1)
    """Optimizer steps; overrides `epochs`."""
    optimizer: str = "adamw_torch"
    learning_rate: float = Field(2e-5, gt=0)
    schedule: str = "cosine"
    lr_warm_up_steps: int = Field(0, ge=0)
    weight_decay: float = Field(0.0, ge=0)
    max_grad_norm: float = Field(1.0, ge=0)
    beta: float = Field(0.0, ge=0)
    """Weight of the KL divergence from the initial model."""
    clip: float = Field(0.2, gt=0)
    """The probability ratio is clipped to 1 +- this value."""
    loss: Loss = "dapo"
    """TRL's name for the variant of the GRPO loss."""
    scale_rewards: Literal["group", "batch", "none"] = "group"
    iterations: int = Field(1, ge=1)
    """Updates per reply."""
    temperature: float = Field(1.0, gt=0)
    top_p: float = Field(1.0, gt=0, le=1)
    max_tokens: int | None = Field(None, ge=1)
    """Longest reply; with `multi_turn`, longest episode including its pictures."""

    tune: Literal["lora", "full"] = "lora"
    lora_rank: int = Field(16, ge=1)
    lora_alpha: int = Field(16, ge=1)
    lora_dropout: float = Field(0.1, ge=0, lt=1)
    lora_targets: tuple[str, ...] = ("q_proj", "k_proj")
    """Layers of the language model that get an adapter."""

    warm_up: int = Field(0, ge=0)
    """Steps of supervised training on solved episodes before GRPO."""
    warm_up_learning_rate: float | None = Field(None, gt=0)
    reply_form: ReplyForm = "letter-and-text"
    """Form of the replies in solved multiple-choice episodes."""

    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    device: Literal["auto", "cpu"] = "auto"
    attention: str | None = None
    revision: str | None = None
    trust_remote_code: bool = False
    checkpointing: bool = False
    """Recomputes activations instead of storing them: slower, but takes less memory."""
    deepspeed: str | None = None
    """Path of the DeepSpeed configuration file."""
    vllm: Literal["colocate", "server"] | None = None
    vllm_server: str | None = None
    """Base URL of the vLLM server."""
    vllm_memory: float = Field(0.3, gt=0, lt=1)
    """Share of each GPU's memory for vLLM in the mode `colocate`."""

    save_every: int | None = Field(None, ge=0)
    """Steps between checkpoints; 0: none are written; None: `eval_every`, else `SAVE_EVERY`."""
    keep: int = Field(2, ge=1)
    """Number of checkpoints to keep."""
    eval_every: int | None = Field(None, ge=1)
    """Steps between evaluations; None: only before and after the training."""
    eval_data: str | None = None
    """Test data of the small benchmark; None: the embedded suite."""
    eval_limit: int = Field(8, ge=0)
    """Samples per scenario of the small benchmark; 0: it is not played."""
    held_out: int = Field(64, ge=0)
    """Rows of the trained scenarios that are held out to measure the reward."""
    patience: int | None = Field(None, ge=1)
    """Stops after this many evaluations without a better held-out reward."""
    report_to: tuple[str, ...] = ()

    @classmethod
    def of(cls, **fields: Any) -> Self:
        """Returns checked settings. Raises UserError that names the field."""
        try:
            settings = cls(**fields)
        except ValidationError as error:
            raise UserError(first_problem(error, "settings")) from None
        settings.check()
        return settings

    @property
    def prompts_per_step(self) -> int:
        """Prompts in one optimizer step."""
        return self.batch_size // self.rollouts

    @property
    def steps_per_checkpoint(self) -> int:
        """Steps between checkpoints; 0 if none are written."""
        if self.save_every is not None:
            return self.save_every
        return self.eval_every or SAVE_EVERY

    @property
    def reply_tokens(self) -> int:
        """Most tokens of a reply, or of an episode with `multi_turn`."""
        return self.max_tokens or (2048 if self.multi_turn else 64)

    def check(self) -> None:
        """Raises UserError if settings contradict each other."""
        for wrong, message in (
            (
                self.method == "grpo" and self.batch_size % self.rollouts,
                f"batch-size is {self.batch_size}, which is not a multiple of rollouts "
                f"({self.rollouts})",
            ),
            (
                self.patience and not self.eval_every,
                "patience counts evaluations: set eval-every too",
            ),
            (
                self.multi_turn and self.protocol != "tools",
                "multi-turn needs the protocol tools; in mcqa each turn is a new conversation",
            ),
            (
                self.patience and not self.held_out,
                "patience needs held-out rows: set held-out above 0",
            ),
            (
                self.warm_up and self.method == "sft",
                "warm-up precedes grpo; drop it for the method sft",
            ),
            (
                self.vllm and self.method == "sft",
                "sft generates no replies; drop vllm",
            ),
            (
                self.vllm_server and self.vllm != "server",
                "vllm-server is an address: set vllm to server too",
            ),
        ):
            if wrong:
                raise UserError(message)


def advice(settings: TrainingSettings) -> Iterator[str]:
    """Yields one remark per doubtful setting."""
    if settings.method != "grpo":
        return
    if settings.reward_suggestion >= 1:
        yield (
            "A valid suggestion earns as much as the right answer. The paper's models then learned "
            f"to ask in every turn. {_figures()}"
        )
    if settings.prompts_per_step < FEW_PROMPTS:
        yield (
            f"{settings.prompts_per_step} prompts per step are few: lucky guesses outweigh rare "
            "suggestions. The paper takes 64."
        )


def never_asks_remark(values: dict[str, float], settings: TrainingSettings) -> str | None:
    """Returns a remark if the initial model asked in none of the episodes."""
    asks = [value for name, value in values.items() if name.endswith("asks/ambiguous")]
    if settings.method != "grpo" or settings.warm_up or not asks or any(asks):
        return None
    return (
        "The model asked in none of the episodes, so GRPO has no suggestion to reward. "
        "--warm-up STEPS teaches it to ask sometimes; a higher --temperature may also help."
    )


def _figures() -> str:
    parts = []
    for model in _PAPER:
        low, high = find("table3", model, "rp=0.5"), find("table3", model, "rp=1.0")
        if low and high:
            parts.append(f"{model}: {_pair(high)} at 1.0, {_pair(low)} at 0.5")
    return f"Published, acc and psr: {'; '.join(parts)}."


def _pair(row: PublishedModel) -> str:
    return f"{100 * row.printed['acc']:.1f} % and {row.printed['psr']:.1f}"
