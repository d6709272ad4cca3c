"""GRPO on whole episodes, with TRL's environments. Experimental, in TRL and here.

TRL treats each reply as a call of one tool, `EpisodeEnvironment.reply`. So the code that reads
replies in a run reads them here, and a conversation has the same tokens as in a run.
"""

import copy
import inspect
from collections.abc import Sequence
from functools import partial
from typing import Any

from proactive_agent.play.conditions import parse_condition
from proactive_agent.play.episode import ExternalPlayer, Play
from proactive_agent.play.reward import RewardRule
from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.tools import UserError
from proactive_agent.training.episodes import (
    EpisodeData,
    EpisodeEnvironment,
    EpisodeLoop,
    Opening,
)
from proactive_agent.training.grpo import new_trainer
from proactive_agent.training.prepared import Prepared
from proactive_agent.training.prompts import reply_frame
from proactive_agent.training.reward import LogMetric, rule_of


def multi_turn_trainer(
    prepared: Prepared, model: Any, callbacks: list[Any], episode_loop: EpisodeLoop
) -> Any:
    """Returns TRL's trainer for whole episodes."""
    return new_trainer(
        prepared,
        model,
        _openings,
        reward_funcs=EpisodeReward(rule_of(prepared.settings)),
        processing_class=episode_processor(prepared, episode_loop),
        environment_factory=partial(EpisodeEnvironment, episode_loop),
        callbacks=callbacks,
    )


def check_model(model: Any, processor: Any) -> None:
    """Raises UserError for a model to which TRL cannot pass pictures after the first turn."""
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    grid = hasattr(inner.config, "vision_start_token_id")
    takes = "token_type_ids" in inspect.signature(inner.forward).parameters
    if not getattr(processor, "image_token", None) or not (grid or takes):
        raise UserError(
            f"multi-turn: TRL cannot pass pictures of later turns to {type(inner).__name__}; "
            "use a Qwen-VL model or drop --multi-turn"
        )


def episode_processor(prepared: Prepared, episode_loop: EpisodeLoop) -> Any:
    """Returns a processor that renders texts unchanged and parses each reply as a tool call."""
    processor = copy.copy(prepared.processor)
    processor.chat_template = _template(episode_loop.mark)
    processor.tokenizer = tokenizer = copy.copy(prepared.loaded.processor.tokenizer)
    tokenizer.response_template = {}  # TRL calls `parse_response` only if this is set.
    tokenizer.parse_response = partial(_as_call, prepared)
    return processor


class EpisodeReward:
    """Reward function for TRL: rewards whole episodes."""

    __name__ = "reward"

    def __init__(self, rule: RewardRule) -> None:
        self._rule = rule

    def __call__(self, *, environments: Sequence[EpisodeEnvironment], **more: Any) -> list[float]:
        """Returns one reward per episode."""
        rewards = []
        for environment in environments:
            parts = self._rule.episode_parts(environment.record)
            _log(environment.record, parts, more["log_metric"])
            rewards.append(sum(parts.values()))
        return rewards


def _log(record: EpisodeRecord | None, parts: dict[str, float], log_metric: LogMetric) -> None:
    for name, value in parts.items():
        log_metric(f"reward/{name}", value)
    log_metric("cut_rate", float(record is None))
    if record is not None:
        first = record.turns[0].action.kind if record.turns else "invalid"
        log_metric("ask_rate/ambiguous", float(first in ("intervention", "vague")))
        log_metric("turns", float(record.outcome.turns))
        invalid = any(turn.action.kind == "invalid" for turn in record.turns)
        log_metric("invalid_rate", float(invalid))


def make_episode_loop(prepared: Prepared) -> EpisodeLoop:
    """Returns the loop for the episodes. Raises UserError if TRL cannot train such a model."""
    check_model(prepared.loaded.model, prepared.loaded.processor)
    settings, data = prepared.settings, prepared.data
    if not isinstance(data, EpisodeData):
        raise TypeError("whole episodes need samples, not rows")
    play = Play(
        data=data.data,
        provider=ExternalPlayer(),
        protocol=prepared.protocol,
        condition=parse_condition("zero-shot", settings.protocol),
        seed=settings.seed,
    )
    tokenizer = prepared.loaded.processor.tokenizer
    frame = reply_frame(prepared.chat, tokenizer, prepared.stop)
    return EpisodeLoop(play, data.rows, prepared.chat, frame, settings.reply_tokens)


def _openings(rows: Sequence[Opening]) -> Any:
    """Returns a data set with the columns `prompt`, which the environment fills, and `row`."""
    import datasets

    empty = [[{"role": "user", "content": ""}] for _ in rows]
    return datasets.Dataset.from_dict({"prompt": empty, "row": [row.index for row in rows]})


def _template(mark: str) -> str:
    """Returns a chat template that leaves texts and pictures unchanged and marks tool calls."""
    return (
        "{%- for message in messages -%}{%- for part in message['content'] -%}"
        "{%- if part['type'] == 'image' -%}" + mark + "{%- else -%}{{- part['text'] -}}"
        "{%- endif -%}{%- endfor -%}"
        "{%- for call in message['tool_calls'] or [] -%}{{- call['function'] | tojson -}}"
        "{%- endfor -%}{%- endfor -%}"
    )


def _as_call(prepared: Prepared, ids: Sequence[int], **others: Any) -> dict[str, Any]:
    """Returns a reply in the form of a call of `EpisodeEnvironment.reply`."""
    from proactive_agent.providers.local.generation import text_of

    del others
    tokenizer, keeps_special = prepared.loaded.processor.tokenizer, prepared.chat.keeps_special
    text = text_of(list(ids), prepared.stop, tokenizer, keeps_special=keeps_special)
    call = {"type": "function", "function": {"name": "reply", "arguments": {"text": text}}}
    return {"role": "assistant", "content": text, "tool_calls": [call]}
