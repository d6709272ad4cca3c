"""What the way through an API provider costs, against a server that replies after 200 ms.

    python -m benchmarks.api_throughput            # aims: 1.15 x the ideal time; 15 ms; flat memory

1. 256 requests, 64 at once, against the time that the server alone would take.
2. Our own processor time per request with a fresh picture of one megapixel.
3. Resident memory over 5,000 requests.

The server runs in a process of its own, so its work is not counted as ours.
"""

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from proactive_agent.providers import (
    ImagePart,
    Provider,
    Request,
    RequestKey,
    Sampling,
    TextPart,
    UserMessage,
)
from tests.providers.api_asking import AT_ONCE, TOOLS, provider

DELAY = 0.2
AT_A_TIME = 64
MEGAPIXEL = (1152, 896)


@contextmanager
def served(delay: float) -> Iterator[str]:
    """The hostile server in its quiet mode."""
    command = [sys.executable, "-m", "tests.providers.hostile_server", "--delay", str(delay)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def requests(number: int, pictures: Sequence[ImagePart]) -> list[Request]:
    """First turns with tools; the pictures take turns."""
    return [
        Request(
            RequestKey("rod", index, 0),
            (UserMessage((pictures[index % len(pictures)], TextPart("What is it?"))),),
            tools=TOOLS,
            sampling=Sampling(64),
        )
        for index in range(number)
    ]


def pictures(number: int, size: tuple[int, int]) -> list[ImagePart]:
    """Different pictures that compress as photographs do: 0.4 bytes a pixel at quality 90."""
    width, height = size
    coarse = Image.effect_noise((width // 8, height // 8), 100).resize(size)
    base = Image.blend(coarse, Image.effect_noise(size, 24), 0.35).convert("RGB")
    shown = [base.rotate(7 * index) for index in range(number)]
    return [ImagePart(f"{index} {size}", lambda i=i: i) for index, i in enumerate(shown)]  # type: ignore[misc]


async def ask_all(asked: Provider, todo: Sequence[Request]) -> float:
    """Seconds until all are answered, so many at a time as a run would keep in flight."""
    waiting = iter(todo)

    async def work() -> None:
        for request in waiting:
            await asked.complete(request)

    started = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(AT_A_TIME)))
    return time.perf_counter() - started


async def bare(url: str, number: int) -> float:
    """Seconds that a client takes which does nothing but to send bytes and to read some."""
    host, port = url.removeprefix("http://").removesuffix("/v1").split(":")
    content = json.dumps({"messages": ["x" * 16_000]}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: {len(content)}\r\n\r\n"
    waiting = iter(range(number))

    async def work() -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        for _ in waiting:
            writer.write(head.encode() + content)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = next(line for line in answer.split(b"\r\n") if b"content-length" in line)
            await reader.readexactly(int(length.split(b":")[1]))
        writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(AT_A_TIME)))
    return time.perf_counter() - started


async def throughput(protocol: str, url: str, rounds: int) -> None:
    """Prints the time of 256 requests against the ideal, and that of a bare client."""
    asked = provider(protocol, url, AT_ONCE)
    small = pictures(4, (320, 240))
    await ask_all(asked, requests(AT_A_TIME, small))
    times, bare_times = [], []
    for _ in range(rounds):
        times.append(await ask_all(asked, requests(256, small)))
        bare_times.append(await bare(url, 256))
    await asked.close()
    ideal = 256 / AT_A_TIME * DELAY
    print(
        f"{protocol}: 256 requests in {min(times):.3f} s, {min(times) / ideal:.2f} x ideal "
        f"(a bare client: {min(bare_times) / ideal:.2f} x)"
    )


async def own_time(protocol: str, url: str) -> None:
    """Prints processor time per request, each with a new picture."""
    asked = provider(protocol, url, AT_ONCE)
    await ask_all(asked, requests(AT_A_TIME, pictures(1, (64, 64))))
    todo = requests(64, pictures(64, MEGAPIXEL))
    started = time.process_time()
    await ask_all(asked, todo)
    fresh = (time.process_time() - started) / len(todo)
    started = time.process_time()
    await ask_all(asked, todo)
    again = (time.process_time() - started) / len(todo)
    await asked.close()
    print(
        f"{protocol}: {1e3 * fresh:.1f} ms of our own per request with a new megapixel, "
        f"{1e3 * again:.1f} ms where it was sent before"
    )


async def memory(protocol: str, url: str) -> None:
    """Prints resident memory after 1,000 and after 5,000 more requests, each with its picture."""
    asked = provider(protocol, url, AT_ONCE)
    sizes = []
    for number in (1000, 5000):
        for _ in range(number // 500):
            await ask_all(asked, requests(500, pictures(20, (320, 240))))
        sizes.append(_resident())
    await asked.close()
    print(f"{protocol}: {sizes[0]:.0f} MB after 1,000 requests, {sizes[1]:.0f} MB after 6,000")


def _resident() -> float:
    """Megabytes."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * resource.getpagesize() / 1e6
    except OSError:  # no Linux: the peak will do
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--protocol", nargs="+", default=["chat", "messages"])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    for protocol in options.protocol:
        with served(DELAY) as url:
            asyncio.run(throughput(protocol, url, options.rounds))
            asyncio.run(own_time(protocol, url))
        with served(0.0) as url:
            asyncio.run(memory(protocol, url))


if __name__ == "__main__":
    main()
