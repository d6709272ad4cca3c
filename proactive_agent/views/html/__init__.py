"""`report`: runs as one HTML file that needs no network and runs nothing that a model wrote.

Tables and plots are those of `compare` and `reproduce`; below them stand the failures by group and
a gallery of episodes, each as a timeline of pictures and calls.
"""

from collections.abc import Sequence
from pathlib import Path

from proactive_agent.metrics import PlayedRun
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.reports.comparison.grids import grids
from proactive_agent.reports.comparison.report import find_baseline, make_report
from proactive_agent.reports.failure_tables import find_failures
from proactive_agent.reports.plots import FIGURES, draw, svg
from proactive_agent.reports.runs import read_runs
from proactive_agent.reports.tables import INTERVAL_NOTE
from proactive_agent.reports.tables.grid import Grid
from proactive_agent.tools import MissingExtraError, UserError
from proactive_agent.views.html.document import Section, document
from proactive_agent.views.html.failures import failures_table
from proactive_agent.views.html.gallery import gallery_of
from proactive_agent.views.html.tables import grid_table, notes_list, plot_figure


def write_page(runs: Sequence[str], results: Path, file: Path, episodes: int) -> None:
    """Runs by path or id, with at most so many episodes of each.  Raises UserError."""
    played = read_runs(runs, results)
    folders = [RunFolder.find(run, results) for run in runs]
    report = make_report(played, find_baseline(played, None), with_published=False)
    gallery = gallery_of([(p.name, f) for p, f in zip(played, folders, strict=True)], episodes)
    failures = [
        failures_table(run.name, find_failures(folder.outlines()), linked=bool(gallery.episodes))
        for run, folder in zip(played, folders, strict=True)
    ]
    sections = [
        # What limits the numbers comes before them: nobody reads on after the last table.
        Section("Results", [notes_list([*report.notes, INTERVAL_NOTE]), *_tables(grids(report))]),
        Section("Plots", _plots(played)),
        Section("Failures", failures),
    ]
    text = document(played, sections, gallery)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{file}: {error.strerror}") from None


def _tables(every: Sequence[Grid]) -> list[str]:
    return ['<div class="tables">', *map(grid_table, every), "</div>"]


def _plots(played: Sequence[PlayedRun]) -> list[str]:
    """Each plot that these runs make."""
    try:
        import matplotlib  # noqa: F401
    except ModuleNotFoundError:
        raise MissingExtraError("report", "report") from None
    found = []
    for name in FIGURES:
        try:
            figure = draw(name, played, with_published=False).figure
        except UserError:
            continue  # these runs do not make that plot
        found.append(plot_figure(str(figure.get_label()), svg(figure)))
    return found
