"""The provider `vllm`: a model in a vLLM server that belongs to the run."""

import asyncio
import importlib
from dataclasses import replace
from typing import Any, ClassVar, Self

from proactive_agent.providers.api.encoding import Pictures
from proactive_agent.providers.api.faults import ApiError
from proactive_agent.providers.api.openai import OpenAI
from proactive_agent.providers.api.server import ApiTarget
from proactive_agent.providers.base import Finding, ProviderOptions, StoppedError
from proactive_agent.providers.gpus import visible_gpus
from proactive_agent.providers.local.aliases import Source, resolve
from proactive_agent.providers.local.model_folder import folder_facts
from proactive_agent.providers.local.template_variables import template_variables
from proactive_agent.providers.messages import Reply, Request
from proactive_agent.providers.text_tools import as_plain_text, reply_from_text
from proactive_agent.providers.vllm.arguments import PARSER, arguments_of, parse_engine_arguments
from proactive_agent.providers.vllm.checkpoint import Checkpoint
from proactive_agent.providers.vllm.server import VllmServer, require_program
from proactive_agent.settings import ApiAccess, Sampling
from proactive_agent.tools import UserError
from proactive_agent.tools.catalogue import answer_tool
from proactive_agent.tools.render import for_openai

SERVER_DIED = "server_died"
"""The kind of error of a request whose vLLM server has ended."""
PER_GPU = 64
"""Episodes in flight for each copy of the model."""
MOST = 256
"""Episodes in flight at most. Each one holds a connection."""
ADAPTER = "adapter_config.json"


class Vllm(OpenAI):
    """An open-weight model, asked through Chat Completions.

    The server starts when the provider is made. The first request or probe waits until it is
    ready. If it ends in mid-run, the requests in flight become errors of the kind `server_died`,
    and the next one stops the run.
    """

    name = "vllm"
    remote: ClassVar[bool] = False
    charges: ClassVar[bool] = False
    follows_proxies = False

    def __init__(self, source: Source, options: ProviderOptions) -> None:
        shown = f"{self.name}:{source.shown}"
        if source.folder and (source.folder / ADAPTER).exists():
            raise UserError(
                f"{shown}: the folder holds an adapter without the weights of its base model, "
                "which vLLM cannot serve by itself; merge it, or use local:"
            )
        self.variables = template_variables(options.template_options)
        parse_engine_arguments(options.engine_arg)  # before the Hub is asked
        self._gpus = len(visible_gpus())
        self.source = source
        self.checkpoint = Checkpoint.read(source, options.revision or source.revision)
        self.arguments = arguments_of(source, options, self.checkpoint.family, self._gpus)
        self.server = VllmServer(shown, self.arguments)
        access = options.access
        # A server on this machine needs no reply cache, rate limits or prices.
        own = ApiAccess(timeout=access.timeout, tries=access.tries, first_wait=access.first_wait)
        super().__init__(
            ApiTarget(source.shown, self.server.address),
            replace(options, access=own, api="chat", api_seed=None, header=(), image_detail=None),
        )
        self._patience = access.start_timeout
        self._starting = asyncio.Lock()
        self._tools: str | None = None
        """Why tools are offered as text; empty if they are native, None before it is known."""
        self._stopping = False
        """Whether a request has failed because the server has ended."""
        self._facts = folder_facts(source.folder)

    @classmethod
    def create(cls, model: str, options: ProviderOptions) -> Self:
        """Starts the server of a short name, a hub id or a folder. Raises UserError."""
        source = resolve(model, cls.name)
        # Checks for missing software before any request to the Hub.
        require_program()
        importlib.import_module("openai")
        provider = cls(source, options)
        provider.server.start()
        return provider

    @property
    def concurrency(self) -> int:
        return min(MOST, PER_GPU * max(1, self._gpus))

    @property
    def tool_format(self) -> str | None:
        """`native` or `text`; None before the server is ready."""
        return None if self._tools is None else "text" if self._tools else "native"

    async def complete(self, request: Request) -> Reply:
        if self._stopping:
            raise StoppedError(f"{self.spec}: the vLLM server has ended")
        await self._ready()
        if not (request.tools and self._tools):
            return await super().complete(request)
        messages = as_plain_text(request.messages, request.tools)
        asked = replace(request, messages=tuple(messages), tools=())
        reply = await super().complete(asked)
        written = reply_from_text(reply.text, tools=True, turn=request.key.turn)
        return replace(reply, text=written.text, tool_calls=written.tool_calls, tool_format="text")

    async def probe(self, sampling: Sampling) -> Reply | None:
        await self._ready()
        reply = await super().probe(sampling)
        if reply is None and self.server.ended:
            raise UserError(f"{self.spec}: {self.server.failure()}")
        return reply

    async def check(self) -> list[Finding]:
        await self._ready()
        seconds = self.server.seconds or 0.0
        tools = f"offered as text: {self._tools}" if self._tools else "offered natively"
        return [
            Finding("server", None, f"vLLM {self.server.version}, ready after {seconds:.0f} s"),
            Finding("tools", None, tools),
        ]

    def body(self, request: Request, pictures: Pictures) -> dict[str, Any]:
        body = super().body(request, pictures)
        if self.variables:
            body["chat_template_kwargs"] = self.variables
        return body

    def _body(self, request: Request, pictures: Pictures) -> dict[str, Any]:
        own = self.checkpoint.sampling(self.spec, request.sampling)
        return own | super()._body(request, pictures)

    def fault(self, error: Exception) -> ApiError:
        if self.server.ended:
            self._stopping = True
            return ApiError(SERVER_DIED, self.server.failure())
        return super().fault(error)

    def manifest(self) -> dict[str, Any]:
        facts = super().manifest()
        # The address differs from run to run, and there is no price.
        for name in ("base_url", "price", "api"):
            del facts[name]
        return {
            **facts,
            "revision": self.options.revision or self.source.revision,
            **self._facts,
            "template_options": dict(self.variables),
            # Port and key are new in each run. The path of a folder is private.
            "arguments": [self.arguments[0], self.source.shown, *self.arguments[2:]],
        }

    def learnt(self) -> dict[str, Any]:
        return super().learnt() | {
            "vllm": self.server.version,
            "tool_format": self.tool_format,
            "tools_as_text_because": self._tools or None,
        }

    async def close(self) -> None:
        # In a thread, and shielded: a second Ctrl-C must not interrupt the stop.
        await asyncio.shield(asyncio.to_thread(self.server.stop))
        await super().close()

    def _api_key(self) -> str:
        return self.server.key

    async def _ready(self) -> None:
        async with self._starting:
            if self._tools is None:
                await self.server.ready(self._patience)
                self._tools = await self._why_text()

    async def _why_text(self) -> str:
        """Returns why tools are offered as text; empty if they are native."""
        if not any(argument.startswith(f"--{PARSER}=") for argument in self.arguments):
            family = self.checkpoint.family
            return (
                f"no parser of vLLM is known for {family}; --engine-arg {PARSER}=NAME names one"
                if family
                else f"the model's family is unknown; --engine-arg {PARSER}=NAME names a parser"
            )
        question = {
            "model": self.target.model,
            "messages": [{"role": "user", "content": "?"}],
            "chat_template_kwargs": self.variables,
        }
        tools = for_openai((answer_tool(("yes", "no")),))
        plain = await self.server.ask("POST", "/tokenize", question)
        offered = await self.server.ask("POST", "/tokenize", question | {"tools": tools})
        if not (plain.get("tokens") and offered.get("tokens")):
            return "the engine does not say how it shows tools"
        shown = plain["tokens"] != offered["tokens"]
        return "" if shown else "the chat template takes no tools"
