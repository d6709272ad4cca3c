"""The model card of a training: `README.md` with its data, settings, results and curves."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

from proactive_agent.disk.regular_file import read_regular
from proactive_agent.disk.whole_files import write_whole
from proactive_agent.metrics import Summary
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.reports.data_notes import data_note
from proactive_agent.reports.published import NOTE, table
from proactive_agent.scenarios.registry import SCENARIOS
from proactive_agent.training.evaluation import AFTER, BEFORE, run_folders
from proactive_agent.training.folder import TrainingManifest, read_journal

WIDTH, HEIGHT, MARGIN = 640, 200, 40
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
CARD = "README.md"
CURVES = "curves.svg"


def write_card(out: Path, manifest: TrainingManifest) -> None:
    """Writes the card and its curves into the folder of the model."""
    drawn = draw_curves(read_journal(out), manifest.settings.method)
    if drawn:
        write_whole(out / CURVES, drawn)
    text = "\n".join(_card(out, manifest, curves_drawn=drawn is not None))
    write_whole(out / CARD, text + "\n")


def _card(out: Path, manifest: TrainingManifest, *, curves_drawn: bool) -> Iterator[str]:
    settings = manifest.settings
    name = _code(manifest.model.name)
    how = "GRPO" if settings.method == "grpo" else "supervised training on solved episodes"
    yield "---"
    if "/" in manifest.model.name:
        yield f"base_model: {manifest.model.name}"
    yield f"library_name: {'peft' if settings.tune == 'lora' else 'transformers'}"
    yield "pipeline_tag: image-text-to-text"
    yield "tags: [proactive-agent, proactivebench]"
    yield "---"
    yield ""
    yield f"# {manifest.model.name}, trained to ask for help"
    yield ""
    yield (
        f"{name} after {manifest.steps:,} steps of {how}, made with `proactive-agent train` so "
        "that it asks for a change of the scene if a picture is ambiguous, and answers if it is "
        "clear."
    )
    yield ""
    yield "```bash"
    options = f"--provider local:{out.name} --protocol {settings.protocol}"
    yield f"python -m proactive_agent run {options}"
    yield "```"
    yield from _data(manifest)
    yield from _results(out, manifest)
    if curves_drawn:
        yield ""
        yield "## Curves"
        yield ""
        yield f"![Reward and rates over the steps]({CURVES})"
    yield from _settings(manifest)


def _data(manifest: TrainingManifest) -> Iterator[str]:
    data = manifest.data
    yield ""
    yield "## Data"
    yield ""
    yield f"Train split {_code(Path(manifest.settings.data).name)}, frames:"
    yield ""
    yield "| scenario | ambiguous | clear | held out |"
    yield "| --- | ---: | ---: | ---: |"
    for scenario, frames in data.train.items():
        counts = data.held_out.get(scenario)
        held_out = counts.ambiguous + counts.clear if counts else 0
        yield f"| {scenario} | {frames.ambiguous:,} | {frames.clear:,} | {held_out:,} |"
    if data.leaks:
        yield ""
        yield f"{data.leaks:,} rows were left out because they show pictures of test samples."


def _results(out: Path, manifest: TrainingManifest) -> Iterator[str]:
    before, after = _summaries(out, BEFORE), _summaries(out, AFTER)
    if not before or not after:
        return
    settings = manifest.settings
    yield ""
    yield "## Before and after"
    yield ""
    data = settings.eval_data
    samples = "of the embedded suite" if data is None else f"of {_code(Path(data).name)}"
    yield (
        f"At most {settings.eval_limit} samples {samples} per scenario, protocol "
        f"`{settings.protocol}`: a small check, not a measurement. "
        "Asks: share of episodes whose first turn asks for help."
    )
    yield ""
    yield "| scenario | | acc % | psr | asks % | asks on clear frames % |"
    yield "| --- | --- | ---: | ---: | ---: | ---: |"
    for scenario in SCENARIOS:
        if scenario in before["zero-shot"].scenarios:
            part = "trained" if scenario in manifest.data.train else "unseen"
            cells = " | ".join(
                f"{_cell(before, scenario, *which)} → {_cell(after, scenario, *which)}"
                for which in _COLUMNS
            )
            yield f"| {scenario} | {part} | {cells} |"
    (first, *_) = run_folders(out, BEFORE)
    yield from _published(data_note(RunFolder(first).read_manifest()))


_COLUMNS = (("zero-shot", "acc"), ("zero-shot", "psr"), ("zero-shot", "asked_at_once"),
            ("clear", "asked_at_once"))  # fmt: skip


def _cell(runs: Mapping[str, Summary], scenario: str, condition: str, measure: str) -> str:
    summary = runs[condition].scenarios.get(scenario)
    value = getattr(summary, measure).value if summary else None
    if value is None:
        return "-"
    return f"{value:.1f}" if measure == "psr" else f"{100 * value:.0f}"


def _published(other_data: str | None) -> Iterator[str]:
    yield ""
    yield "Results of the paper (mean over the seven data sets):"
    yield ""
    yield "| model | reward of a suggestion | acc % | psr |"
    yield "| --- | --- | ---: | ---: |"
    for row in table("table3"):
        reward = row.config.removeprefix("rp=") if "=" in row.config else "not trained"
        acc, psr = 100 * row.printed["acc"], row.printed["psr"]
        yield f"| {row.model} | {reward} | {acc:.1f} | {psr:.1f} |"
    yield ""
    yield " ".join(filter(None, [NOTE, other_data]))


def _settings(manifest: TrainingManifest) -> Iterator[str]:
    yield ""
    yield "## Settings"
    yield ""
    yield "`train.json` holds all settings, library versions and hashes."
    yield ""
    yield "| setting | value |"
    yield "| --- | --- |"
    for name, value in manifest.settings.model_dump(exclude_none=True).items():
        if name not in ("data", "eval_data", "model") and value != ():
            shown = ", ".join(map(str, value)) if isinstance(value, tuple) else value
            yield f"| {name} | {_code(str(shown))} |"


def _summaries(out: Path, label: str) -> dict[str, Summary]:
    """Returns the summaries by condition; empty if one is missing."""
    found = {}
    for folder in run_folders(out, label):
        file = folder / "summary.json"
        if not file.is_file():
            return {}
        condition = folder.name.removeprefix(f"{label}-")
        found[condition] = Summary.model_validate_json(read_regular(file))
    return found


def _code(text: str) -> str:
    return "`" + text.replace("`", "'").replace("|", "/").replace("\n", " ") + "`"


class Panel(NamedTuple):
    """One chart: its title, and the labels of its lines by their names in the journal."""

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


def draw_curves(journal: Sequence[Mapping[str, Any]], phase: str) -> str | None:
    """Draws the charts of a phase, one below the other, as SVG; None if there is no data."""
    lines = [line for line in journal if line["phase"] == phase]
    charts: list[str] = []
    for panel in PANELS:
        if panel.title == "loss" and charts:
            break  # The loss of GRPO is not informative.
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
