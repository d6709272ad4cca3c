"""`report`: one HTML file about several runs.

The file needs no network and executes nothing that a model wrote. It holds the findings in words,
the tables and plots of `compare` and `reproduce`, the failures by group, and a gallery of episodes;
each episode is a timeline of pictures and calls.
"""

from collections.abc import Sequence
from pathlib import Path

from proactive_agent.disk.durable import make_folder
from proactive_agent.disk.whole_files import not_written, write_whole
from proactive_agent.metrics import PlayedRun
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.reports.comparison.grids import grids
from proactive_agent.reports.comparison.report import find_baseline, make_report
from proactive_agent.reports.failure_tables import find_failures
from proactive_agent.reports.findings import findings
from proactive_agent.reports.plots import FIGURES, draw, svg
from proactive_agent.reports.runs import read_runs
from proactive_agent.reports.tables import INTERVAL_NOTE
from proactive_agent.reports.tables.grid import Grid
from proactive_agent.tools import MissingExtraError, UserError
from proactive_agent.views.html.document import Section, document
from proactive_agent.views.html.failures import failures_table
from proactive_agent.views.html.gallery import gallery_of
from proactive_agent.views.html.tables import findings_list, grid_table, notes_list, plot_figure


def write_report(folders: Sequence[RunFolder], file: Path, episodes: int) -> None:
    """Writes the report of runs, with at most `episodes` of each run. Raises UserError."""
    played = read_runs(folders)
    report = make_report(played, find_baseline(played, None), with_published=False)
    gallery = gallery_of([(p.name, f) for p, f in zip(played, folders, strict=True)], episodes)
    failures = {
        run.name: find_failures(folder.outlines())
        for run, folder in zip(played, folders, strict=True)
    }
    linked = bool(gallery.episodes)
    sections = [
        Section("Findings", [findings_list(findings(played, failures, report.help_seeking))]),
        # The notes qualify the numbers, so they come before the tables.
        Section("Results", [notes_list([*report.notes, INTERVAL_NOTE]), *_tables(grids(report))]),
        Section("Plots", _plots(played)),
        Section("Failures", [failures_table(*one, linked=linked) for one in failures.items()]),
    ]
    text = document(played, sections, gallery)
    try:
        make_folder(file.parent)
    except OSError as error:
        raise not_written(file, error) from error
    write_whole(file, text)


def _tables(every: Sequence[Grid]) -> list[str]:
    return ['<div class="tables">', *map(grid_table, every), "</div>"]


def _plots(played: Sequence[PlayedRun]) -> list[str]:
    """Draws every plot that these runs have the data for."""
    try:
        import matplotlib  # noqa: F401
    except ModuleNotFoundError:
        raise MissingExtraError("report", "report") from None
    found = []
    for name in FIGURES:
        try:
            drawing = draw(name, played, with_published=False)
        except UserError:
            continue  # These runs lack the data for that plot.
        picture = svg(drawing.figure, drawing.caption)
        found.append(plot_figure(str(drawing.figure.get_label()), picture, drawing.caption))
    return found
