"""GRPO on single questions, with TRL's trainer."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from proactive_agent.play.protocols import Protocol
from proactive_agent.play.reward import RewardRule, Score
from proactive_agent.providers.local.chat import Chat
from proactive_agent.scenarios.wording import Wording
from proactive_agent.tools import UserError
from proactive_agent.training.arguments import grpo_arguments
from proactive_agent.training.model import adapter_config, on_gpu, world_size
from proactive_agent.training.prepared import Prepared, single_questions
from proactive_agent.training.prompts import request_for
from proactive_agent.training.reward import LogMetric, rule_of, score_row
from proactive_agent.training.rows import QuestionRow

Batch = dict[str, list[Any]]


def grpo_trainer(prepared: Prepared, model: Any, callbacks: list[Any]) -> Any:
    """Returns TRL's trainer for single questions. See `new_trainer`."""
    return new_trainer(
        prepared,
        model,
        partial(_prompts, prepared),
        reward_funcs=RewardFunction(prepared),
        processing_class=prepared.processor,
        callbacks=callbacks,
    )


def new_trainer(
    prepared: Prepared, model: Any, data_set: Callable[[Sequence[Any]], Any], **arguments: Any
) -> Any:
    """Returns TRL's GRPO trainer.

    Args:
        prepared: The training.
        model: The loaded model. After a warm-up it already has its adapter.
        data_set: Makes the trainer's data set of rows.
        arguments: Further arguments of `GRPOTrainer`.
    """
    import trl

    settings, chosen = prepared.settings, prepared.chosen
    config = grpo_arguments(
        settings,
        prepared.out,
        processes=world_size(),
        gpu=on_gpu(settings),
        evaluates=bool(chosen.held_out),
    )
    has_adapter = model is not prepared.loaded.model
    return trl.GRPOTrainer(
        model=model,
        args=trl.GRPOConfig(**config),
        train_dataset=data_set(chosen.train),
        eval_dataset=data_set(chosen.held_out) if chosen.held_out else None,
        peft_config=None if has_adapter else adapter_config(model, settings),
        **arguments,
    )


class RewardFunction:
    """Reward function for TRL: reads every completion and logs the parts of its reward."""

    __name__ = "reward"

    def __init__(self, prepared: Prepared) -> None:
        settings = prepared.settings
        self._rows: Mapping[int, QuestionRow] = {
            row.index: row for rows in prepared.chosen for row in rows
        }
        self._protocol: Protocol = prepared.protocol
        self._rule = rule_of(settings)
        self._chat = prepared.chat
        self._stop = prepared.stop
        self._seed = settings.seed

    def __call__(
        self, *, completion_ids: Sequence[Sequence[int]], row: Sequence[int], **more: Any
    ) -> list[float]:
        """Returns one reward per completion."""
        scores = [
            self._score(self._rows[index], ids)
            for index, ids in zip(row, completion_ids, strict=True)
        ]
        log_scores(scores, self._rule, more["log_metric"])
        return [self._rule.reward(score) for score in scores]

    def _score(self, row: QuestionRow, ids: Sequence[int]) -> Score:
        from proactive_agent.providers.local.generation import text_of

        chat = self._chat
        tokenizer = chat.processor.tokenizer
        text = text_of(ids, self._stop, tokenizer, keeps_special=chat.keeps_special)
        reply = chat.reply(text, tools=self._protocol.name == "tools")
        return score_row(row, reply, self._protocol, self._seed)


def log_scores(scores: Sequence[Score], rule: RewardRule, log_metric: LogMetric) -> None:
    """Logs the parts of the reward and the rates of each reply. The trainer averages them."""
    for score in scores:
        for name, value in rule.parts(score).items():
            log_metric(f"reward/{name}", value)
        frames = "clear" if score.clear else "ambiguous"
        log_metric(f"ask_rate/{frames}", float(score.kind in ("ask", "vague")))
        log_metric(f"accuracy/{frames}", float(score.category))
        for kind in ("invalid", "abstain"):
            log_metric(f"{kind}_rate", float(score.kind == kind))


def check_log_probabilities(prepared: Prepared) -> None:
    """Raises UserError if TRL must recompute log probabilities and cannot for this model.

    TRL passes on a fixed set of inputs. LLaVA-OneVision needs one more, `batch_num_images`.
    """
    settings = prepared.settings
    names = prepared.loaded.processor.image_processor.model_input_names
    written = settings.generation_batch_size or settings.batch_size
    looks = {
        "beta": settings.beta,
        "vllm": settings.vllm,
        # Some replies are still in use after the model has changed.
        "iterations or generation-batch-size": settings.batch_size
        % (written * settings.iterations),
    }
    if "batch_num_images" in names and any(looks.values()):
        option = next(name for name, used in looks.items() if used)
        raise UserError(
            f"{option}: TRL cannot recompute the log probabilities of replies for "
            f"{type(prepared.loaded.model).__name__}; drop this option or use another model"
        )


def _prompts(prepared: Prepared, rows: Sequence[QuestionRow]) -> Any:
    return prompts_of(
        single_questions(prepared).pictures,
        rows,
        prepared.protocol,
        prepared.chat,
        prepared.wordings,
    )


def prompts_of(
    pictures: Any,
    rows: Sequence[QuestionRow],
    protocol: Protocol,
    chat: Chat,
    wordings: Sequence[Wording],
) -> Any:
    """Returns a data set with the columns `prompt`, `images` and `row`. Raises RowError."""
    texts = [chat.text(request_for(row, protocol, wordings)) for row in rows]
    messages = [[{"role": "user", "content": text}] for text in texts]
    numbers = [row.index for row in rows]
    chosen = pictures.select(numbers).add_column("prompt", messages)
    return chosen.add_column("row", numbers).with_transform(_decoding())


def _decoding() -> Callable[[Batch], Batch]:
    """Returns a transform that decodes pictures on access.

    GRPO reads the same prompt once per reply, in succession. The last picture is kept, so it is
    decoded once for all replies to a prompt.
    """
    import datasets

    decode = datasets.Image(mode="RGB").decode_example
    last: tuple[int | None, list[Any]] = None, []

    def decoded(batch: Batch) -> Batch:
        nonlocal last
        images = []
        for row, files in zip(batch["row"], batch["images"], strict=True):
            if row != last[0]:
                last = row, [decode(file) for file in files]
            images.append(last[1])
        return {**batch, "images": images}

    return decoded
