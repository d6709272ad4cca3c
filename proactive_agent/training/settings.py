"""The settings of a training, and advice about doubtful ones.

The defaults are those of the paper, where the paper names one (`docs/protocol.md`).
"""

from collections.abc import Iterator
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from proactive_agent.records.manifest import ParserName
from proactive_agent.reports.published import PublishedModel, find
from proactive_agent.tools import UserError

Method = Literal["grpo", "sft"]
ReplyForm = Literal["letter-and-text", "text", "letter"]
FEW_PROMPTS = 32
"""Per step.  With fewer a lucky guess beats a question that is rarely tried."""
_PAPER = ("Qwen2.5-VL-3B", "LLaVA-NeXT-Mistral-7B")
SAVE_EVERY = 50
"""Steps, where nothing else is asked for."""
Loss = Literal["dapo", "grpo", "dr_grpo", "bnpo", "cispo", "sapo"]


class TrainingSettings(BaseModel):
    """Everything that determines a trained model; the same settings and data train the same one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    """Short name, hub id or folder, as after `local:`."""
    data: str
    """The train split: a folder, a parquet file, or a data set on the Hub."""
    scenarios: tuple[str, ...] = ()
    """What is trained on; none named means all that the data holds.  The rest is unseen."""
    limit: int | None = Field(None, ge=1)
    """Rows per scenario, from the first on."""
    method: Method = "grpo"
    protocol: Literal["mcqa", "tools"] = "mcqa"
    parser: ParserName = "official"
    multi_turn: bool = False
    """Whole episodes instead of single questions."""
    seed: int = 0

    reward_suggestion: float = Field(0.5, ge=0)
    suggestion_price: float = Field(0.0, ge=0)
    """Taken off for each suggestion."""
    over_asking_penalty: float = Field(0.0, ge=0)
    """Taken off for a suggestion on a clear frame."""

    rollouts: int = Field(8, ge=2)
    """Replies per prompt."""
    batch_size: int = Field(512, ge=1)
    """Replies per step of the optimizer, over all devices; prompts x rollouts."""
    device_batch_size: int = Field(8, ge=1)
    """Replies in one pass through the model, per device."""
    generation_batch_size: int | None = Field(None, ge=1)
    """Replies written at once, over all devices; all of a step where none is given."""
    epochs: float = Field(1.0, gt=0)
    max_steps: int | None = Field(None, ge=1)
    """Steps of the optimizer; overrides the epochs."""
    optimizer: str = "adamw_torch"
    learning_rate: float = Field(2e-5, gt=0)
    schedule: str = "cosine"
    lr_warm_up_steps: int = Field(0, ge=0)
    weight_decay: float = Field(0.0, ge=0)
    max_grad_norm: float = Field(1.0, ge=0)
    beta: float = Field(0.0, ge=0)
    """Weight of the KL divergence from the model of the start."""
    clip: float = Field(0.2, gt=0)
    """The ratio of probabilities counts up to 1 +- this."""
    loss: Loss = "dapo"
    """How GRPO's loss is averaged, in TRL's words."""
    scale_rewards: Literal["group", "batch", "none"] = "group"
    iterations: int = Field(1, ge=1)
    """Updates per reply."""
    temperature: float = Field(1.0, gt=0)
    top_p: float = Field(1.0, gt=0, le=1)
    max_tokens: int | None = Field(None, ge=1)
    """Of a reply; of a whole episode with its pictures in `multi_turn`."""

    tune: Literal["lora", "full"] = "lora"
    lora_rank: int = Field(16, ge=1)
    lora_alpha: int = Field(16, ge=1)
    lora_dropout: float = Field(0.1, ge=0, lt=1)
    lora_targets: tuple[str, ...] = ("q_proj", "k_proj")
    """Layers of the language model."""

    warm_up: int = Field(0, ge=0)
    """Steps of supervised training on solved episodes before the first of GRPO."""
    warm_up_learning_rate: float | None = Field(None, gt=0)
    reply_form: ReplyForm = "letter-and-text"
    """How a solved multiple choice is written."""

    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    device: Literal["auto", "cpu"] = "auto"
    attention: str | None = None
    revision: str | None = None
    trust_remote_code: bool = False
    checkpointing: bool = False
    """Keeps no activations, computes them again: slower, and less memory."""
    deepspeed: str | None = None
    """Its configuration file."""
    vllm: Literal["colocate", "server"] | None = None
    vllm_server: str | None = None
    """Base URL."""
    vllm_memory: float = Field(0.3, gt=0, lt=1)
    """Share of a GPU's memory."""

    save_every: int | None = Field(None, ge=0)
    """Steps; 0 is never, and none given as often as is evaluated, or every `SAVE_EVERY`."""
    keep: int = Field(2, ge=1)
    """Checkpoints."""
    eval_every: int | None = Field(None, ge=1)
    """Steps; never where none is given, but before and after."""
    eval_data: str | None = None
    """Test data of the small benchmark; none is the embedded suite."""
    eval_limit: int = Field(8, ge=0)
    """Samples per scenario; 0 leaves the benchmark out."""
    held_out: int = Field(64, ge=0)
    """Rows of the trained scenarios that only measure the reward."""
    patience: int | None = Field(None, ge=1)
    """Ends after so many evaluations without a better held-out reward."""
    report_to: tuple[str, ...] = ()

    @classmethod
    def of(cls, **fields: Any) -> Self:
        """Checked settings.  Raises UserError, naming the field."""
        try:
            settings = cls(**fields)
        except ValidationError as error:
            first = error.errors()[0]
            name = str(first["loc"][0]) if first["loc"] else "settings"
            raise UserError(f"{name}: {first['msg']}") from None
        settings.check()
        return settings

    @property
    def prompts_per_step(self) -> int:
        """Prompts in one step of the optimizer."""
        return self.batch_size // self.rollouts

    @property
    def steps_per_checkpoint(self) -> int:
        """0 where there are none."""
        if self.save_every is not None:
            return self.save_every
        return self.eval_every or SAVE_EVERY

    @property
    def reply_tokens(self) -> int:
        """The most tokens of a reply, or of an episode."""
        return self.max_tokens or (2048 if self.multi_turn else 64)

    def check(self) -> None:
        """Raises UserError where settings do not go together."""
        for wrong, message in (
            (
                self.method == "grpo" and self.batch_size % self.rollouts,
                f"a batch of {self.batch_size} replies is no multiple of "
                f"{self.rollouts} rollouts per prompt",
            ),
            (
                self.patience and not self.eval_every,
                "patience counts evaluations: give eval-every as well",
            ),
            (
                self.multi_turn and self.protocol != "tools",
                "multi-turn is one conversation: give protocol tools; in the multiple choice each "
                "turn is asked afresh",
            ),
            (self.patience and not self.held_out, "patience needs held-out rows"),
            (self.warm_up and self.method == "sft", "warm-up goes before grpo, not before sft"),
            (
                self.vllm and self.method == "sft",
                "sft writes no replies, so it has no use for vLLM",
            ),
            (
                self.vllm_server and self.vllm != "server",
                "vllm-server is the address for vllm=server",
            ),
        ):
            if wrong:
                raise UserError(message)


def advice(settings: TrainingSettings) -> Iterator[str]:
    """One remark per doubtful setting."""
    if settings.method != "grpo":
        return
    if settings.reward_suggestion >= 1:
        yield (
            "A suggestion is worth as much as the answer: the paper's models learned to ask for "
            f"ever. {_figures()}"
        )
    if settings.prompts_per_step < FEW_PROMPTS:
        yield (
            f"{settings.prompts_per_step} prompts in a step are few: a lucky guess beats a "
            "question that is rarely tried. The paper takes 64."
        )


def about_never_asking(values: dict[str, float], settings: TrainingSettings) -> str | None:
    """A remark where the model of the start asked in none of the episodes."""
    asks = [value for name, value in values.items() if name.endswith("asks/ambiguous")]
    if settings.method != "grpo" or settings.warm_up or not asks or any(asks):
        return None
    return (
        "The model asked in none of the episodes. What is never tried is never rewarded: "
        "--warm-up STEPS teaches it to ask now and then, a higher --temperature may do as well."
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
