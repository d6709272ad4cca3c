"""A LangGraph agent plays one episode.

    pip install langgraph langchain langchain-mcp-adapters langchain-anthropic
    python -m proactive_agent run --agent-env ANTHROPIC_API_KEY \
        --provider "agent:python $PWD/examples/agents/langgraph_agent.py {url} '{prompt}' MODEL"

MODEL is a name such as `anthropic:claude-sonnet-4-5`.
"""

import asyncio
import sys

from langchain.agents import create_agent
from langchain_mcp_adapters.client import MultiServerMCPClient


async def main(url: str, prompt: str, model: str) -> None:
    """Plays the episode and prints the last message."""
    client = MultiServerMCPClient({"user": {"url": url, "transport": "streamable_http"}})
    agent = create_agent(model, await client.get_tools())
    messages = {"messages": [{"role": "user", "content": prompt}]}
    result = await agent.ainvoke(messages, {"recursion_limit": 100})
    print(result["messages"][-1].text)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
