"""What is known to go wrong, said before it does."""

from collections.abc import Iterator

from proactive_agent.reports.published import PublishedModel, find
from proactive_agent.training.settings import TrainSettings

FEW_PROMPTS = 32
"""Per step.  With fewer a lucky guess beats a question that is rarely tried."""
_PAPER = ("Qwen2.5-VL-3B", "LLaVA-NeXT-Mistral-7B")


def advice(settings: TrainSettings) -> Iterator[str]:
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


def about_never_asking(values: dict[str, float], settings: TrainSettings) -> str | None:
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
