"""Assembles the HTML file.

Its content security policy allows one style and one script, by their hashes, and `data:` pictures.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from importlib.resources import files
from typing import NamedTuple

from proactive_agent.metrics import PlayedRun
from proactive_agent.tools.counting import number_of
from proactive_agent.views.html.gallery import Gallery
from proactive_agent.views.html.tables import runs_table, safe


class Section(NamedTuple):
    """A section of the page: a title and pieces of HTML. Empty sections are left out."""

    title: str
    parts: Sequence[str]


def document(runs: Sequence[PlayedRun], sections: Sequence[Section], gallery: Gallery) -> str:
    """Returns the whole file."""
    style, script = (_resource(name) for name in ("page.css", "page.js"))
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_digest(style)}'; "
        f"script-src '{_digest(script)}'; base-uri 'none'; form-action 'none'"
    )
    shown = [one for one in sections if any(one.parts)]
    if gallery.episodes:
        shown.append(Section("Episodes", _gallery(gallery)))
    shown.append(Section("Runs", [runs_table(runs)]))
    links = "".join(f'<a href="#{one.title.lower()}">{safe(one.title)}</a>' for one in shown)
    title = safe(_title(runs))
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f"<title>{title}</title>",
            f"<style>{style}</style></head><body>",
            f"<header><p>Proactive Agent: {_counted(runs)}</p><h1>{title}</h1></header>",
            f'<nav><div>{links}<button id="theme" type="button" '
            'aria-label="light or dark" title="light or dark">◐</button></div></nav>',
            "<main>",
            *map(_section, shown),
            "</main>",
            f'<script type="application/json" id="data">{_json(gallery)}</script>',
            f"<script>{script}</script></body></html>",
            "",
        ]
    )


def _title(runs: Sequence[PlayedRun]) -> str:
    models = list(dict.fromkeys(run.manifest.settings.shown_provider for run in runs))
    if len(models) == 1:
        return f"Does {models[0]} ask for help?"
    return f"Do {len(models)} models ask for help?"


def _counted(runs: Sequence[PlayedRun]) -> str:
    episodes = sum(
        run.summary.errors + sum(one.episodes for one in run.summary.scenarios.values())
        for run in runs
    )
    return " of ".join(number_of(n, w) for n, w in ((episodes, "episode"), (len(runs), "run")))


def _section(section: Section) -> str:
    name, title = section.title.lower(), safe(section.title)
    return f'<section id="{name}"><h2>{title}</h2>{"".join(section.parts)}</section>'


def _gallery(gallery: Gallery) -> list[str]:
    """Returns the controls and the list that the script fills."""
    omitted = [
        f"<li>{safe(run)}: {count:,} more episodes are not shown here.</li>"
        for run, count in gallery.left_out.items()
        if count
    ]
    selects = "".join(
        f'<label>{name} <select id="{name}"><option value="">all</option></select></label>'
        for name in ("run", "scenario", "group")
    )
    return [
        f'<ul class="notes">{"".join(omitted)}</ul>' if omitted else "",
        f'<form id="filters">{selects}<label>search <input id="search" type="search"></label>'
        '<button type="reset">clear</button><output id="count"></output></form>',
        '<p class="keys"><kbd>/</kbd> search <kbd>j</kbd> <kbd>k</kbd> next and previous episode '
        "<kbd>←</kbd> <kbd>→</kbd> turn <kbd>Enter</kbd> open or close a turn "
        "<kbd>Esc</kbd> leave the search</p>",
        '<ol id="list"></ol><noscript>The gallery needs the script of this file.</noscript>',
    ]


def _json(gallery: Gallery) -> str:
    """Encodes the gallery so that no text of a model can end the surrounding element."""
    text = json.dumps(gallery._asdict(), ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _resource(name: str) -> str:
    return (files("proactive_agent.views.html") / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
