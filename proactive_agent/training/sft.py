"""Supervised training on solved episodes, by TRL's trainer: a method, or a warm-up for GRPO."""

from collections.abc import Sequence
from typing import Any

from proactive_agent.training.arguments import sft_arguments
from proactive_agent.training.episodes import EpisodeData
from proactive_agent.training.examples import (
    pictures_of_requests,
    pictures_of_rows,
    solved_examples,
)
from proactive_agent.training.model import adapter_config, on_gpu, world_size
from proactive_agent.training.prepared import Prepared
from proactive_agent.training.prompts import reply_frame
from proactive_agent.training.solved import solved_episodes, solved_rows


def sft_trainer(prepared: Prepared, callbacks: list[Any]) -> Any:
    """TRL's trainer; only the replies count."""
    import trl

    settings, chosen = prepared.settings, prepared.chosen
    held_out = chosen.held_out if settings.method == "sft" else []
    arguments = sft_arguments(
        settings,
        prepared.out,
        processes=world_size(),
        gpu=on_gpu(settings),
        evaluates=bool(held_out),
    )
    return trl.SFTTrainer(
        model=prepared.loaded.model,
        args=trl.SFTConfig(**arguments),
        train_dataset=_examples(prepared, chosen.train),
        eval_dataset=_examples(prepared, held_out) if held_out else None,
        processing_class=prepared.processor,
        peft_config=adapter_config(prepared.loaded.model, settings),
        callbacks=callbacks,
    )


def _examples(prepared: Prepared, rows: Sequence[Any]) -> Any:
    frame = reply_frame(prepared.chat, prepared.loaded.processor.tokenizer, prepared.stop)
    if isinstance(prepared.data, EpisodeData):
        solved = solved_episodes(rows, prepared.data.data, prepared.protocol)
        pictures = pictures_of_requests(solved)
    else:
        form = prepared.settings.reply_form
        solved = solved_rows(rows, prepared.protocol, prepared.wordings, form)
        pictures = pictures_of_rows(prepared.data.pictures, rows)
    return solved_examples(pictures, solved, prepared.chat, frame)
