"""The Python API: `evaluate` plays a run, `Result` holds its records and numbers.

    result = evaluate("baseline:random", scenarios="rod", limit=5)
    print(result.summary.acc.value)

`evaluate` plays, records, resumes and keeps a budget as the command `run` does.
"""

import asyncio
import contextvars
import warnings
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from proactive_agent.exports.rows import EPISODES, TURNS, rows
from proactive_agent.metrics import ErrorKind, PlayedRun, Summary
from proactive_agent.play.budget import Budget
from proactive_agent.providers import (
    FunctionProvider,
    ModelFunction,
    PaidFunctionProvider,
    Provider,
)
from proactive_agent.providers.registry import PYTHON
from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.records.handles import find_run
from proactive_agent.records.manifest import Manifest, Settings
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.reports.agents import agent_notes
from proactive_agent.reports.comparison.help_seeking import (
    clear_rate_notes,
    clear_rates,
    left_out_notes,
)
from proactive_agent.reports.data_notes import data_notes
from proactive_agent.reports.tables import TerminalTable, percent, scenario_grids, summary_notes
from proactive_agent.runs.keyword_settings import access_of, refuse_unknown, settings_of
from proactive_agent.runs.planned_run import PlannedRun, changed_settings
from proactive_agent.runs.prepare import PreparedRun
from proactive_agent.runs.session import Session, SessionObserver
from proactive_agent.runs.unused_settings import refuse_unused_limits
from proactive_agent.scenarios import DataFolder
from proactive_agent.settings import ProtocolName
from proactive_agent.tools import UserError
from proactive_agent.views.html.tables import grid_table, notes_list

RESULTS = Path("results")
"""The folder of new runs, if `out` is not given."""

_named: set[Path] = set()
"""New folders that calls of this process have chosen, possibly not written yet."""

_PATIENCE = 0.1
"""Seconds between two checks whether a waiting call was cancelled."""

T = TypeVar("T")


class Result:
    """A run that was played: its folder, records and numbers.

    In a terminal (`rich.print`) and in a notebook it shows the table of its scores.
    """

    def __init__(self, played: PlayedRun) -> None:
        self._played = played

    @classmethod
    def read(cls, run: str | Path) -> Self:
        """Reads a run: its folder, or a handle such as `latest` (see `records.handles`).

        Handles are looked up below `results`. Raises UserError.
        """
        folder = find_run(str(run), RESULTS)
        manifest = folder.read_manifest()
        name = manifest.settings.shown_provider
        return cls(PlayedRun.of_episodes(name, manifest, folder, folder.outlines()))

    @property
    def folder(self) -> Path:
        """The run's folder, with `run.json`, `episodes.jsonl` and `summary.json`."""
        return self._played.folder.path

    @property
    def summary(self) -> Summary:
        """The metrics with confidence intervals: of each scenario, and averaged over scenarios."""
        return self._played.summary

    @property
    def errors(self) -> list[ErrorKind]:
        """The errors of the run by kind, with one message each; empty if there were none.

        The same call of `evaluate` with `out=` this folder plays those episodes again.
        """
        return self.summary.error_kinds

    @property
    def manifest(self) -> Manifest:
        """The content of `run.json`: settings, versions, data, and whether the run is finished."""
        return self._played.manifest

    @property
    def settings(self) -> Settings:
        """The settings of the run."""
        return self.manifest.settings

    def episodes(self) -> Iterator[EpisodeRecord]:
        """Yields the records of the episodes, in the order in which they ended."""
        return self._played.folder.episodes()

    def rows(self, per: Literal["episode", "turn"] = "episode") -> list[dict[str, Any]]:
        """Returns one dict per episode or turn, for `pandas.DataFrame(result.rows())`.

        The keys are the columns that `export` writes. A value that is not known is None.
        """
        if per not in ("episode", "turn"):
            raise UserError(f"rows(per={per!r}): expected 'episode' or 'turn'")
        table = TURNS if per == "turn" else EPISODES
        return [row for episode in self.episodes() for row in rows(table, self.manifest, episode)]

    def __repr__(self) -> str:
        rates = self.summary.macro
        return (
            f"<Result {self._title}: acc {percent(rates.acc.value)} %, "
            f"informed {percent(rates.informed.value)} %, "
            f"{self.manifest.status}, {self.folder}>"
        )

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield TerminalTable(scenario_grids(self._title, self.summary)[0])
        for note in self._notes:
            yield Text(note)

    def _repr_html_(self) -> str:
        grid = scenario_grids(self._title, self.summary)[0]
        return grid_table(grid) + notes_list(self._notes)

    @property
    def _title(self) -> str:
        return f"{self.settings.shown_provider}: {self._played.method}"

    @property
    def _notes(self) -> list[str]:
        played = [self._played]
        notes = [*clear_rate_notes(clear_rates(played)), *left_out_notes(played)]
        notes += summary_notes(self.summary)
        notes += [*data_notes([self.manifest]), *agent_notes([self.manifest])]
        if self.manifest.status == "finished":
            return notes
        reason = f": {self.manifest.stopped}" if self.manifest.stopped else ""
        return [f"Warning: the run is not finished ({self.manifest.status}{reason}).", *notes]


def open_run(run: str | Path) -> Result:
    """Reads a run that was played before, given its folder or its id below `results`.

    The run may be unfinished. Raises UserError.
    """
    return Result.read(run)


def evaluate(
    model: str | Provider | ModelFunction,
    *,
    scenarios: str | Sequence[str] = (),
    protocol: ProtocolName = "tools",
    condition: str = "zero-shot",
    data: str | Path | DataFolder | None = None,
    out: str | Path | None = None,
    concurrency: int | None = None,
    budget_usd: float | None = None,
    on_episode: Callable[[EpisodeRecord], None] | None = None,
    **settings: Any,
) -> Result:
    """Plays scenarios with a model and returns the result.

    - `model`: `NAME:MODEL` as on the command line, a `Provider` object, or a function from a
      `Request` to a `Reply` or a `str`, sync or async. A `Provider` object stays open.
    - `scenarios`: names of scenarios; by default all in the data for which the condition is
      defined.
    - `data`: a folder in the official layout, or generated scenes such as `fresh:7`; by default
      the embedded suite.
    - `out`: the folder of this run; by default a new folder below `results`. If it holds a run
      with the same settings, that run is resumed: episodes that are missing or met an error are
      played.
    - `concurrency`: episodes in flight, or concurrent requests to an API; by default the provider
      chooses it.
    - `budget_usd`: US dollars that may be spent; needs a model with known prices.
    - `on_episode`: is called with each record after it is written.
    - `settings`: any other setting of `run`, with _ for -: `limit`, `repeats`, `seed`, `toolset`,
      `parser`, `judge`, `temperature`, `max_tokens`, `rpm`, …

    Inside a running event loop (a notebook, an async function) the run is played in a thread while
    this call waits. `await aevaluate(…)` does not block the loop.

    Raises UserError for wrong input, and StoppedError (BudgetSpentError if the budget is spent)
    if the run ended early. After an error or a cancellation, all finished episodes are on disk,
    and the same call with the same `out` resumes the run.
    """
    work = aevaluate(
        model,
        scenarios=scenarios,
        protocol=protocol,
        condition=condition,
        data=data,
        out=out,
        concurrency=concurrency,
        budget_usd=budget_usd,
        on_episode=on_episode,
        **settings,
    )
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    return _in_thread(work)


async def aevaluate(
    model: str | Provider | ModelFunction,
    *,
    scenarios: str | Sequence[str] = (),
    protocol: ProtocolName = "tools",
    condition: str = "zero-shot",
    data: str | Path | DataFolder | None = None,
    out: str | Path | None = None,
    concurrency: int | None = None,
    budget_usd: float | None = None,
    on_episode: Callable[[EpisodeRecord], None] | None = None,
    **settings: Any,
) -> Result:
    """Plays scenarios with a model in the running event loop. Arguments as for `evaluate`."""
    refuse_unknown("evaluate", settings)
    _refuse_too_small(concurrency, budget_usd)
    provider = _provider(model, budget_usd)
    spec = model if isinstance(model, str) else _python_spec(provider)
    chosen = settings_of(spec, scenarios, protocol, condition, data, settings)
    access = access_of(settings)
    if out is None:
        planned = PlannedRun.new(chosen, RESULTS, access, taken=_named, model=provider)
        _named.add(planned.folder.path)
    else:
        planned = PlannedRun(chosen, RunFolder(Path(out)), access, model=provider)
        _check_folder(planned)
    limits = settings if concurrency is None else {*settings, "concurrency"}
    refuse_unused_limits(limits, [planned])
    budget = None if budget_usd is None else Budget(budget_usd)
    observer = _Observer(on_episode)
    try:
        async with Session(concurrency=concurrency, budget=budget, observer=observer) as session:
            (played,) = await session.play([planned])
    finally:
        if provider is not None and provider is not model:
            await provider.close()
    if played.stopped:
        played.stopped.add_note(f"Pass out={str(planned.folder.path)!r} to resume.")
        raise played.stopped
    return Result(played)


class _Observer(SessionObserver):
    def __init__(self, on_episode: Callable[[EpisodeRecord], None] | None) -> None:
        self._on_episode = on_episode

    def episode_ended(self, run: PreparedRun, episode: EpisodeRecord) -> None:
        if self._on_episode:
            self._on_episode(episode)


def _provider(model: str | Provider | ModelFunction, budget_usd: float | None) -> Provider | None:
    """Returns the ready model, or None for one that is loaded by its name. Raises UserError."""
    if isinstance(model, str):
        return None
    if not isinstance(model, Provider):
        return FunctionProvider(model) if budget_usd is None else PaidFunctionProvider(model)
    if budget_usd is not None and not model.charges:
        raise UserError(
            f"budget_usd={budget_usd}: {type(model).__name__} does not report costs; set "
            "`charges = True` in the class and return Usage(cost_usd=…), or pass no budget"
        )
    return model


def _python_spec(provider: Provider | None) -> str:
    """Returns the name of a Python object in records, `python:NAME`."""
    name = provider.name if isinstance(provider, FunctionProvider) else type(provider).__name__
    return f"{PYTHON}:{name}"


def _refuse_too_small(concurrency: int | None, budget_usd: float | None) -> None:
    if concurrency is not None and concurrency < 1:
        raise UserError(f"concurrency={concurrency}: expected at least 1 episode in flight")
    if budget_usd is not None and budget_usd <= 0:
        raise UserError(f"budget_usd={budget_usd}: expected more than 0 dollars")


def _check_folder(run: PlannedRun) -> None:
    """Raises UserError if `out` cannot be the folder of this run."""
    path = run.folder.path
    if not run.begun:
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise UserError(
                f"out={str(path)!r} exists and holds no run; name a new folder, for example "
                f"{str(path / 'my-run')!r}"
            )
        return
    if changes := changed_settings(run):
        raise UserError(
            f"{path} was started with other settings: {changes}; pass the same settings to resume "
            "it, or another out="
        )
    if run.model:
        _check_model(path, run.folder.read_manifest().provider, run.model)


def _check_model(path: Path, was: dict[str, Any], model: Provider) -> None:
    """Warns about a changed function. Raises UserError if another model started the run."""
    now = model.manifest()
    if was.get("function") != now.get("function"):
        warnings.warn(
            f"the source code of the model has changed since {path} was started; the episodes "
            "recorded so far come from the earlier version; pass another out= to play anew",
            stacklevel=2,
        )
        return
    # Parts that only one of them knows come from the probe or from another version of the program.
    for key in was.keys() & now.keys() - {"function"} - model.learnt().keys():
        if was[key] != now[key]:
            raise UserError(
                f"{path} was started with another model ({key} was {was[key]!r}, is "
                f"{now[key]!r}); pass the same model to resume it, or another out="
            )


def _in_thread(work: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine in an event loop of another thread and waits for it.

    Ctrl-C (in a notebook: stop) cancels it, whether it arrives as KeyboardInterrupt or, below
    `asyncio.run`, as a cancellation of the waiting task.
    """
    started: list[Callable[[], object]] = []

    async def cancellable() -> T:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        if task is not None:
            started.append(lambda: loop.call_soon_threadsafe(task.cancel))
        return await work

    context = contextvars.copy_context()
    waiting = asyncio.current_task()
    with ThreadPoolExecutor(1, thread_name_prefix="evaluate") as pool:
        played = pool.submit(context.run, asyncio.run, cancellable())
        try:
            while not wait([played], timeout=_PATIENCE).done:
                if waiting and waiting.cancelling():
                    raise asyncio.CancelledError
        except (KeyboardInterrupt, asyncio.CancelledError):
            for cancel in started:
                cancel()
            raise
    return played.result()
