"""Cost of forcing records to the disk, as a ratio to leaving that to the system.

    python -m benchmarks.fsync_cost [--folder DIR] [--episodes N]

Writes the same episodes three times into runs below DIR: without a call of fsync, in the batches of
the program, and with a call for each episode. The episodes come as fast as they can be written;
with a model that takes a second per reply, the share of the batches is far smaller. Then writes
the log of a training, one line per step, without fsync and with the program's call for each line.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path
from unittest.mock import patch

from proactive_agent.records import run_folder
from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.records.run_folder import EpisodeWriter, RunFolder
from proactive_agent.training.folder import Journal
from tests.proactive_agent.written_records import episode

NEVER = 1 << 60
LINES = 500


def seconds(folder: Path, records: list[EpisodeRecord], *, every: int, after: float) -> float:
    """Writes a run and returns the seconds that it took, without the last fsync."""
    with (
        patch.object(run_folder, "SYNC_RECORDS", every),
        patch.object(run_folder, "SYNC_SECONDS", after),
        EpisodeWriter(RunFolder(folder)) as writer,
    ):
        start = time.perf_counter()
        for record in records:
            writer.write(record)
        return time.perf_counter() - start


def log_seconds(folder: Path, lines: int) -> float:
    """Writes the log of a training and returns the seconds that it took."""
    folder.mkdir()
    journal = Journal(folder)
    start = time.perf_counter()
    for step in range(lines):
        journal.write("grpo", step, {"loss": 0.5, "reward": 0.25, "entropy": 0.125})
    return time.perf_counter() - start


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--folder", type=Path, help="on the disk that is measured")
    parser.add_argument("--episodes", type=int, default=5000)
    options = parser.parse_args()
    records = [episode("ask", "right", sample_id=i) for i in range(options.episodes)]
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        place = Path(name)
        seconds(place / "warm", records, every=NEVER, after=NEVER)
        never = seconds(place / "never", records, every=NEVER, after=NEVER)
        batches = seconds(
            place / "batches", records,
            every=run_folder.SYNC_RECORDS, after=run_folder.SYNC_SECONDS,
        )  # fmt: skip
        each = seconds(place / "each", records[:500], every=1, after=NEVER)
        each *= len(records) / 500
        with patch.object(os, "fsync"):
            unforced = log_seconds(place / "unforced", LINES)
        forced = log_seconds(place / "forced", LINES)
    for label, took in (("never", never), ("in batches", batches), ("each episode", each)):
        rate = took / len(records) * 1e6
        print(f"{label:<14} {rate:8.0f} us per episode   {took / never:6.1f} x")
    for label, took in (("never", unforced), ("each line", forced)):
        rate = took / LINES * 1e6
        print(f"{label:<14} {rate:8.0f} us per step      {took / unforced:6.1f} x")


if __name__ == "__main__":
    main()
