"""Plays runs in the tests."""

import asyncio
from pathlib import Path
from typing import Any

from proactive_agent.metrics import PlayedRun
from proactive_agent.play.budget import Budget
from proactive_agent.providers import ApiAccess
from proactive_agent.records.manifest import Settings
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.runs.model_pool import ModelPool
from proactive_agent.runs.planned_run import PlannedRun
from proactive_agent.runs.prepare import PreparedRun, prepare
from proactive_agent.runs.session import Session, SessionObserver


def play_run(
    run: PlannedRun | PreparedRun, concurrency: int | None = None, **options: Any
) -> PlayedRun:
    """Plays a run to its end; raises the error that stopped it early."""
    return asyncio.run(play_async(run, concurrency, **options))


async def play_async(
    run: PlannedRun | PreparedRun,
    concurrency: int | None = None,
    *,
    budget: Budget | None = None,
    observer: SessionObserver | None = None,
) -> PlayedRun:
    planned = run.planned if isinstance(run, PreparedRun) else run
    async with Session(concurrency=concurrency, budget=budget, observer=observer) as session:
        (played,) = await session.play([planned])
    if played.stopped:
        raise played.stopped
    return played


def play_new(settings: Settings, results: Path, access: ApiAccess | None = None) -> RunFolder:
    """Plays a new run below `results`."""
    return play_run(PlannedRun.new(settings, results, access)).folder


def prepare_run(
    settings: Settings,
    results: Path,
    access: ApiAccess | None = None,
    pool: ModelPool | None = None,
) -> PreparedRun:
    """Prepares a new run below `results`, without playing it."""
    return prepare(PlannedRun.new(settings, results, access), pool or ModelPool())


def prepare_resume(folder: RunFolder, access: ApiAccess | None = None) -> PreparedRun:
    """Prepares the rest of a run, without playing it."""
    return prepare(PlannedRun.resumed(folder, access), ModelPool())
