"""Speed-up by batching: a local model at batch size 16, compared with one request at a time.

    python -m benchmarks.local_batching            # target: at least 4x on two CPU cores

The model is tiny and random, so the result shows the overhead of the provider, not the speed of a
real model. Both sides answer the same requests in the same process, in alternation.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Sequence

import torch
from PIL import Image

from proactive_agent.providers import (
    ImagePart,
    ProviderOptions,
    Request,
    RequestKey,
    Sampling,
    TextPart,
)
from proactive_agent.providers.local import Local
from proactive_agent.providers.messages import UserMessage
from tests.providers.tiny_models import KINDS, folder


def requests(number: int, max_tokens: int) -> list[Request]:
    """Returns questions of different lengths, each with a different picture."""
    return [
        Request(
            RequestKey("rod", index, 0),
            (UserMessage((_picture(index), TextPart("What is in the image? " * (1 + index % 3)))),),
            sampling=Sampling(max_tokens),
        )
        for index in range(number)
    ]


def _picture(index: int) -> ImagePart:
    image = Image.linear_gradient("L").rotate(index).resize((320, 240)).convert("RGB")
    return ImagePart(str(index), lambda: image)


async def seconds(provider: Local, asked: Sequence[Request]) -> float:
    """Returns the seconds until all requests are answered, at the concurrency of a run."""
    gate = asyncio.Semaphore(provider.concurrency)

    async def ask(request: Request) -> None:
        async with gate:
            await provider.complete(request)

    started = time.perf_counter()
    await asyncio.gather(*map(ask, asked))
    return time.perf_counter() - started


async def measure(kind: str, number: int, max_tokens: int, rounds: int) -> None:
    """Prints the requests per second for both batch sizes, and their ratio."""
    asked = requests(number, max_tokens)
    sizes = (1, 16)
    providers = [Local.create(str(folder(kind)), ProviderOptions(batch_size=b)) for b in sizes]
    for provider in providers:
        await seconds(provider, asked[:16])
    times: list[list[float]] = [[], []]
    for _ in range(rounds):
        for taken, provider in zip(times, providers, strict=True):
            taken.append(await seconds(provider, asked))
    single, batched = (number / statistics.median(taken) for taken in times)
    for provider in providers:
        await provider.close()
    print(
        f"{kind}: one at a time {single:.1f}/s, batches of 16 {batched:.1f}/s, "
        f"ratio {batched / single:.1f}x ({torch.get_num_threads()} threads)"
    )


def main() -> None:
    """Reads the command line and prints one line per model."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--model", choices=KINDS, nargs="+", default=["idefics2"])
    parser.add_argument("--requests", type=int, default=64)
    parser.add_argument("--max-tokens", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    for kind in options.model:
        asyncio.run(measure(kind, options.requests, options.max_tokens, options.rounds))


if __name__ == "__main__":
    main()
