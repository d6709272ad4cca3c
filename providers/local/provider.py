"""The provider `local`: one model in this process, with requests collected into batches."""

import asyncio
import hashlib
from collections.abc import Hashable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

from proactive_agent.providers.base import Provider, ProviderError, ProviderOptions
from proactive_agent.providers.local.aliases import Source, resolve
from proactive_agent.providers.local.batching import Batcher
from proactive_agent.providers.local.chat import Chat, RenderedPrompt
from proactive_agent.providers.local.model_folder import folder_sha256, training_in
from proactive_agent.providers.messages import Reply, Request, Usage
from proactive_agent.providers.text_tools import reply_from_text
from proactive_agent.tools import UserError

if TYPE_CHECKING:
    from proactive_agent.providers.local.generation import Generated
    from proactive_agent.providers.local.loading import Loaded


class Local(Provider):
    """An open-weight model.

    Decoding is greedy at temperature 0.  Otherwise each reply is sampled with the seed of its
    request.  Rounding can still make a reply depend on its batch: the last bits of matrix products
    depend on their shape, especially in half precision.
    """

    library: ClassVar[str | None] = "transformers"
    extra: ClassVar[str | None] = "local"

    def __init__(self, source: Source, loaded: "Loaded", options: ProviderOptions) -> None:
        from proactive_agent.providers.local.fitting import Fitting
        from proactive_agent.providers.local.generation import Generator

        self.generator = Generator(loaded.model, loaded.processor)
        self._chat = Chat(loaded.processor, loaded.template)
        self._batch_size = options.batch_size
        self._manifest = _manifest(source, loaded, options, self._chat)
        fitting = Fitting[RenderedPrompt, "Generated"](self.generator, options.batch_size)
        self._batcher = Batcher[RenderedPrompt, "Generated"](
            fitting, size=options.batch_size, group=_group, length=lambda prompt: prompt.length
        )

    @classmethod
    def create(cls, model: str, options: ProviderOptions) -> Self:
        """Loads a short name, a hub id or a folder.  Takes seconds to minutes; raises UserError."""
        source = resolve(model)
        if options.batch_size < 1:
            raise UserError(f"the batch size must be at least 1, got {options.batch_size}")
        from proactive_agent.providers.local.loading import load

        return cls(source, load(source, options), options)

    @property
    def concurrency(self) -> int:
        # One batch is generated while the next one is collected.
        return 2 * self._batch_size

    async def complete(self, request: Request) -> Reply:
        if self._chat.text_only and request.pictures:
            raise UserError(
                f"local:{self._manifest['model']} is a text-only model and cannot read pictures; "
                "it can only be a judge (--judge)"
            )
        with self._batcher.announced():
            prompt = await self._prepare(request)
            future = self._batcher.submit(prompt)
        generated = await asyncio.wrap_future(future)
        return _reply(request, generated, self._chat)

    def manifest(self) -> dict[str, Any]:
        return dict(self._manifest)

    async def close(self) -> None:
        self.generator.stop()
        await asyncio.to_thread(self._batcher.close)
        self.generator.release()

    async def _prepare(self, request: Request) -> RenderedPrompt:
        try:
            return await asyncio.to_thread(self._chat.prompt, request)
        except Exception as error:
            raise ProviderError("bad_request", f"{type(error).__name__}: {error}") from error


def _group(prompt: RenderedPrompt) -> Hashable:
    # A processor does not accept prompts with and without pictures in one batch.
    return prompt.sampling, bool(prompt.images)


def _reply(request: Request, generated: "Generated", chat: Chat) -> Reply:
    written = reply_from_text(generated.text, tools=bool(request.tools), turn=request.key.turn)
    return replace(
        written,
        finish_reason=generated.finish_reason,
        usage=Usage(
            input_tokens=generated.input_tokens,
            output_tokens=generated.output_tokens,
            seconds=generated.seconds,
        ),
        tool_format=chat.tool_format if request.tools else None,
    )


def _manifest(
    source: Source, loaded: "Loaded", options: ProviderOptions, chat: Chat
) -> dict[str, Any]:
    from proactive_agent.providers.local.loading import versions

    config = loaded.model.config
    training = training_in(source.folder) if source.folder else None
    return {
        "model": source.shown,
        "revision": options.revision,
        "commit": getattr(config, "_commit_hash", None),
        "folder_sha256": folder_sha256(source.folder) if source.folder else None,
        "chat_template_sha256": hashlib.sha256(chat.template.encode()).hexdigest(),
        "tool_format": chat.tool_format,
        "dtype": str(loaded.model.dtype).removeprefix("torch."),
        "device": loaded.device,
        "attention": getattr(config, "_attn_implementation", None),
        "quantize": options.quantize,
        "batch_size": options.batch_size,
        **versions(),
        **({"training": training} if training else {}),
    }
