"""Plays runs in a session, shows their progress and prints their results."""

import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import shorten
from types import MappingProxyType

from proactive_agent.cli.ending import exit_code, run_async
from proactive_agent.cli.progress import Bar, Bars, wave_text
from proactive_agent.cli.results import show_results
from proactive_agent.cli.what_next import say_what_next
from proactive_agent.disk.open_files import open_files_limit
from proactive_agent.metrics import PlayedRun
from proactive_agent.play.budget import Budget
from proactive_agent.providers.api.batch.submissions import open_batches
from proactive_agent.providers.api.batch.waves import WaveProgress
from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.runs.planned_run import PlannedRun
from proactive_agent.runs.prepare import PreparedRun
from proactive_agent.runs.session import Session, SessionObserver
from proactive_agent.runs.trust import resume_options
from proactive_agent.runs.unused_settings import unused, unused_limits
from proactive_agent.scenarios import DataFolder
from proactive_agent.terminal.console import messages, safe
from proactive_agent.tools.counting import number_of

SHOWN_BATCHES = 3
"""Most ids of batches that a message names."""
LONGEST_EXAMPLE = 300
"""Characters of the message of an error."""

Options = Mapping[str, Sequence[str]]
"""Options as a user types them, by parameter."""


def play_runs(
    runs: Sequence[PlannedRun],
    concurrency: int | None,
    budget: Budget | None = None,
    again: Sequence[str] = (),
    repeated: Options = MappingProxyType({}),
    *,
    verbose: bool = False,
) -> None:
    """Plays the remaining episodes of the runs and prints their results.

    `verbose` shows a line for each worker of a model. `again` are the options that resume all of
    the runs; without them, each is resumed by its folder. `repeated` are the options to give with
    them, which no folder holds. Exits with 1 if a run was stopped early or an episode met an error,
    and with 130 after Ctrl-C (143 after SIGTERM, 129 after SIGHUP).
    """
    with Bars(quiet=any(run.interactive for run in runs), verbose=verbose) as bars:
        progress = _Progress(runs, bars)
        try:
            played = run_async(_play(runs, concurrency, budget, progress))
        except KeyboardInterrupt as error:
            bars.stop()
            _say_how_to_resume(progress, "interrupted", again, repeated)
            sys.exit(exit_code(error))
        except Exception:
            bars.stop()
            _say_how_to_resume(progress, "broken off", again, repeated)
            raise
    show_results(played)
    for run in played:
        _say_errors(run, named=len(runs) > 1)
    _say_how_to_resume(progress, "", again, repeated)
    say_what_next([run.folder for run in played])
    if any(run.stopped or run.summary.errors for run in played):
        sys.exit(1)


async def _play(
    runs: Sequence[PlannedRun],
    concurrency: int | None,
    budget: Budget | None,
    observer: SessionObserver,
) -> list[PlayedRun]:
    async with Session(concurrency=concurrency, budget=budget, observer=observer) as session:
        return await session.play(runs)


class _Progress(SessionObserver):
    """Shows bars and messages, and keeps the outcome of each run."""

    def __init__(self, runs: Sequence[PlannedRun], bars: Bars) -> None:
        self.runs = runs
        self.begun: set[Path] = set()
        """Folders of the runs that have started."""
        self.played: dict[Path, PlayedRun] = {}
        """Runs that have ended, also those that were stopped early, by folder."""
        self._bars = bars
        self._bar: dict[Path, Bar] = {}
        self._several_conditions = len({run.settings.condition for run in runs}) > 1

    def checked(self, data: Sequence[DataFolder]) -> None:
        if any(one.pack is None and not (one.embedded or one.built) for one in data):
            messages.print(
                "The data folder has no protocol pack: wording and samples are not the published "
                "ones (`data protocol DIR` fetches the pack).",
                markup=False,
            )

    def probed(self, runs: Sequence[PreparedRun]) -> None:
        settings = runs[0].manifest.settings
        repeats = max(run.manifest.settings.repeats for run in runs)
        varies = settings.provider_settings.varies
        if repeats > 1 and runs[0].play.provider.uses_temperature and not varies:
            messages.print(
                safe(
                    f"{repeats} repeats at temperature 0: {settings.provider} may give the same "
                    "reply each time (--temperature 1 lets it vary)."
                )
            )

    def concurrency_lowered(self, run: PlannedRun, wanted: int, used: int) -> None:
        messages.print(
            safe(
                f"{run.name}: {used} episodes in flight instead of {wanted}, because the system "
                f"allows {open_files_limit()} open files (ulimit -n)"
            ),
            soft_wrap=True,
        )

    def playing(self) -> None:
        self._bars.start()

    def run_begun(self, run: PreparedRun) -> None:
        self.begun.add(run.folder.path)
        model = (run.planned.label or run.planned.settings.shown_provider).split("/")[-1]
        condition = f" {run.planned.settings.condition}" if self._several_conditions else ""
        self._bar[run.folder.path] = self._bars.of(run, model + condition)

    def episode_ended(self, run: PreparedRun, episode: EpisodeRecord) -> None:
        self._bar[run.folder.path].advance(episode)

    def wave_waits(self, run: PreparedRun, progress: WaveProgress) -> None:
        if progress.begins:
            _say(f"{run.planned.name}: {wave_text(progress)}")
        self._bar[run.folder.path].note(wave_text(progress) if progress.waits else "")

    def run_ended(self, run: PlannedRun, played: PlayedRun) -> None:
        path = run.folder.path
        self.begun.add(path)
        self.played[path] = played
        if path in self._bar:
            self._bar.pop(path).remove()
            messages.print(safe(f"records: {path}", "dim"), soft_wrap=True)


def _say_errors(run: PlayedRun, *, named: bool) -> None:
    """Prints the errors of a run by kind, each with one message; `named` begins with its name."""
    if not run.summary.errors:
        return
    summary = run.summary
    every = summary.errors + sum(scenario.episodes for scenario in summary.scenarios.values())
    name = f"{run.name} {run.method}: " if named else ""
    _say(f"{name}{summary.errors:,} of {every:,} episodes ended with an error:")
    for one in summary.error_kinds:
        source = "" if one.source == "provider" else f" ({one.source})"
        example = shorten(one.example, LONGEST_EXAMPLE, placeholder=" …")
        _say(f"  {one.episodes:,} {one.kind}{source}: {example}")


def _say_how_to_resume(
    progress: _Progress, reason: str, again: Sequence[str], repeated: Options
) -> None:
    """Prints the options that play the remaining episodes of the runs, including errors.

    `reason` applies to the runs that have not ended.
    """
    unfinished: list[tuple[str, list[str]]] = []
    for run in progress.runs:
        path = run.folder.path
        options = ["--resume", str(path), *resume_options(run.settings)]
        options += _affecting([run], repeated)
        played = progress.played.get(path)
        if path not in progress.begun:
            continue
        if waiting_batches := open_batches(run.folder.batches):
            ids = ", ".join(one.batch or "not confirmed" for one in waiting_batches[:SHOWN_BATCHES])
            more = ", …" * (len(waiting_batches) > SHOWN_BATCHES)
            _say(
                f"{sum(one.requests for one in waiting_batches):,} requests remain submitted, and "
                f"are paid for ({ids}{more}); resuming reads their replies"
            )
        if played is None or played.stopped:
            unfinished.append((str(played.stopped) if played else reason, options))
        elif played.summary.errors:
            errors = played.summary.errors
            unfinished.append((f"{number_of(errors, 'episode')} met errors", options))
    waiting = [run.name for run in progress.runs if run.folder.path not in progress.begun]
    if again and progress.begun and (unfinished or reason):
        reasons = dict.fromkeys(why for why, _ in unfinished)
        command = shlex.join([*again, *_affecting(progress.runs, repeated)])
        _say(f"{'; '.join(reasons) or reason}; continue with: {command}")
        return
    for why, options in unfinished:
        _say(f"{why}; continue with: {shlex.join(options)}")
    if unfinished and waiting:
        _say(f"not started: {', '.join(waiting)}")


def _affecting(runs: Sequence[PlannedRun], options: Options) -> list[str]:
    """Returns the words of the options that affect some of the runs; others would be refused."""
    useless = {*unused([run.settings for run in runs]), *unused_limits(runs)}
    return [word for name, words in options.items() if name not in useless for word in words]


def _say(line: str) -> None:
    messages.print(safe(line), soft_wrap=True)
