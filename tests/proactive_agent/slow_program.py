"""The program with a slow provider, `slow:random`, for tests that interrupt it.

python -m tests.proactive_agent.slow_program run --provider slow:random ...
"""

import asyncio

import proactive_agent.__main__
from proactive_agent.providers import (
    Provider,
    Reply,
    Request,
    create_provider,
    register_provider,
)


class Slow(Provider):
    """The random baseline with 40 ms per reply."""

    def __init__(self) -> None:
        self.baseline = create_provider("baseline:random")

    async def complete(self, request: Request) -> Reply:
        await asyncio.sleep(0.04)
        return await self.baseline.complete(request)


if __name__ == "__main__":
    register_provider("slow", lambda model, options: Slow())
    proactive_agent.__main__.main()
