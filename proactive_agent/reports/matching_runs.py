"""Which runs make a table or plot of the paper, and those of one model brought together.

Runs that have no place in it are left out, and why is said.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from proactive_agent.metrics import PlayedRun, summarise_tables
from proactive_agent.reports.departures import departure_notes
from proactive_agent.reports.run_names import name_runs
from proactive_agent.scenarios import SCENARIOS
from proactive_agent.tools import UserError

CONTEXT = frozenset({"stateless", "unfiltered"})
"""Parts of a condition that may stand beside any other, where all runs of a model have them."""

ONE_TURN = ("reference", "clear")
"""Conditions with which nothing can be stateless."""

NAMED = 2
"""Runs named in a sentence about those that are left out."""

SEVERAL_TURNS = ("mcqa", "tools")
"""Protocols."""


class Wanted(NamedTuple):
    """The conditions that are compared with each other."""

    needed: Sequence[str]
    optional: Sequence[str] = ()
    """At least one of these, if there are any."""
    protocols: Sequence[str] = SEVERAL_TURNS

    def unfit(self, run: PlayedRun) -> str:
        """Why a run is none of them; empty where it is one."""
        return unfit_protocol(run, self.protocols) or (
            ""
            if condition_of(run) in (*self.needed, *self.optional)
            else f"condition is {condition_of(run)}"
        )

    def missing(self, there: Iterable[str]) -> list[str]:
        """What a model lacks that has runs of those."""
        lacking = [name for name in self.needed if name not in there]
        if self.optional and not any(name in there for name in self.optional):
            lacking += self.optional
        return lacking

    def __str__(self) -> str:
        one_of = [" or ".join(self.optional)] if self.optional else []
        return " and ".join([*self.needed, *one_of])


class Chosen(NamedTuple):
    """Runs that belong beside each other."""

    runs: list[PlayedRun]
    """Named anew."""
    scenarios: list[str]
    """That every run has played; the runs' tables and summaries are of these only."""
    left_out: list[str]
    """Sentences."""


class Trial(NamedTuple):
    """A model under every condition that is compared."""

    name: str
    runs: dict[str, PlayedRun]
    """By condition, in the order asked for."""


class Trials(NamedTuple):
    """The models that have runs of all."""

    trials: list[Trial]
    scenarios: list[str]
    """That every run has played; the runs' tables and summaries are of these only."""
    left_out: list[str]
    """Sentences."""

    @property
    def departure_notes(self) -> list[str]:
        """What a reader must know of the runs."""
        return departure_notes([run for trial in self.trials for run in trial.runs.values()])


def choose(runs: Sequence[PlayedRun], unfit: Callable[[PlayedRun], str], needs: str) -> Chosen:
    """The runs that nothing is wrong with.  Raises UserError where there is none."""
    fit, left_out = _sort_out(runs, unfit)
    if not fit:
        raise UserError(" ".join([f"takes {needs}.", *left_out]))
    common = _Common(fit)
    names = name_runs([run.manifest for run in fit])
    chosen = [
        replace(common.restrict(run), name=name) for run, name in zip(fit, names, strict=True)
    ]
    return Chosen(chosen, common.scenarios, left_out + common.left_out)


def bring_together(runs: Sequence[PlayedRun], wanted: Wanted) -> Trials:
    """The models that have a run of every condition that is needed.

    Raises UserError where none has, where two runs of a model answer to the same condition, and
    where a model's runs are on different data.
    """
    fit, left_out = _sort_out(runs, wanted.unfit)
    complete, advice = [], []
    for group in _by_model(fit):
        if missing := wanted.missing(group):
            advice.append(_advice(next(iter(group.values())), missing))
        else:
            check_same_data(list(group.values()))
            order = (*wanted.needed, *wanted.optional)
            complete.append({name: group[name] for name in order if name in group})
    if not complete:
        why = advice[:NAMED] or left_out
        raise UserError(" ".join([f"takes runs of {wanted} of one model.", *why]))
    common = _Common([run for group in complete for run in group.values()])
    names = name_runs([group[wanted.needed[0]].manifest for group in complete])
    trials = [
        Trial(name, {condition: common.restrict(run) for condition, run in group.items()})
        for name, group in zip(names, complete, strict=True)
    ]
    return Trials(trials, common.scenarios, left_out + advice + common.left_out)


def parts_of(run: PlayedRun) -> frozenset[str]:
    """The parts of a run's condition; none for zero-shot."""
    return frozenset(run.manifest.settings.condition.split("+")) - {"zero-shot"}


def condition_of(run: PlayedRun) -> str:
    """A run's condition without what may stand beside any."""
    return "+".join(sorted(parts_of(run) - CONTEXT)) or "zero-shot"


def unfit_protocol(run: PlayedRun, protocols: Sequence[str]) -> str:
    """Why a run's protocol is none of those; empty where it is one."""
    own = run.manifest.settings.protocol
    return "" if own in protocols else f"protocol is {own}"


def unfit_unless_long(*conditions: str) -> Callable[[PlayedRun], str]:
    """Refuses open-ended runs, those of the conditions named, and those with solved examples.

    The last are played in two scenarios only and would leave no others to show.
    """
    refused = {*conditions, "icl"}

    def unfit(run: PlayedRun) -> str:
        found = refused & {part.partition(":")[0] for part in parts_of(run)}
        return unfit_protocol(run, SEVERAL_TURNS) or (
            f"condition is {condition_of(run)}" if found else ""
        )

    return unfit


def check_same_data(runs: Sequence[PlayedRun]) -> None:
    """Raises UserError where runs that are subtracted were made on different data."""
    first, *others = (run.manifest for run in runs)
    for other in others:
        for scenario, file in first.data.files.items():
            theirs = other.data.files.get(scenario, file)
            if (file.sha256, file.kept) != (theirs.sha256, theirs.kept):
                raise UserError(
                    f"{first.run_id} and {other.run_id} were made on different data ({scenario}), "
                    "which alone would change the figures"
                )


def _sort_out(
    runs: Sequence[PlayedRun], unfit: Callable[[PlayedRun], str]
) -> tuple[list[PlayedRun], list[str]]:
    """The fit runs, and sentences about the others."""
    fit: list[PlayedRun] = []
    others: dict[str, list[str]] = {}
    for run in runs:
        if why := unfit(run):
            others.setdefault(why, []).append(run.manifest.run_id)
        else:
            fit.append(run)
    return fit, [f"Left out, as the {why}: {_few(ids)}." for why, ids in others.items()]


def _few(names: Sequence[str]) -> str:
    """The first of them; a folder full of runs would fill the screen."""
    shown, rest = names[:NAMED], len(names) - NAMED
    return ", ".join(shown) + (f" and {rest} more" if rest > 0 else "")


def _by_model(runs: Sequence[PlayedRun]) -> list[dict[str, PlayedRun]]:
    """The runs by condition, for each model asked in one way."""
    groups: dict[_Way, dict[str, PlayedRun]] = {}
    for run in runs:
        settings, condition = run.manifest.settings, condition_of(run)
        asked = (settings.provider, settings.protocol, settings.toolset, settings.parser)
        group = groups.setdefault(_Way(asked, parts_of(run) & CONTEXT), {})
        if condition in group:
            raise UserError(
                f"two {condition} runs of {settings.provider}: {group[condition].manifest.run_id} "
                f"and {run.manifest.run_id}; give one of them"
            )
        group[condition] = run
    for way, group in list(groups.items()):
        if "stateless" in way.context:
            _borrow(groups, way, group)
    return list(groups.values())


class _Way(NamedTuple):
    """How a model was asked: the settings that tell, and what stands beside the condition."""

    asked: tuple[str, ...]
    context: frozenset[str]


def _borrow(
    groups: dict[_Way, dict[str, PlayedRun]], way: _Way, group: dict[str, PlayedRun]
) -> None:
    """Runs of one turn serve a model that is asked each turn afresh as well."""
    usual = way._replace(context=way.context - {"stateless"})
    lent = {name: run for name, run in groups.get(usual, {}).items() if name in ONE_TURN}
    group.update(lent)
    if lent and lent == groups[usual]:
        del groups[usual]


def _advice(run: PlayedRun, missing: Sequence[str]) -> str:
    settings = run.manifest.settings
    data = [f"--data {settings.data}"] if settings.data else []
    context = parts_of(run) & CONTEXT
    conditions = ",".join(
        "+".join([name, *sorted(context - ({"stateless"} if name in ONE_TURN else set()))])
        for name in missing
    )
    command = [
        "run", *data, "--provider", settings.provider, "--protocol", settings.protocol,
        "--condition", conditions,
    ]  # fmt: skip
    return f"{settings.provider} lacks {' and '.join(missing)}: {' '.join(command)}."


class _Common:
    """The scenarios that all of several runs have played, so that their means are of the same."""

    def __init__(self, runs: Sequence[PlayedRun]) -> None:
        """Raises UserError where there is none."""
        played = [
            {name for name, found in run.summary.scenarios.items() if found.episodes}
            for run in runs
        ]
        common = set.intersection(*played)
        if not common:
            raise UserError("the runs have no scenario in common")
        self.scenarios = [name for name in SCENARIOS if name in common]
        others = [name for name in SCENARIOS if name in set.union(*played) - common]
        sentence = f"Left out, as not all runs have them: {', '.join(others)}."
        self.left_out = [sentence] if others else []

    def restrict(self, run: PlayedRun) -> PlayedRun:
        """The run as if it had been of these scenarios only."""
        if list(run.summary.scenarios) == self.scenarios:
            return run
        tables = {name: run.tables[name] for name in self.scenarios}
        return replace(run, tables=tables, summary=summarise_tables(tables))
