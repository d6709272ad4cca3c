"""One line about each run of a results folder, read from small files only.

`run.json` and `summary.json` suffice for a finished run. Of other runs, the lines of
`episodes.jsonl` are counted, up to a limit, but not parsed.
"""

from typing import NamedTuple

from pydantic import BaseModel, ValidationError

from proactive_agent.disk.regular_file import open_regular, read_regular
from proactive_agent.records.handles import ListedRun
from proactive_agent.records.manifest import Manifest
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.reports.runs import data_label
from proactive_agent.reports.tables import mean, percent
from proactive_agent.tools.counting import number_of

MOST_COUNTED_BYTES = 256 * 2**20
"""Bytes of `episodes.jsonl` in which lines are counted."""

_BLOCK = 1 << 20


class _Value(BaseModel):
    value: float | None = None


class _Rates(BaseModel):
    acc: _Value
    psr: _Value


class _Episodes(BaseModel):
    episodes: int


class _Scores(BaseModel):
    """The few fields of `summary.json` that the overview shows."""

    scenarios: dict[str, _Episodes]
    macro: _Rates
    errors: int


class RunOverview(NamedTuple):
    """The line of a run. All texts may come from someone else."""

    model: str
    """Name of the folder, if the run is unreadable."""
    protocol: str = ""
    condition: str = ""
    data: str = ""
    episodes: str = ""
    acc: str = ""
    """Average over the scenarios, in per cent; unknown before the run is finished."""
    psr: str = ""
    state: str = ""


def overview(run: ListedRun) -> RunOverview:
    """Describes a run. Never fails: the state of a broken folder says what is wrong."""
    if run.manifest is None:
        return RunOverview(run.folder.path.name, state=f"unreadable: {run.problem}")
    settings = run.manifest.settings
    scores = _scores(run.folder) if run.manifest.status == "finished" else None
    if scores is None:
        episodes = _lines(run.folder)
    else:
        episodes = f"{scores.errors + sum(s.episodes for s in scores.scenarios.values()):,}"
    return RunOverview(
        model=settings.shown_provider.removeprefix("baseline:").removeprefix("python:"),
        protocol=settings.protocol,
        condition=settings.condition,
        data=_short(data_label(run.manifest)),
        episodes=episodes,
        acc=percent(scores.macro.acc.value if scores else None),
        psr=mean(scores.macro.psr.value if scores else None),
        state=_state(run.manifest, scores),
    )


def _short(label: str) -> str:
    return label.removesuffix(" suite").removesuffix(" data").removeprefix("generated scenes, ")


def _state(manifest: Manifest, scores: _Scores | None) -> str:
    if scores is None or not scores.errors:
        return manifest.status
    return f"{manifest.status}, {number_of(scores.errors, 'error')}"


def _scores(folder: RunFolder) -> _Scores | None:
    try:
        return _Scores.model_validate_json(read_regular(folder.summary_file))
    except (OSError, ValidationError):
        return None


def _lines(folder: RunFolder) -> str:
    """Counts the records of a run; a plus sign says that there may be more."""
    count = size = 0
    try:
        with open_regular(folder.episodes_file, buffering=_BLOCK) as stream:
            while size < MOST_COUNTED_BYTES and (block := stream.read(_BLOCK)):
                size += len(block)
                count += block.count(b"\n")
    except FileNotFoundError:
        return "0"
    except OSError:
        return "-"
    return f"{count:,}+" if size >= MOST_COUNTED_BYTES else f"{count:,}"
