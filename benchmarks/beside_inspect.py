"""Wall time and processor time of a whole run, compared with Inspect on the same server.

    python -m benchmarks.beside_inspect [--requests 2048] [--rounds 2] [--profile FILE]

Both programs ask the same questions about the same pictures: one request per sample, 64 at once,
through Chat Completions, to a server on this machine that replies after 200 ms. The ideal wall time
is requests x delay / 64. Both write their ordinary records and compute their metrics. Imports and
data sets are not counted. The rest of a run counts, from the first check to the last file.

The comparison favours Inspect where the two differ: it plays a plain task (a list of samples,
`generate` and `includes`) without a terminal display, without pictures in its log and without its
log for live viewers, and it sends picture files unchecked, while this program checks and hashes
each one. A third run plays the protocol `tools` in two turns per episode. Every picture is another
JPEG file of 512 x 384 pixels, so no cache of pictures helps. `--image-format jpeg` encodes them
again, as this program must with files that hold more than pixels.

Server and programs run in separate processes. Rounds alternate, so that other work on the machine
slows both; the fastest round counts.
"""

import argparse
import asyncio
import cProfile
import importlib
import json
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from benchmarks.api_throughput import AT_A_TIME, DELAY, bare, served

SIZE = (512, 384)
STEM = "Realistic-Occlusion-Dataset"
OPTIONS = (
    "I cannot answer this question.",
    "Move the blocks to the left.",
    "Move the blocks to the right.",
)
"""The server replies `A.`, which abstains and so ends an episode of `mcqa` after one turn."""
CATEGORIES = ("Cat.", "Dog.", "Owl.", "Seal.")
QUESTION = "What is behind the blocks?"
LIMIT = 50
"""Most tokens of a reply."""
MODEL = "m"


class Cost(NamedTuple):
    """The cost of a run."""

    requests: int
    seconds: float
    """Wall time."""
    processor: float
    """Processor time of the program, all threads included, in seconds."""
    loop: float
    """Processor time of the thread with the event loop, in seconds."""

    def shown(self) -> str:
        """The figures of one line."""
        ideal = self.requests * DELAY / AT_A_TIME
        return (
            f"{self.seconds / ideal:.2f} x ideal, {1e3 * self.processor / self.requests:.2f} ms of "
            f"processor time per request, {1e3 * self.loop / self.requests:.2f} ms of it in the "
            f"event loop ({self.requests} requests in {self.seconds:.2f} s)"
        )


def write_data(folder: Path, samples: int) -> None:
    """Writes a data folder in which every sample has two picture files."""
    coarse = Image.effect_noise((SIZE[0] // 8, SIZE[1] // 8), 100).resize(SIZE)
    blended = Image.blend(coarse, Image.effect_noise(SIZE, 24), 0.35).convert("RGB")
    lines = []
    for number in range(samples):
        (folder / f"{number}").mkdir(parents=True)
        for frame in range(2):
            # A row of squares writes the number of the picture, so every file is another one.
            digits = f"{2 * number + frame:020b}"
            for place, digit in enumerate(digits):
                left = 16 * place
                blended.paste("white" if digit == "1" else "black", (left, 0, left + 16, 16))
            blended.save(folder / f"{number}" / f"{frame}.jpg", quality=90)
        sample = {
            "id": number,
            "prompt": QUESTION,
            "options": OPTIONS,
            "categories": CATEGORIES,
            "answer": CATEGORIES[0],
            "image_template": f"{number}/{{image}}.jpg",
            "first_image": 0,
            "num_images": 2,
            "reference_image": 1,
        }
        lines.append(json.dumps(sample) + "\n")
    (folder / f"{STEM}_preprocessed.jsonl").write_text("".join(lines))


def run_ours(
    url: str, data: Path, protocol: str, image_format: str, work: Path, profile: Path | None
) -> Cost:
    """Plays all samples with this program."""
    from proactive_agent import evaluate

    for module in ("scipy.stats", "openai", "httpx2", "aiohttp"):
        importlib.import_module(module)
    os.environ["PROACTIVE_AGENT_API_KEY"] = "none"

    def play() -> int:
        result = evaluate(
            f"openai:{MODEL}@{url}",
            scenarios="rod",
            protocol=protocol,  # type: ignore[arg-type]
            data=data,
            out=work / "run",
            concurrency=AT_A_TIME,
            max_tokens=LIMIT,
            image_format=image_format,
        )
        assert not result.errors, result.errors
        return sum(scenario.turns for scenario in result.summary.scenarios.values())

    return measured(play, profile)


def run_inspect(url: str, data: Path, work: Path, profile: Path | None) -> Cost:
    """Plays all samples with Inspect."""
    from inspect_ai import Task, eval
    from inspect_ai.dataset import MemoryDataset, Sample
    from inspect_ai.model import ChatMessageUser, ContentImage, ContentText, get_model
    from inspect_ai.scorer import includes
    from inspect_ai.solver import generate

    letters = "ABCDEFG"
    options = [
        f"{letter}. {option}"
        for letter, option in zip(letters, (*OPTIONS, *CATEGORIES), strict=True)
    ]
    text = "\n".join([QUESTION, *options])
    lines = (data / f"{STEM}_preprocessed.jsonl").read_text().splitlines()
    samples = [
        Sample(
            [
                ChatMessageUser(
                    content=[
                        ContentImage(image=str(data / f"{json.loads(line)['id']}" / "0.jpg")),
                        ContentText(text=text),
                    ]
                )
            ],
            target="Cat.",
        )
        for line in lines
    ]
    model = get_model(f"openai/{MODEL}", base_url=url, api_key="none", responses_api=False)

    def play() -> int:
        (log,) = eval(
            Task(MemoryDataset(samples), solver=generate(), scorer=includes()),
            model=model,
            max_connections=AT_A_TIME,
            max_samples=AT_A_TIME,
            max_tokens=LIMIT,
            display="none",
            log_dir=str(work / "logs"),
            log_images=False,
            log_realtime=False,
        )
        assert log.status == "success", log.error
        assert log.results is not None
        return log.results.completed_samples

    return measured(play, profile)


def measured(play: Callable[[], int], profile: Path | None) -> Cost:
    """Returns the cost of a call that returns its number of requests."""
    profiler = cProfile.Profile() if profile else None
    clocks = (time.perf_counter, time.process_time, time.thread_time)
    before = [clock() for clock in clocks]
    requests = profiler.runcall(play) if profiler else play()
    cost = Cost(requests, *(clock() - then for clock, then in zip(clocks, before, strict=True)))
    if profiler and profile:
        profiler.dump_stats(profile)
    return cost


def in_own_process(function: Callable[..., Cost], *arguments: Any) -> Cost:
    """Runs a measurement in a new process and an empty folder."""
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, fresh) as process, tempfile.TemporaryDirectory() as work:
        return process.submit(function, *arguments[:-1], Path(work), arguments[-1]).result()


def main() -> None:
    """Prints one line per program."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=2048)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--only", choices=("ours", "tools", "inspect"))
    parser.add_argument("--profile", type=Path, help="write a profile of the main thread")
    parser.add_argument("--image-format", default="original", help="original, jpeg or webp")
    options = parser.parse_args()
    costs: dict[str, list[Cost]] = {}
    minimal = []
    with tempfile.TemporaryDirectory() as folder, served(DELAY) as url:
        data, half = Path(folder) / "data", Path(folder) / "half"
        write_data(data, options.requests)
        write_data(half, options.requests // 2)
        profile, shown = options.profile, options.image_format
        runs: dict[str, Callable[[], Cost]] = {
            "ours": lambda: in_own_process(run_ours, url, data, "mcqa", shown, profile),
            "tools": lambda: in_own_process(run_ours, url, half, "tools", shown, profile),
            "inspect": lambda: in_own_process(run_inspect, url, data, profile),
        }
        for _ in range(options.rounds):
            minimal.append(asyncio.run(bare(url, options.requests)))
            for name, play in runs.items():
                if options.only in (None, name):
                    costs.setdefault(name, []).append(play())
    with suppress(OSError):
        print(f"load average: {os.getloadavg()[0]:.1f}")
    ideal = options.requests * DELAY / AT_A_TIME
    print(f"a minimal client: {min(minimal) / ideal:.2f} x ideal")
    labels = {"ours": "proactive_agent, mcqa", "tools": "proactive_agent, tools",
              "inspect": "inspect_ai"}  # fmt: skip
    for name, label in labels.items():
        if name in costs:
            best = min(costs[name], key=lambda cost: cost.seconds)
            print(f"{label}: {best.shown()}")


if __name__ == "__main__":
    main()
