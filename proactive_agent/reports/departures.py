"""The ways in which runs depart from the paper.

Tables and plots print these departures, so that readers do not compare unlike numbers. Departures
that follow from one setting are declared with it in `proactive_agent.settings`.
"""

from collections.abc import Iterator, Sequence

from proactive_agent.metrics import PlayedRun
from proactive_agent.providers.registry import BUILT_IN
from proactive_agent.records.manifest import SETTINGS, Manifest
from proactive_agent.reports.agents import agent_notes
from proactive_agent.reports.data_notes import data_notes
from proactive_agent.reports.run_names import BY_WEIGHT, name_runs
from proactive_agent.reports.runs import DataKind, data_kind, experiment_of
from proactive_agent.reports.targets import TABLES
from proactive_agent.settings import Declared, Sampling, declared


def departures(manifest: Manifest, *, unfiltered: bool = False) -> list[str]:
    """Returns the departures of a run, the most important first.

    Other data are not among them; see `data_notes`. `unfiltered` says that unfiltered runs are
    shown as such.
    """
    essential = [one for one in BY_WEIGHT if one.setting.essential]
    others = [one for one in BY_WEIGHT if not one.setting.essential]
    return [
        *_of_settings(essential, manifest),
        *_of_data(manifest, unfiltered=unfiltered),
        *_of_settings(others, manifest),
        *(f"changed processor ({change})" for change in _changes(manifest)),
        *(["not finished"] if manifest.status != "finished" else []),
    ]


def departure_notes(runs: Sequence[PlayedRun], *, unfiltered: bool = False) -> list[str]:
    """Returns the notes for a table or plot of these runs, the most important first.

    `unfiltered` says that the table or plot names the runs without the filter as such.
    """
    manifests = [run.manifest for run in runs]
    return [*data_notes(manifests), *other_departure_notes(runs, unfiltered=unfiltered)]


def other_departure_notes(runs: Sequence[PlayedRun], *, unfiltered: bool = False) -> list[str]:
    """Returns the notes of `departure_notes` that are not about the data."""
    manifests = [run.manifest for run in runs]
    names = name_runs(manifests)
    notes = agent_notes(manifests)
    found: dict[str, list[str]] = {}
    for name, manifest in zip(names, manifests, strict=True):
        for note in departures(manifest, unfiltered=unfiltered):
            found.setdefault(note, []).append(name)
    for note, concerned in found.items():
        if len(concerned) == len(runs):
            notes.append(f"All runs: {note}.")
        else:
            notes.append(f"{note[0].upper()}{note[1:]}: {', '.join(concerned)}.")
    if failed := sum(run.summary.errors for run in runs):
        notes.append(f"{failed} episodes ended with an error and are left out.")
    return notes


def _of_settings(settings: Sequence[Declared], manifest: Manifest) -> Iterator[str]:
    for one in settings:
        departure = one.setting.departure
        if departure is not None and _departs(one, manifest):
            yield departure.note.format(one.shown(manifest.settings.value(one.name)))


def _departs(one: Declared, manifest: Manifest) -> bool:
    settings = manifest.settings
    departure = one.setting.departure
    if departure is None or not one.setting.affects(settings, BUILT_IN):
        return False
    if one.name in declared(Sampling):
        # Scripted models generate nothing.
        if not SETTINGS["generation"].setting.affects(settings, BUILT_IN):
            return False
        if one.name == "thinking_tokens" and manifest.thinking_room is not None:
            return max(manifest.thinking_room) > 0
    return departure.departs(settings.value(one.name), settings)


def _of_data(manifest: Manifest, *, unfiltered: bool) -> Iterator[str]:
    data = manifest.data
    if data_kind(manifest) is not DataKind.OFFICIAL:
        return
    as_table_4 = unfiltered and experiment_of(manifest) == TABLES["table4"].experiment
    if not data.filtered and not as_table_4:
        yield "the filter of the official data was not applied"
    if not data.wording.startswith("proactivebench"):
        yield "wording that differs from the published one"


def _changes(manifest: Manifest) -> Sequence[str]:
    """The changes to a local model's processor."""
    found: Sequence[str] = manifest.provider.get("processor_changes") or ()
    return found
