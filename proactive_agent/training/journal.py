"""`log.jsonl`: one line per step and per evaluation, as it happens."""

import json
import math
import time
from pathlib import Path
from typing import Any

FILE = "log.jsonl"
_DROPPED = ("total_flos", "train_runtime", "train_samples_per_second", "train_steps_per_second")


class Journal:
    """Appends lines; `kept_steps` are those of an earlier sitting that a resumed one builds on.

    A warm-up is behind whoever has a checkpoint.  Of several processes one `writes`.
    """

    def __init__(self, folder: Path, kept_steps: int = 0, *, writes: bool = True) -> None:
        self.file = folder / FILE
        self._writes = writes
        if writes:
            lines = [line for line in read_journal(folder) if _kept(line, kept_steps)]
            folder.mkdir(parents=True, exist_ok=True)
            self.file.write_text("".join(_line(line) for line in lines), encoding="utf-8")
        self._tokens = 0.0
        self._time = time.perf_counter()

    def write(self, phase: str, step: int, values: dict[str, Any]) -> dict[str, Any]:
        """Appends a line and gives it back."""
        line = {"phase": phase, "step": step, **_tidy(values)}
        if (tokens := values.get("num_tokens")) is not None:
            now = time.perf_counter()
            if tokens > self._tokens:
                line["tokens_per_second"] = (tokens - self._tokens) / (now - self._time)
            self._tokens, self._time = tokens, now
        if self._writes:
            with self.file.open("a", encoding="utf-8") as stream:
                stream.write(_line(line))
        return line


def read_journal(folder: Path) -> list[dict[str, Any]]:
    """The lines of a folder's journal; a torn last one is left out."""
    try:
        text = (folder / FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def _kept(line: dict[str, Any], steps: int) -> bool:
    if line["phase"] == "benchmark" and line["step"]:
        return False  # that of the end is played again
    return bool(line["step"] <= steps or (steps and line["phase"] == "warm-up"))


def _line(fields: dict[str, Any]) -> str:
    return json.dumps(fields) + "\n"


def _tidy(values: dict[str, Any]) -> dict[str, Any]:
    """Without what is no number or says nothing of the training."""
    return {
        name: value
        for name, value in values.items()
        if name not in _DROPPED and not (isinstance(value, float) and math.isnan(value))
    }
