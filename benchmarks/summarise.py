"""Time and memory to compute the metrics of a large run, including all intervals.

    python -m benchmarks.summarise [--turns 1000000]

Scripted models play the embedded suite. Their records are written repeatedly, under new sample
ids, into one run. A separate process summarises this run. The baseline is `json.loads` of the
lines of the same file, which a script that computes nothing would need as well. Both are processor
time, so other programs on the machine hardly matter. Imports are not counted.
"""

import argparse
import asyncio
import importlib
import itertools
import json
import multiprocessing
import resource
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from proactive_agent.metrics import summarise
from proactive_agent.play.conditions import parse_condition
from proactive_agent.play.episode import Play, play_episode
from proactive_agent.play.protocols import Mcqa, Protocol, ToolUse
from proactive_agent.providers import create_provider
from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.scenarios import SCENARIOS, DataFolder

BASELINES = ("oracle", "random", "never-ask")
"""About three turns per episode."""
COMPARED_LINES = 20_000
KILOBYTE, MEGABYTE = 1024, 1_000_000


async def play(baseline: str, protocol: Protocol) -> list[EpisodeRecord]:
    """Plays the embedded suite once."""
    data = DataFolder()
    condition = parse_condition("zero-shot", protocol.name)
    setting = Play(data, create_provider(f"baseline:{baseline}"), protocol, condition)
    samples = [(name, sample) for name in SCENARIOS for sample in data.samples(name)]
    return [await play_episode(setting, name, sample) for name, sample in samples]


def write_run(path: Path, turns: int) -> int:
    """Writes a run of at least `turns` turns; returns its number of episodes."""
    texts = [
        (record.model_dump_json(), f'"sample_id":{record.sample_id}', len(record.turns))
        for protocol in (Mcqa(), ToolUse())
        for baseline in BASELINES
        for record in asyncio.run(play(baseline, protocol))
    ]
    folder = RunFolder(path)
    folder.path.mkdir()
    with folder.episodes_file.open("w", encoding="utf-8") as stream:
        for number, (text, sample, played) in enumerate(itertools.cycle(texts)):
            stream.write(text.replace(sample, f'"sample_id":{number}', 1) + "\n")
            turns -= played
            if turns <= 0:
                return number + 1
    raise AssertionError("the embedded suite gave no records")


def summarise_here(path: Path) -> dict[str, float]:
    """Returns the seconds from the first byte to the last interval, and the peak memory."""
    importlib.import_module("scipy.stats")
    imported, started = time.process_time(), time.perf_counter()
    summary = summarise(RunFolder(path).scan())
    return {
        "before": imported,
        "seconds": time.perf_counter() - started,
        "processor": time.process_time() - imported,
        "turns": sum(scenario.turns for scenario in summary.scenarios.values()),
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    }


def seconds_per_turn_of_json(path: Path) -> float:
    """Returns the processor seconds per turn of `json.loads` on lines of the run."""
    with (path / "episodes.jsonl").open("rb") as stream:
        lines = list(itertools.islice(stream, COMPARED_LINES))
    started = time.process_time()
    turns = sum(len(json.loads(line)["turns"]) for line in lines)
    return (time.process_time() - started) / turns


def main() -> None:
    """Prints one line per measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=1_000_000)
    turns = parser.parse_args().turns
    fresh = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as temporary:
        folder = RunFolder(Path(temporary) / "run")
        # Each step has a separate process, so that its peak memory is measured separately.
        with ProcessPoolExecutor(1, fresh) as process:
            episodes = process.submit(write_run, folder.path, turns).result()
        size = folder.episodes_file.stat().st_size
        with ProcessPoolExecutor(1, fresh) as process:
            found = process.submit(summarise_here, folder.path).result()
        plain = seconds_per_turn_of_json(folder.path) * found["turns"]
    print(f"{found['turns']:,} turns in {episodes:,} episodes, {size / MEGABYTE:,.0f} MB")
    print(f"json.loads of these lines alone: {plain:.1f} s of processor time")
    print(
        f"summarised: {found['processor']:.1f} s, {found['processor'] / plain:.2f} x json.loads "
        f"({found['seconds']:.1f} s of wall time)"
    )
    print(f"before: {found['before']:.1f} s to import the program and scipy.stats")
    print(f"peak memory: {found['peak'] * KILOBYTE / MEGABYTE:,.0f} MB")


if __name__ == "__main__":
    main()
