"""The batches that a run has submitted, in `batches.jsonl`.

Each event is one line, forced to the disk before the program goes on:

- `intended`: a batch is about to be submitted;
- `submitted`: the API has confirmed it, with its id;
- `closed`: its results are stored, or it was never accepted.

If the process is killed between the first two, the API is asked whether it has the batch.
"""

import json
import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proactive_agent.disk.durable import force_names_to_disk
from proactive_agent.disk.inner_folders import make_inner_folder, refuse_links
from proactive_agent.disk.regular_file import append_regular, read_regular
from proactive_agent.disk.whole_files import not_written
from proactive_agent.providers.api.batch.interface import ID
from proactive_agent.tools import UserError

FILE = "batches.jsonl"


@dataclass(slots=True)
class Submission:
    """One batch."""

    token: str
    """A random name, which OpenAI's batch carries as metadata."""
    place: str
    """As `BatchApi.place`."""
    requests: int
    at: float
    """Time of the submission in seconds of the Unix epoch."""
    batch: str = ""
    """The id that the API gave; empty if its reply did not arrive."""


class Submissions:
    """Reads and extends `batches.jsonl` in a folder."""

    def __init__(self, folder: Path, within: Path) -> None:
        """Makes the folder inside the folder `within` of a run. Raises UserError."""
        make_inner_folder(folder, within=within)
        refuse_links(folder)
        self.file = folder / FILE
        every, self.known = _read(self.file)
        self.open = list(every.values())
        """The batches whose results are not stored yet."""

    def intend(self, place: str, requests: int) -> Submission:
        """Records a batch that is about to be submitted. Raises NotWrittenError."""
        made = Submission(secrets.token_hex(8), place, requests, time.time())
        self._append(event="intended", token=made.token, place=place, requests=requests, at=made.at)
        self.open.append(made)
        return made

    def submitted(self, submission: Submission, batch: str) -> None:
        """Records the id of a batch. Raises NotWrittenError."""
        submission.batch = batch
        self.known.append(batch)
        self._append(event="submitted", token=submission.token, batch=batch)

    def closed(self, submission: Submission, result: str) -> None:
        """Records that a batch is finished. Raises NotWrittenError."""
        self._append(event="closed", token=submission.token, result=result)
        self.open.remove(submission)

    def _append(self, **event: Any) -> None:
        try:
            with append_regular(self.file) as stream:
                end = stream.seek(0, os.SEEK_END)
                stream.seek(max(0, end - 1))
                torn = stream.read(1) not in (b"", b"\n")
                # One write, so that a kill leaves at most one torn line, which readers ignore.
                stream.write(b"\n" * bool(torn) + json.dumps(event).encode() + b"\n")
                os.fsync(stream.fileno())
            force_names_to_disk(self.file.parent)
        except OSError as error:
            raise not_written(self.file, error) from error


def open_batches(folder: Path) -> list[Submission]:
    """Returns the batches in a folder that are paid for and not read yet. Raises UserError."""
    return list(_read(folder / FILE)[0].values())


def check_read(folder: Path, shown: Path) -> None:
    """Raises UserError if open batches would answer requests of a run without the batch API."""
    if waiting := open_batches(folder):
        requests = sum(one.requests for one in waiting)
        raise UserError(
            f"{shown}: {requests:,} requests are submitted in batches whose replies are not read "
            "yet; add --batch-api, which reads them"
        )


def _read(file: Path) -> tuple[dict[str, Submission], list[str]]:
    """Returns the open submissions by token, and all ids of batches."""
    try:
        lines = read_regular(file).split(b"\n")
    except FileNotFoundError:
        return {}, []
    except OSError as error:
        raise UserError(f"{file}: {error.strerror}") from None
    found: dict[str, Submission] = {}
    known: list[str] = []
    for number, line in enumerate(lines, 1):
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            continue  # A torn line; the event did not take place.
        try:
            if event["event"] == "intended":
                found[event["token"]] = Submission(
                    str(event["token"]), str(event["place"]), int(event["requests"]),
                    float(event["at"]),
                )  # fmt: skip
            elif event["event"] == "submitted":
                if not ID.fullmatch(event["batch"]):  # It becomes a part of an address.
                    raise ValueError("the id of a batch is malformed")
                found[event["token"]].batch = event["batch"]
                known.append(event["batch"])
            else:
                found.pop(event["token"])
        except (LookupError, TypeError, ValueError) as error:
            raise UserError(f"{file}, line {number}: {type(error).__name__}: {error}") from None
    return found, known
