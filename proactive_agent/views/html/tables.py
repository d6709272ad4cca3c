"""Formats tables, notes and plots as HTML. Text is escaped; control characters become visible."""

import base64
from collections.abc import Iterator, Sequence
from html import escape

from proactive_agent.metrics import PlayedRun
from proactive_agent.reports.findings import RunFinding
from proactive_agent.reports.runs import data_label
from proactive_agent.reports.tables.grid import Cell, Grid, Group, Line
from proactive_agent.terminal.console import plain

RUN_FACTS = ("protocol", "condition", "data", "wording", "seed", "started")
"""The columns of the table of runs, after the name."""


def safe(text: str) -> str:
    """Escapes untrusted text for an element or a quoted attribute."""
    return escape(plain(text))


def runs_table(runs: Sequence[PlayedRun]) -> str:
    """Returns the table of runs, one row each."""
    return wide(
        f"<table>{head_row(('run', *RUN_FACTS))}<tbody>{''.join(map(_run, runs))}</tbody></table>"
    )


def grid_table(grid: Grid) -> str:
    """Returns a table and its caption."""
    body = "".join(row for group in grid.groups for row in _rows(group, grid.columns))
    note = f'<p class="mind">{safe(grid.caption)}</p>' if grid.caption else ""
    heads = head_row(("", *grid.columns))
    meaning = "".join(f"<small>{safe(line)}</small>" for line in grid.meaning.splitlines())
    caption = f"<caption>{safe(grid.title)}{meaning}</caption>"
    return f"<div>{wide(f'<table>{caption}{heads}<tbody>{body}</tbody></table>')}{note}</div>"


def findings_list(found: Sequence[RunFinding]) -> str:
    """Returns the sentences of each run, below its name."""
    items = "".join(
        f"<dt>{safe(one.run)}</dt><dd>{safe(' '.join(one.sentences))}</dd>" for one in found
    )
    return f'<dl class="findings">{items}</dl>' if items else ""


def notes_list(notes: Sequence[str]) -> str:
    """Returns notes as a list; warnings are highlighted."""
    items = (
        f'<li class="warning">{safe(note)}</li>'
        if note.startswith("Warning")
        else f"<li>{safe(note)}</li>"
        for note in notes
    )
    return f'<ul class="notes">{"".join(items)}</ul>'


def plot_figure(title: str, svg: str, caption: Sequence[str]) -> str:
    """Embeds a plot as a picture, so that its scripts cannot run and its styles are allowed."""
    below = f"<figcaption>{safe(' '.join(caption))}</figcaption>" if caption else ""
    uri = f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"
    return f'<figure><img alt="{safe(title)}" src="{uri}">{below}</figure>'


def head_row(heads: Sequence[str]) -> str:
    """Returns the head row of a table."""
    cells = "".join(f'<th scope="col">{safe(head)}</th>' for head in heads)
    return f"<thead><tr>{cells}</tr></thead>"


def wide(table: str) -> str:
    """Wraps a table so that it scrolls on narrow screens."""
    return f'<div class="wide">{table}</div>'


def _run(run: PlayedRun) -> str:
    manifest, settings = run.manifest, run.manifest.settings
    status = "" if manifest.status == "finished" else f", {manifest.status}"
    facts = (
        settings.protocol, settings.condition, data_label(manifest),
        manifest.data.wording, str(settings.seed), f"{manifest.started:%Y-%m-%d %H:%M} UTC{status}",
    )  # fmt: skip
    named = zip(RUN_FACTS, facts, strict=True)
    cells = "".join(
        f'<td class="text" data-column="{name}">{safe(fact)}</td>' for name, fact in named
    )
    name = f"{safe(run.name)}<small>{safe(manifest.run_id)}</small>"
    return f'<tr><th scope="row">{name}</th>{cells}</tr>'


def _rows(group: Group, columns: Sequence[str]) -> Iterator[str]:
    if group.heading:
        span = len(columns) + 1
        yield f'<tr class="heading"><th colspan="{span}">{safe(group.heading)}</th></tr>'
    for line in group.lines:
        yield _row(line, columns)


def _row(line: Line, columns: Sequence[str]) -> str:
    cells = "".join(_cell(*one) for one in zip(columns, line.cells, strict=False))
    strong = ' class="strong"' if line.strong else ""
    return f'<tr{strong}><th scope="row">{safe(line.name)}</th>{cells}</tr>'


def _cell(column: str, cell: Cell) -> str:
    """Returns a cell; on narrow screens its column is written before it."""
    interval = f"<small>{safe(cell.interval)}</small>" if cell.interval else ""
    return f'<td data-column="{safe(column)}">{safe(cell.text)}{interval}</td>'
