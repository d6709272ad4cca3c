"""Selects the runs for a table or plot of the paper and groups them by model.

Runs that do not fit are left out, with the reason.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from proactive_agent.metrics import PlayedRun, summarise_tables
from proactive_agent.reports.departures import departure_notes
from proactive_agent.reports.run_names import name_runs
from proactive_agent.reports.runs import experiment_of
from proactive_agent.reports.targets import Experiment
from proactive_agent.scenarios import SCENARIOS
from proactive_agent.settings.condition_label import joined, name_of, varied_parts
from proactive_agent.tools import UserError

CONTEXT = frozenset({"stateless", "unfiltered"})
"""Parts of a condition that combine with any other, if all runs of a model have them."""

ONE_TURN = ("reference", "clear")
"""Conditions with a single turn, in which `stateless` changes nothing."""

NAMED = 2
"""Most runs or models that a sentence about left-out runs names."""

SEVERAL_TURNS = ("mcqa", "tools")
"""Protocols whose episodes can have several turns."""


class WantedConditions(NamedTuple):
    """The conditions that a table or plot compares for each model."""

    needed: Sequence[str]
    optional: Sequence[str] = ()
    """If not empty, a model needs a run of at least one of these."""
    protocols: Sequence[str] = SEVERAL_TURNS

    def unfit(self, run: PlayedRun) -> str:
        """Returns the reason why a run has none of these conditions, or an empty string."""
        return unfit_protocol(run, self.protocols) or (
            ""
            if condition_of(run) in (*self.needed, *self.optional)
            else f"condition is {condition_of(run)}"
        )

    def missing(self, present: Iterable[str]) -> list[str]:
        """The conditions that are missing for a model with runs of the `present` ones."""
        lacking = [name for name in self.needed if name not in present]
        if self.optional and not any(name in present for name in self.optional):
            lacking += self.optional
        return lacking

    def __str__(self) -> str:
        one_of = [" or ".join(self.optional)] if self.optional else []
        return " and ".join([*self.needed, *one_of])


class ChosenRuns(NamedTuple):
    """Runs that fit one table or plot."""

    runs: list[PlayedRun]
    """The runs, with names that distinguish them from each other."""
    scenarios: list[str]
    """Scenarios that every run has played. The runs' tables and summaries hold only these."""
    left_out: list[str]
    """Sentences about the runs that do not fit."""


class ModelRuns(NamedTuple):
    """The runs of one model under the compared conditions."""

    name: str
    runs: dict[str, PlayedRun]
    """The runs by condition, in the order of `WantedConditions`."""


class MatchedModels(NamedTuple):
    """The models that have a run of every needed condition."""

    models: list[ModelRuns]
    scenarios: list[str]
    """Scenarios that every run has played. The runs' tables and summaries hold only these."""
    left_out: list[str]
    """Sentences about the runs and models that do not fit."""

    def has_experiments(self, *experiments: Experiment) -> bool:
        """Whether a model has runs of all these experiments."""
        return any(
            all(has_experiment(model.runs.values(), one) for one in experiments)
            for model in self.models
        )

    @property
    def departure_notes(self) -> list[str]:
        """Notes about departures of these runs from the paper."""
        return departure_notes([run for model in self.models for run in model.runs.values()])


def choose_runs(
    runs: Sequence[PlayedRun], unfit: Callable[[PlayedRun], str], needs: str
) -> ChosenRuns:
    """Returns the runs for which `unfit` gives no reason.

    `needs` names the runs that fit. Raises UserError if there are none.
    """
    fit, left_out = _sort_out(runs, unfit)
    if not fit:
        raise UserError(" ".join([f"needs {needs}.", *left_out]))
    common = _Common(fit)
    names = name_runs([run.manifest for run in fit])
    chosen = [
        replace(common.restrict(run), name=name) for run, name in zip(fit, names, strict=True)
    ]
    return ChosenRuns(chosen, common.scenarios, left_out + common.left_out)


def match_models(runs: Sequence[PlayedRun], wanted: WantedConditions) -> MatchedModels:
    """Returns the models that have a run of every needed condition.

    Raises UserError if there are none, if two runs of a model have the same condition, or if the
    runs of a model used different data.
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
        raise UserError(" ".join([f"needs runs of {wanted} of one model.", *why]))
    common = _Common([run for group in complete for run in group.values()])
    names = name_runs([group[wanted.needed[0]].manifest for group in complete])
    models = [
        ModelRuns(name, {condition: common.restrict(run) for condition, run in group.items()})
        for name, group in zip(names, complete, strict=True)
    ]
    return MatchedModels(models, common.scenarios, left_out + advice + common.left_out)


def has_experiment(runs: Iterable[PlayedRun], experiment: Experiment) -> bool:
    """Whether one of the runs is this experiment, so that its published figures may be shown."""
    return any(experiment_of(run.manifest) == experiment for run in runs)


def parts_of(run: PlayedRun) -> frozenset[str]:
    """The parts of a run's condition; empty for zero-shot."""
    return varied_parts(run.manifest.settings.condition)


def condition_of(run: PlayedRun) -> str:
    """A run's condition without the parts in CONTEXT."""
    return joined(sorted(parts_of(run) - CONTEXT))


def unfit_protocol(run: PlayedRun, protocols: Sequence[str]) -> str:
    """Returns the reason why a run's protocol does not fit, or an empty string."""
    settings = run.manifest.settings
    if settings.protocol not in protocols:
        return f"protocol is {settings.protocol}"
    several = settings.protocol == "oeg" and settings.multi_turn
    return "questions are asked in several turns" if several else ""


def unfit_unless_long(*conditions: str) -> Callable[[PlayedRun], str]:
    """Returns a check that refuses open-ended runs, these conditions, and solved examples (`icl`).

    Solved examples exist for two scenarios only. Such a run would hide all other scenarios.
    """
    refused = {*conditions, "icl"}

    def unfit(run: PlayedRun) -> str:
        found = refused & {name_of(part) for part in parts_of(run)}
        return unfit_protocol(run, SEVERAL_TURNS) or (
            f"condition is {condition_of(run)}" if found else ""
        )

    return unfit


def check_same_data(runs: Sequence[PlayedRun]) -> None:
    """Raises UserError if the runs used different data and so cannot be compared."""
    first, *others = (run.manifest for run in runs)
    for other in others:
        for scenario, file in first.data.files.items():
            theirs = other.data.files.get(scenario, file)
            if (file.sha256, file.kept) != (theirs.sha256, theirs.kept):
                raise UserError(
                    f"{first.run_id} and {other.run_id} used different data ({scenario}), "
                    "so their difference would not show the effect of the condition"
                )


def _sort_out(
    runs: Sequence[PlayedRun], unfit: Callable[[PlayedRun], str]
) -> tuple[list[PlayedRun], list[str]]:
    """Returns the runs that fit, and sentences about the others."""
    fit: list[PlayedRun] = []
    others: dict[str, list[str]] = {}
    for run in runs:
        if why := unfit(run):
            others.setdefault(why, []).append(run.manifest.run_id)
        else:
            fit.append(run)
    return fit, [f"Left out because the {why}: {_few(ids)}." for why, ids in others.items()]


def _few(names: Sequence[str]) -> str:
    """Lists the first names and counts the rest, because a folder can hold many runs."""
    shown, rest = names[:NAMED], len(names) - NAMED
    return ", ".join(shown) + (f" and {rest} more" if rest > 0 else "")


def _by_model(runs: Sequence[PlayedRun]) -> list[dict[str, PlayedRun]]:
    """Groups the runs of each model and method by condition."""
    groups: dict[_Method, dict[str, PlayedRun]] = {}
    for run in runs:
        settings, condition = run.manifest.settings, condition_of(run)
        asked = (settings.provider, settings.protocol, settings.toolset, settings.parser)
        group = groups.setdefault(_Method(asked, parts_of(run) & CONTEXT), {})
        if condition in group:
            raise UserError(
                f"two {condition} runs of {settings.provider}: {group[condition].manifest.run_id} "
                f"and {run.manifest.run_id}; pass only one of them"
            )
        group[condition] = run
    for method, group in list(groups.items()):
        if "stateless" in method.context:
            _borrow(groups, method, group)
    return list(groups.values())


class _Method(NamedTuple):
    """The properties that the compared runs of a model must have in common."""

    settings: tuple[str, ...]
    context: frozenset[str]
    """The parts of the condition that are in CONTEXT."""


def _borrow(
    groups: dict[_Method, dict[str, PlayedRun]], method: _Method, group: dict[str, PlayedRun]
) -> None:
    """Adds runs with a single turn to a stateless model: `stateless` does not change them."""
    usual = method._replace(context=method.context - {"stateless"})
    lent = {name: run for name, run in groups.get(usual, {}).items() if name in ONE_TURN}
    group.update(lent)
    if lent and lent == groups[usual]:
        del groups[usual]


def _advice(run: PlayedRun, missing: Sequence[str]) -> str:
    """Names the missing conditions of a run's model and the command that plays them."""
    settings = run.manifest.settings
    data = [f"--data {settings.data}"] if settings.data else []
    context = parts_of(run) & CONTEXT
    conditions = ",".join(
        joined([name, *sorted(context - ({"stateless"} if name in ONE_TURN else set()))])
        for name in missing
    )
    command = [
        "run", *data, "--provider", settings.provider, "--protocol", settings.protocol,
        "--condition", conditions,
    ]  # fmt: skip
    return f"{settings.provider} has no run of {' and '.join(missing)}: {' '.join(command)}."


class _Common:
    """The scenarios that all runs have played, so that their averages can be compared."""

    def __init__(self, runs: Sequence[PlayedRun]) -> None:
        """Raises UserError if there are none."""
        played = [
            {name for name, found in run.summary.scenarios.items() if found.episodes}
            for run in runs
        ]
        common = set.intersection(*played)
        if not common:
            raise UserError("the runs have no scenario in common")
        self.scenarios = [name for name in SCENARIOS if name in common]
        others = [name for name in SCENARIOS if name in set.union(*played) - common]
        sentence = f"Left out because not all runs have them: {', '.join(others)}."
        self.left_out = [sentence] if others else []

    def restrict(self, run: PlayedRun) -> PlayedRun:
        """Returns the run with only these scenarios in its tables and summary."""
        if list(run.summary.scenarios) == self.scenarios:
            return run
        tables = {name: run.tables[name] for name in self.scenarios}
        return replace(run, tables=tables, summary=summarise_tables(tables))
