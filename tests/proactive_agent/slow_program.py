"""The program with a provider `slow:random`, which takes its time: something to interrupt.

python -m tests.proactive_agent.slow_program run --provider slow:random ...
"""

import asyncio
from typing import Self

import proactive_agent.__main__
from proactive_agent.providers import Provider, ProviderOptions, Reply, Request, create_provider
from proactive_agent.providers.registry import BUILT_IN, Entry


class Slow(Provider):
    """The random baseline, 40 ms a reply."""

    def __init__(self) -> None:
        self.baseline = create_provider("baseline:random")

    @classmethod
    def create(cls, model: str, options: ProviderOptions) -> Self:
        return cls()

    async def complete(self, request: Request) -> Reply:
        await asyncio.sleep(0.04)
        return await self.baseline.complete(request)


if __name__ == "__main__":
    BUILT_IN["slow"] = Entry("tests.proactive_agent.slow_program:Slow")
    proactive_agent.__main__.main()
