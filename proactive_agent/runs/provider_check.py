"""Checks a model with one request (a picture and a tool), and an agent with the sight check."""

import asyncio
import time

from PIL import Image, ImageDraw

from proactive_agent.providers import (
    Finding,
    ImagePart,
    Provider,
    ProviderError,
    Reply,
    Request,
    RequestKey,
    Sampling,
    StoppedError,
    TextPart,
    UserMessage,
)
from proactive_agent.providers.reply_check import ask
from proactive_agent.records.manifest import ProviderSettings
from proactive_agent.runs.protocol_trials import try_protocols
from proactive_agent.tools import Answer, Toolset, read_reply
from proactive_agent.tools.catalogue import answer_tool

COLOURS = ("Red.", "Green.", "Blue.")
SHOWN = COLOURS[2]
QUESTION = "Which colour is the square? Respond by calling the tool."
SCENARIOS = ("rod",)
"""Scenarios of which a model on this machine plays a sample with each protocol."""
LONGEST = 80
"""Characters of a reply that are shown at most."""


async def check(provider: Provider, max_tokens: int) -> list[Finding]:
    """Sends a request, lets the provider check itself, and reports what works.

    Raises UserError for problems that concern every request, as a run does.
    """
    if provider.is_agent:
        return await _checked_agent(provider)
    request = Request(
        RequestKey("check", 0, 0),
        (UserMessage((_square(), TextPart(QUESTION))),),
        tools=(answer_tool(COLOURS),),
        sampling=Sampling(max_tokens),
    )
    try:
        started = time.perf_counter()
        try:
            reply = await ask(provider, request)
        except ProviderError as error:
            if error.kind == "bad_request":
                await provider.probe(request.sampling)  # Raises an explaining error.
            raise
        seconds = time.perf_counter() - started
        own = await provider.check()
        # On this machine it costs nothing to play.
        if own and provider.max_pictures != 0 and not provider.remote:
            own += await try_protocols(provider, SCENARIOS, ProviderSettings(max_tokens=max_tokens))
    except ProviderError as error:
        return [Finding("request", False, f"{error.kind}: {error}")]
    except StoppedError as error:
        return [Finding("request", False, str(error))]
    finally:
        await provider.close()
    return [
        Finding("request", True, f"answered in {seconds:.1f} s"),
        *_understood(reply),
        *own,
        *_usage(reply, charges=provider.charges),
        *_left_out(provider),
    ]


async def _checked_agent(provider: Provider) -> list[Finding]:
    try:
        return await provider.check()
    finally:
        await provider.close()


def check_now(provider: Provider, max_tokens: int) -> list[Finding]:
    """Runs `check` in a new event loop."""
    return asyncio.run(check(provider, max_tokens))


def _square() -> ImagePart:
    image = Image.new("RGB", (256, 256), "white")
    ImageDraw.Draw(image).rectangle((64, 64, 192, 192), fill="blue")
    return ImagePart("check: a blue square", lambda: image)


def _understood(reply: Reply) -> list[Finding]:
    reading = read_reply(reply.text, reply.tool_calls, Toolset((answer_tool(COLOURS),)), COLOURS)
    said = reply.text[:LONGEST] or ", ".join(c.name + c.arguments for c in reply.tool_calls)
    answer = reading.action if isinstance(reading.action, Answer) else None
    called = bool(reply.tool_calls) and answer is not None
    how = "offered natively" if reply.tool_format == "native" else "offered as text"
    detail = f"called, {how}" if called else f"not called ({how}); the reply: {said!r}"
    if answer is None:
        seen = Finding("picture", False, "no colour was named")
    else:
        seen = Finding("picture", answer.category == SHOWN, f"a blue square: {answer.category}")
    return [Finding("tool", called, detail), seen]


def _usage(reply: Reply, *, charges: bool) -> list[Finding]:
    usage = reply.usage
    if usage.input_tokens is None or usage.output_tokens is None:
        tokens = Finding("tokens", None, "not reported")
    else:
        tokens = Finding(
            "tokens", None, f"{usage.input_tokens:,} input, {usage.output_tokens:,} output"
        )
    if not charges and usage.cost_usd is None:
        return [tokens]
    cost = "unknown (--price IN,OUT)" if usage.cost_usd is None else f"${usage.cost_usd:.6f}"
    return [tokens, Finding("cost", None, cost)]


def _left_out(provider: Provider) -> list[Finding]:
    settings = provider.manifest().get("left_out")
    return [Finding("left out", None, ", ".join(settings))] if settings else []
