"""The HTML file: every text escaped, styles and script by their hash, no address but data."""

import base64
import hashlib
import json
from collections.abc import Iterator, Sequence
from html import escape
from importlib.resources import files
from typing import NamedTuple

from proactive_agent.manifest import Manifest
from proactive_agent.page.gallery import Gallery
from proactive_agent.tables.grid import Cell, Grid, Group, Line


class Section(NamedTuple):
    """A part of the page; empty ones are left out."""

    title: str
    grids: Sequence[Grid] = ()
    pictures: Sequence[tuple[str, str]] = ()
    """Title and SVG of plots."""
    notes: Sequence[str] = ()


def document(runs: Sequence[Manifest], sections: Sequence[Section], gallery: Gallery) -> str:
    """The whole file."""
    style, script = (_resource(name) for name in ("page.css", "page.js"))
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_digest(style)}'; "
        f"script-src '{_digest(script)}'; base-uri 'none'; form-action 'none'"
    )
    shown = [section for section in sections if section.grids or section.pictures]
    names = [*(section.title for section in shown), "Episodes"]
    links = "".join(f'<a href="#{_anchor(name)}">{escape(name)}</a>' for name in names)
    title = ", ".join(dict.fromkeys(run.settings.provider for run in runs))
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f"<title>{escape(title)}</title>",
            f"<style>{style}</style></head><body>",
            f"<header><h1>{escape(title)}</h1><nav>{links}</nav>",
            '<button id="theme" type="button">light or dark</button></header><main>',
            _runs(runs),
            *(_section(section) for section in shown),
            _episodes(gallery),
            "</main>",
            f'<script type="application/json" id="data">{_json(gallery)}</script>',
            f"<script>{script}</script></body></html>",
            "",
        ]
    )


def _runs(runs: Sequence[Manifest]) -> str:
    lines = []
    for run in runs:
        settings = run.settings
        data = "embedded suite" if run.data.embedded else settings.data or ""
        facts = (
            settings.provider, settings.protocol, settings.condition, data, run.data.wording,
            f"seed {settings.seed}", run.status, f"{run.started:%Y-%m-%d %H:%M} UTC",
        )  # fmt: skip
        cells = "".join(f"<td>{escape(fact)}</td>" for fact in facts)
        lines.append(f'<tr><th scope="row">{escape(run.run_id)}</th>{cells}</tr>')
    return _wide(f'<table class="facts"><tbody>{"".join(lines)}</tbody></table>')


def _section(section: Section) -> str:
    parts = [*map(_grid, section.grids)]
    parts += [
        f'<figure><img alt="{escape(title)}" src="{_svg_uri(svg)}"></figure>'
        for title, svg in section.pictures
    ]
    parts += [f'<p class="note">{escape(note)}</p>' for note in section.notes]
    title = escape(section.title)
    return f'<section id="{_anchor(section.title)}"><h2>{title}</h2>{"".join(parts)}</section>'


def _episodes(gallery: Gallery) -> str:
    """The frame that the script fills."""
    left_out = "".join(
        f'<p class="note">{count:,} more episodes of {escape(run)} are not shown here.</p>'
        for run, count in gallery.left_out.items()
        if count
    )
    selects = "".join(
        f'<label>{name} <select id="{name}"><option value="">all</option></select></label>'
        for name in ("run", "scenario", "group")
    )
    return (
        '<section id="episodes"><h2>Episodes</h2><form id="filters">'
        f'{selects}<label>search <input id="search" type="search"></label>'
        '<output id="count"></output></form>'
        '<p class="note keys">Keys: / search, j and k next and previous episode, '
        "Enter open or close, Esc leave the search.</p>"
        f'<ol id="list"></ol>{left_out}'
        "<noscript>The gallery needs the script of this file.</noscript></section>"
    )


def _grid(grid: Grid) -> str:
    heads = "".join(f'<th scope="col">{escape(column)}</th>' for column in ("", *grid.columns))
    body = "".join(row for group in grid.groups for row in _rows(group, len(grid.columns)))
    note = f'<p class="warning">{escape(grid.caption)}</p>' if grid.caption else ""
    table = (
        f"<table><caption>{escape(grid.title)}</caption><thead><tr>{heads}</tr></thead>"
        f"<tbody>{body}</tbody></table>"
    )
    return _wide(table) + note


def _rows(group: Group, columns: int) -> Iterator[str]:
    if group.heading:
        yield f'<tr class="heading"><th colspan="{columns + 1}">{escape(group.heading)}</th></tr>'
    yield from map(_row, group.lines)


def _row(line: Line) -> str:
    cells = "".join(map(_cell, line.cells))
    strong = ' class="strong"' if line.strong else ""
    return f'<tr{strong}><th scope="row">{escape(line.name)}</th>{cells}</tr>'


def _cell(cell: Cell) -> str:
    interval = f"<small>{escape(cell.interval)}</small>" if cell.interval else ""
    return f"<td>{escape(cell.text)}{interval}</td>"


def _wide(table: str) -> str:
    """Scrolls by itself where the screen is narrow."""
    return f'<div class="wide">{table}</div>'


def _json(gallery: Gallery) -> str:
    """Cannot end the element that it stands in, whatever a model wrote."""
    text = json.dumps(gallery._asdict(), ensure_ascii=True)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _svg_uri(svg: str) -> str:
    # As a picture, so that nothing in it can run and its styles need no leave of the page.
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"


def _resource(name: str) -> str:
    return (files("proactive_agent.page") / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _anchor(title: str) -> str:
    return title.lower()
