"""`build`: makes scenarios from labelled pictures."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.progress import Progress as Bar
    from rich.table import Table

    from proactive_agent.scenarios.builder import BuildReport, BuildSettings

SHOWN_SKIPS = 20
"""Largest number of skipped items that are printed per scenario."""

_file = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command()
@click.argument("source", required=False, metavar="[SOURCE]", type=click.Path(path_type=Path))
@click.option(
    "--scenario",
    "scenarios",
    multiple=True,
    required=True,
    metavar="NAME[=SOURCE]",
    help="Scenario to build, optionally from its own source; repeat for several.",
)
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder to make, for `run --data DIR`.",
)
@click.option("--force", is_flag=True, help="Replace an earlier build in DIR, and nothing else.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option(
    "--variants",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="imagenet-c, coco, rod, vsod: samples of each picture.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    metavar="N",
    help="Build at most N items of each source, taken at even distances.",
)
@click.option(
    "--similar",
    type=_file,
    metavar="FILE",
    help="JSON {label: [similar labels, most similar first]} for the wrong categories. Default: "
    "random.",
)
@click.option("--question", metavar="TEXT", help="The question of every sample.")
@click.option(
    "--train-share",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.0,
    show_default=True,
    help="Share of the pictures (approximate) that become a train split (needs the extra build).",
)
@click.option("--occluder", type=_file, metavar="FILE", help="rod: PNG with transparency.")
@click.option("--passer", type=_file, metavar="FILE", help="vsod: PNG with transparency.")
@click.option(
    "--frames",
    type=click.IntRange(min=4),
    default=14,
    show_default=True,
    help="vsod, changeit: maximum of frames per video; longer videos are sampled evenly.",
)
@click.option(
    "--hardness",
    type=click.FloatRange(1, 8),
    default=1.0,
    show_default=True,
    help="imagenet-c: above 1, the worst frames are worse than those of ImageNet-C.",
)
@click.option(
    "--size",
    type=click.IntRange(min=64),
    default=640,
    show_default=True,
    help="Longest side of a frame in pixels.",
)
@click.option(
    "--quality",
    type=click.IntRange(0, 100),
    default=85,
    show_default=True,
    help="WebP quality.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    metavar="N",
    help="Number of processes. Default: one per core. The result does not depend on it.",
)
def build(*, source: Path | None, **options: Any) -> None:
    """Make scenarios in the official layout from labelled pictures.

    SOURCE is a folder `class_name/picture.jpg`, or a CSV or JSONL list with path, label and an
    optional box (x, y, width, height in pixels of the upright picture).

    \b
    imagenet-c, rod  pictures; rod hides the box, or without one the middle of the picture
    coco             pictures with boxes
    vsod             pictures, or videos as class_name/video_name/frame.jpg
    mvp-n            views as class_name/object_name/view.png; the informative one is the last,
                     or named in a list (path of the folder, label, informative)
    changeit         videos in a list (path of the folder, label, informative, optionally first)
    quickdraw        Quick, Draw! .ndjson (simplified), or .jsonl {"label", "strokes"}
    """
    from proactive_agent.scenarios.builder import Appearance, BuildSettings
    from proactive_agent.tools.cores import usable_cores

    look = Appearance(**{name: options.pop(name) for name in Appearance.__dataclass_fields__})
    workers = options.pop("workers") or usable_cores()
    settings = BuildSettings(
        sources=_sources(source, options.pop("scenarios")),
        look=look,
        workers=workers,
        **options,
    )
    _build(settings)


def _sources(common: Path | None, scenarios: tuple[str, ...]) -> dict[str, Path]:
    """Returns the source of each scenario. Raises UserError if one has none."""
    from proactive_agent.scenarios import find_scenario
    from proactive_agent.tools import UserError

    sources: dict[str, Path] = {}
    for part in (part for text in scenarios for part in text.split(",")):
        name, _, own = part.partition("=")
        source = Path(own) if own else common
        if source is None:
            raise UserError(f"no SOURCE for {name}: pass SOURCE, or --scenario {name}=SOURCE")
        sources[find_scenario(name).name] = source
    return sources


def _build(settings: "BuildSettings") -> None:
    import sys
    from contextlib import closing

    from proactive_agent.cli.ending import exit_code
    from proactive_agent.scenarios.builder import BuildReport, SkippedItem
    from proactive_agent.scenarios.builder import build as steps_of
    from proactive_agent.terminal.console import console, messages, safe

    reports: list[BuildReport] = []
    skipped: dict[str, int] = {}
    bar = _bar()
    try:
        with bar, closing(steps_of(settings)) as steps:
            task = bar.add_task("", total=None)
            for step in steps:
                if isinstance(step, SkippedItem):
                    skipped[step.scenario] = number = skipped.get(step.scenario, 0) + 1
                    if number <= SHOWN_SKIPS:
                        messages.print(
                            safe(f"{step.scenario}: left out: {step.why}"), soft_wrap=True
                        )
                elif isinstance(step, BuildReport):
                    reports.append(step)
                else:
                    bar.update(
                        task, description=step.scenario, completed=step.done, total=step.total
                    )
    except KeyboardInterrupt as error:
        messages.print("interrupted; nothing was written")
        sys.exit(exit_code(error))
    console.print(_table(reports))
    for remark in _remarks(reports, skipped, settings):
        console.print(safe(remark), soft_wrap=True)


def _remarks(
    reports: "Iterable[BuildReport]", skipped: dict[str, int], settings: "BuildSettings"
) -> "Iterable[str]":
    for report in reports:
        name = report.scenario
        if count := report.without_box:
            yield f"{name}: {count:,} items of the source have no box; their middle is hidden"
        if (more := skipped.get(name, 0) - SHOWN_SKIPS) > 0:
            yield f"{name}: {more:,} more were left out"
    yield f"play it: python -m proactive_agent run --data {settings.out}"


def _bar() -> "Bar":
    from rich.progress import MofNCompleteColumn

    from proactive_agent.cli.bar import plain_bar

    return plain_bar(MofNCompleteColumn())


def _table(reports: "Iterable[BuildReport]") -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("scenario")
    for name in ("items", "samples", "train rows", "left out"):
        table.add_column(name, justify="right")
    for scenario, counts, _ in reports:
        numbers = (counts.items, counts.samples, counts.train_rows, counts.skipped)
        table.add_row(scenario, *(f"{number:,}" for number in numbers))
    return table
