"""Speed-up by a second worker: a local model with two workers, compared with one.

    python -m benchmarks.ray_workers            # target: at least 1.8x on two quiet cores

The model is tiny and random, so the result shows the overhead of Ray and of the program that sends
the requests, not the speed of a real model. Each worker has one thread. Both sides answer the same
requests in turn, with all workers alive; each round gives one ratio. Workers open the
pictures of the embedded suite as files.
"""

import argparse
import asyncio
import os
import statistics
import time
from collections.abc import Sequence

from proactive_agent.providers import (
    ApiAccess,
    ImagePart,
    Provider,
    ProviderOptions,
    Request,
    RequestKey,
    Sampling,
    TextPart,
    UserMessage,
    create_provider,
)
from proactive_agent.scenarios import DataFolder, StoredImage

MODELS = ("idefics2", "qwen2_5_vl")


def requests(number: int, max_tokens: int) -> list[Request]:
    """Returns questions about the first frames of the embedded suite."""
    data = DataFolder()
    frames = [
        data.environment(scenario, sample).observe().image
        for scenario in data.scenarios()
        for sample in data.samples(scenario)
    ]
    parts = [ImagePart(f"{ref}", StoredImage(data.images, ref)) for ref in frames]
    return [
        Request(
            RequestKey("rod", index, 0),
            (UserMessage((parts[index % len(parts)], TextPart("What is it? " * (1 + index % 3)))),),
            sampling=Sampling(max_tokens, thinking_tokens=0),
        )
        for index in range(number)
    ]


async def seconds(provider: Provider, asked: Sequence[Request]) -> float:
    """Returns the seconds until all requests are answered, at the concurrency of a run."""
    gate = asyncio.Semaphore(provider.concurrency)

    async def ask(request: Request) -> None:
        async with gate:
            await provider.complete(request)

    started = time.perf_counter()
    await asyncio.gather(*map(ask, asked))
    return time.perf_counter() - started


async def measure(spec: str, options: argparse.Namespace) -> None:
    """Prints the requests per second with one and two workers, and the ratio of each round."""
    asked = requests(options.requests, options.max_tokens)
    sides = [
        create_provider(
            spec,
            ProviderOptions(
                device="cpu", batch_size=options.batch_size, access=ApiAccess(workers=number)
            ),
        )
        for number in (1, 2)
    ]
    for side in sides:
        await seconds(side, asked)
    times = [[await seconds(side, asked) for side in sides] for _ in range(options.rounds)]
    for side in sides:
        await side.close()
    ratios = sorted(one / two for one, two in times)
    rates = [len(asked) / statistics.median(taken) for taken in zip(*times, strict=True)]
    print(
        f"1 worker {rates[0]:.1f}/s, 2 workers {rates[1]:.1f}/s, ratio "
        f"{statistics.median(ratios):.2f}x (rounds: {', '.join(f'{r:.2f}' for r in ratios)}); "
        f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )


def main() -> None:
    """Reads the command line and prints one line per model."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--model", choices=MODELS, default="qwen2_5_vl")
    parser.add_argument("--requests", type=int, default=192)
    parser.add_argument("--max-tokens", type=int, default=32)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from tests.providers.tiny_models import folder

    asyncio.run(measure(f"local:{folder(options.model)}", options))


if __name__ == "__main__":
    main()
