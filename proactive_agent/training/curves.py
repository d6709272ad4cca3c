"""Curves of a training as a picture in SVG, for its card."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

WIDTH, HEIGHT, MARGIN = 640, 200, 40
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")


class Panel(NamedTuple):
    """One chart: a title, and the entries of the journal that it shows, by their names in it."""

    title: str
    lines: Mapping[str, str]


PANELS = (
    Panel("reward", {"reward": "reward", "eval_reward": "held out"}),
    Panel(
        "share of replies",
        {
            "ask_rate/ambiguous": "asks, ambiguous frames",
            "ask_rate/clear": "asks, clear frames",
            "accuracy/clear": "right, clear frames",
            "invalid_rate": "not readable",
        },
    ),
    Panel("loss", {"loss": "loss", "eval_loss": "held out"}),
)

Point = tuple[float, float]


def curves(journal: Sequence[Mapping[str, Any]], phase: str) -> str | None:
    """The charts of a phase below each other; None where there is nothing to draw."""
    lines = [line for line in journal if line["phase"] == phase]
    charts: list[str] = []
    for panel in PANELS:
        if panel.title == "loss" and charts:
            break  # the loss of GRPO says nothing
        series = {shown: _points(lines, name) for name, shown in panel.lines.items()}
        if series := {shown: points for shown, points in series.items() if len(points) > 1}:
            charts.append(_chart(panel.title, series, len(charts) * HEIGHT))
    if not charts:
        return None
    size = f'width="{WIDTH}" height="{HEIGHT * len(charts)}"'
    style = 'font-family="sans-serif" font-size="11" fill="#333"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>\n{"".join(charts)}</svg>\n'


def _points(lines: Sequence[Mapping[str, Any]], name: str) -> list[Point]:
    return [(line["step"], line[name]) for line in lines if line.get(name) is not None]


def _chart(title: str, series: Mapping[str, Sequence[Point]], top: int) -> str:
    every = [point for points in series.values() for point in points]
    first, last = min(x for x, _ in every), max(x for x, _ in every)
    low, high = min(0.0, *(y for _, y in every)), max(1.0, *(y for _, y in every))

    def place(point: Point) -> str:
        across = (point[0] - first) / ((last - first) or 1)
        up = (point[1] - low) / (high - low)
        x = MARGIN + across * (WIDTH - 2 * MARGIN)
        y = top + HEIGHT - MARGIN - up * (HEIGHT - 2 * MARGIN)
        return f"{x:.1f},{y:.1f}"

    bottom, left, right = top + HEIGHT - MARGIN, MARGIN, WIDTH - MARGIN
    parts = [
        f'<text x="{left}" y="{top + 16}" font-weight="bold">{escape(title)}</text>',
        f'<path d="M{left} {top + MARGIN}V{bottom}H{right}" fill="none" stroke="#999"/>',
        f'<text x="{left - 4}" y="{top + MARGIN + 4}" text-anchor="end">{high:g}</text>',
        f'<text x="{left - 4}" y="{bottom + 4}" text-anchor="end">{low:g}</text>',
        f'<text x="{right}" y="{bottom + 14}" text-anchor="end">step {last:g}</text>',
    ]
    for index, (name, points) in enumerate(series.items()):
        colour = COLOURS[index]
        drawn = " ".join(map(place, points))
        parts.append(f'<polyline points="{drawn}" fill="none" stroke="{colour}"/>')
        x = left + 120 + 130 * index
        parts.append(f'<text x="{x}" y="{top + 16}" fill="{colour}">{escape(name)}</text>')
    return "\n".join(parts) + "\n"
