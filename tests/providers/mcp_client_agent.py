"""An agent by script on the real `mcp` client: asks once, then answers. Arguments: URL."""

import asyncio
import json
import sys
from pathlib import Path

from mcp import Client

sys.path.insert(0, str(Path(__file__).parent))
from scripted_agent import choices, read_sign  # type: ignore[import-not-found]


async def main(url: str) -> None:
    async with Client(url) as client:
        tools = {t.name: {"inputSchema": t.input_schema} for t in (await client.list_tools()).tools}
        result = await client.call_tool("look", {})
        if "report" in tools:
            for _ in range(2):
                (data,) = [part.data for part in result.content if part.type == "image"]
                result = await client.call_tool("report", read_sign(data, tools["report"]))
            return
        await client.call_tool("move_object", {"direction": "left"})
        answer = {"category": choices(tools["answer"])[0]}
        await client.call_tool("answer", answer)
        print(json.dumps(answer))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
