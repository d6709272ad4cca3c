"""An agent of the OpenAI Agents SDK plays one episode.

    pip install openai-agents
    python -m proactive_agent run --agent-env OPENAI_API_KEY --agent-usage usage.json \
        --provider "agent:python $PWD/examples/agents/openai_agents.py {url} '{prompt}' gpt-4.1"

The pictures are in the results of tools. Only the Responses API takes those, so this does not work
with servers that have only Chat Completions.
"""

import asyncio
import json
import sys
from pathlib import Path

from agents import Agent, OpenAIResponsesModel, Runner, set_tracing_disabled
from agents.mcp import MCPServerStreamableHttp
from openai import AsyncOpenAI


async def main(url: str, prompt: str, model: str) -> None:
    """Plays the episode and writes the tokens that it took to `usage.json`."""
    set_tracing_disabled(True)
    async with MCPServerStreamableHttp({"url": url}, client_session_timeout_seconds=120) as user:
        agent = Agent(
            name="player", model=OpenAIResponsesModel(model, AsyncOpenAI()), mcp_servers=[user]
        )
        result = await Runner.run(agent, prompt, max_turns=50)
    usage = result.context_wrapper.usage
    counts = {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cached_tokens": usage.input_tokens_details.cached_tokens,
        "reasoning_tokens": usage.output_tokens_details.reasoning_tokens,
    }
    Path("usage.json").write_text(json.dumps(counts))
    print(result.final_output)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
