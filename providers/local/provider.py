"""The provider `local`: one model in this process, with requests collected into batches."""

import asyncio
import hashlib
import json
from collections.abc import Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

from proactive_agent.providers.base import Finding, Provider, ProviderError, ProviderOptions
from proactive_agent.providers.local.aliases import Source, resolve
from proactive_agent.providers.local.batching import Batcher
from proactive_agent.providers.local.chat import Chat, RenderedPrompt
from proactive_agent.providers.local.model_folder import folder_facts
from proactive_agent.providers.local.rendering import DATE
from proactive_agent.providers.local.template_variables import template_variables
from proactive_agent.providers.local.trials import picture_trial
from proactive_agent.providers.messages import Reply, Request, Usage
from proactive_agent.settings import DEFAULT_THINKING_ROOM, Sampling
from proactive_agent.tools import UserError
from proactive_agent.tools.cores import usable_cores

if TYPE_CHECKING:
    from proactive_agent.providers.local.generation import Generated, Generator
    from proactive_agent.providers.local.loading import Loaded

_PREPARING = max(1, min(4, usable_cores() // 2))
"""Threads that process pictures while the model generates. It needs processors, too."""


class Local(Provider):
    """An open-weight model.

    Decoding is greedy at temperature 0. Otherwise each reply is sampled with the seed of its
    request. Rounding can still make a reply depend on its batch: the last bits of matrix products
    depend on their shape, especially in half precision.
    """

    library: ClassVar[str | None] = "transformers"
    extra: ClassVar[str | None] = "local"

    def __init__(self, source: Source, loaded: "Loaded", options: ProviderOptions) -> None:
        from proactive_agent.providers.local.fitting import Fitting
        from proactive_agent.providers.local.generation import Generator

        self.chat = Chat(
            loaded.processor,
            loaded.template,
            family=loaded.family,
            options=template_variables(options.template_options),
        )
        if self.chat.fault:
            raise UserError(
                f"local:{source.shown}: {self.chat.fault}; put a chat_template.jinja that shows "
                "pictures into the model's folder"
            )
        self.generator = Generator(
            loaded.model,
            loaded.processor,
            keeps_special=self.chat.keeps_special,
            thinks=self.chat.thinks,
            thinking_room=DEFAULT_THINKING_ROOM,
        )
        if not self.chat.text_only:
            trial = picture_trial(self.chat.max_pictures)
            self.generator.learn_to_join([self.chat.prompt(request) for request in trial])
        self._preparing = ThreadPoolExecutor(_PREPARING, thread_name_prefix="local-prepare")
        self._batch_size = options.batch_size
        self._manifest = _manifest(source, loaded, options, self.chat, self.generator)
        self._fitting = Fitting[RenderedPrompt, "Generated"](self.generator, options.batch_size)
        self._batcher = Batcher[RenderedPrompt, "Generated"](
            self._fitting,
            size=options.batch_size,
            group=_group,
            length=lambda prompt: prompt.length,
        )

    @classmethod
    def create(cls, model: str, options: ProviderOptions) -> Self:
        """Loads a short name, a hub id or a folder. Takes seconds to minutes; raises UserError."""
        source = resolve(model)
        template_variables(options.template_options)
        if options.batch_size < 1:
            raise UserError(f"the batch size must be at least 1, got {options.batch_size}")
        from proactive_agent.providers.local.loading import load

        return cls(source, load(source, options), options)

    @property
    def concurrency(self) -> int:
        # One batch is generated while the next one is collected.
        return 2 * self._batch_size

    @property
    def max_pictures(self) -> int | None:
        return self.chat.max_pictures

    async def complete(self, request: Request) -> Reply:
        if self.chat.text_only and request.pictures:
            raise UserError(
                f"local:{self._manifest['model']} is a text-only model and cannot read pictures; "
                "it can only be a judge (--judge)"
            )
        with self._batcher.announced():
            prompt = await self._prepare_in_thread(request)
            future = self._batcher.submit(prompt)
        generated = await asyncio.wrap_future(future)
        return self._reply(request, prompt, generated)

    async def check(self) -> list[Finding]:
        from proactive_agent.providers.local.self_check import check_local

        return await check_local(self, self.chat, self.generator)

    def manifest(self) -> dict[str, Any]:
        return self._manifest | self.learnt()

    def learnt(self) -> dict[str, Any]:
        thinks = self.chat.thinks or self.generator.has_thought
        return {
            "played_by": ["one process"],
            "thinks": thinks,
            "default_thinking_room": self.generator.thinking_room if thinks else 0,
            "batch_size_that_fits": self._fitting.size,
        }

    def generation_settings(self, sampling: Sampling) -> dict[str, Any]:
        return plain_json(self.generator.settings(sampling))

    async def close(self) -> None:
        self.generator.stop()
        self._preparing.shutdown(wait=False, cancel_futures=True)
        await asyncio.to_thread(self._batcher.close)
        self.generator.release()

    def _reply(self, request: Request, prompt: RenderedPrompt, generated: "Generated") -> Reply:
        tools = bool(request.tools)
        written = self.chat.reply(
            generated.text, tools=tools, turn=request.key.turn, prompt=prompt.text
        )
        return replace(
            written,
            finish_reason=generated.finish_reason,
            usage=Usage(
                input_tokens=generated.input_tokens,
                output_tokens=generated.output_tokens,
                reasoning_tokens=generated.reasoning_tokens,
                seconds=generated.seconds,
            ),
            tool_format=self.chat.tool_format if tools else None,
            thinking_room=generated.thinking_room,
        )

    async def _prepare_in_thread(self, request: Request) -> RenderedPrompt:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._preparing, self._prepare, request)

    def _prepare(self, request: Request) -> RenderedPrompt:
        try:
            prompt = self.chat.prompt(request)
        except Exception as error:
            raise ProviderError("bad_request", f"{type(error).__name__}: {error}") from error
        sizes = map(self.generator.pictures.prepare, prompt.pictures)
        return replace(prompt, sizes=tuple(sizes))


def _group(prompt: RenderedPrompt) -> Hashable:
    # A processor does not accept prompts with and without pictures in one batch.
    return prompt.sampling, bool(prompt.pictures)


def _manifest(
    source: Source,
    loaded: "Loaded",
    options: ProviderOptions,
    chat: Chat,
    generator: "Generator",
) -> dict[str, Any]:
    from proactive_agent.providers.local.generation import context_tokens
    from proactive_agent.providers.local.loading import versions

    config = loaded.model.config
    return {
        "model": source.shown,
        "revision": options.revision or source.revision,
        "commit": getattr(config, "_commit_hash", None),
        **folder_facts(source.folder),
        "chat_template_sha256": hashlib.sha256(chat.template.encode()).hexdigest(),
        "template_options": dict(chat.options),
        "template_date": f"{DATE:%Y-%m-%d}" if chat.inserts_date else None,
        "tool_format": chat.tool_format,
        "tools_read_as": chat.call_format.name,
        "tools_as_text_because": chat.text_tools_reason or None,
        "context_tokens": context_tokens(config),
        "max_pictures": chat.max_pictures,
        "generation_config": plain_json(loaded.model.generation_config.to_diff_dict()),
        "checkpoint_generation_settings": plain_json(generator.replaced_settings),
        "image_processor": _image_settings(loaded.processor),
        "processor_changes": list(loaded.changes),
        "dtype": str(loaded.model.dtype).removeprefix("torch."),
        "device": loaded.device,
        "attention": getattr(config, "_attn_implementation", None),
        "quantize": options.quantize,
        "batch_size": options.batch_size,
        **versions(),
    }


def _image_settings(processor: Any) -> dict[str, Any]:
    """The settings of the image processor, without functions."""
    images = getattr(processor, "image_processor", None)
    return {} if images is None else plain_json(images.to_dict())


def plain_json(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings that have a value and that JSON can represent."""
    kept = {}
    for name, value in settings.items():
        if value is None or value == {}:
            continue
        try:
            kept[name] = json.loads(json.dumps(value))
        except (TypeError, ValueError):
            continue
    return kept
