"""Overhead of an API provider, measured against a server that replies after 200 ms.

    python -m benchmarks.api_throughput     # targets: 1.15 x the ideal time; 15 ms; flat memory

1. The time of 256 requests, 64 at once, compared with the time that the server alone takes.
2. Processor time per request with a new picture of one megapixel.
3. Resident memory over 5,000 requests.

The server runs in a separate process, so its work is not counted.
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
    """Starts the test server without faults and yields its URL."""
    command = [sys.executable, "-m", "tests.providers.hostile_server", "--delay", str(delay)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def requests(number: int, pictures: Sequence[ImagePart]) -> list[Request]:
    """Returns first turns with tools, which cycle through the pictures."""
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
    """Returns different pictures that compress like photographs: 0.4 bytes/pixel at quality 90."""
    width, height = size
    coarse = Image.effect_noise((width // 8, height // 8), 100).resize(size)
    base = Image.blend(coarse, Image.effect_noise(size, 24), 0.35).convert("RGB")
    shown = [base.rotate(7 * index) for index in range(number)]
    return [ImagePart(f"{index} {size}", lambda i=i: i) for index, i in enumerate(shown)]  # type: ignore[misc]


async def ask_all(asked: Provider, todo: Sequence[Request]) -> float:
    """Returns the seconds until all requests are answered, with `AT_A_TIME` in flight."""
    waiting = iter(todo)

    async def work() -> None:
        for request in waiting:
            await asked.complete(request)

    started = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(AT_A_TIME)))
    return time.perf_counter() - started


async def bare(url: str, number: int) -> float:
    """Returns the seconds of a minimal client, which only sends and reads bytes."""
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
    """Prints the time of 256 requests and of a minimal client, relative to the ideal."""
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
        f"(a minimal client: {min(bare_times) / ideal:.2f} x)"
    )


async def own_time(protocol: str, url: str) -> None:
    """Prints the processor time per request, with new and with repeated pictures."""
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
        f"{protocol}: {1e3 * fresh:.1f} ms of processor time per request with a new megapixel "
        f"picture, {1e3 * again:.1f} ms with a repeated one"
    )


async def memory(protocol: str, url: str) -> None:
    """Prints the resident memory after 1,000 requests and after 5,000 more."""
    asked = provider(protocol, url, AT_ONCE)
    sizes = []
    for number in (1000, 5000):
        for _ in range(number // 500):
            await ask_all(asked, requests(500, pictures(20, (320, 240))))
        sizes.append(_resident())
    await asked.close()
    print(f"{protocol}: {sizes[0]:.0f} MB after 1,000 requests, {sizes[1]:.0f} MB after 6,000")


def _resident() -> float:
    """Returns the resident memory in megabytes."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * resource.getpagesize() / 1e6
    except OSError:  # Without Linux, the peak is used instead.
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def main() -> None:
    """Reads the command line and prints all measurements."""
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
