"""`data`: downloads the official data, checks a data folder and filters it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import click

from proactive_agent.cli.run_handles import asked_runs, results_folder, runs_argument

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.table import Table

    from proactive_agent.scenarios.download import DownloadProgress
    from proactive_agent.scenarios.verify import Fault, VerifyReport

SHOWN_FAULTS = 20
"""Largest number of faults that are printed per scenario."""

_directory = click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
_wheel = click.option(
    "--wheel",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The wheel proactivebench 0.1.1. Default: from the package index.",
)
_scenarios = click.option(
    "--scenario",
    "scenarios",
    multiple=True,
    metavar="NAME",
    help="Only this scenario; repeat for several.",
)


@click.group()
def data() -> None:
    """Download, generate, check, filter or show data."""


@data.command()
@_directory
@_wheel
def protocol(directory: Path, wheel: Path | None) -> None:
    """Write DIR/protocol.json: the authors' wording and filter.

    They are read from the authors' package as text. No code of the package is run.
    """
    from proactive_agent.scenarios.protocol_pack import write_pack
    from proactive_agent.terminal.console import console, safe

    console.print(safe(f"written: {write_pack(directory, wheel)}"), soft_wrap=True)


@data.command("filter")
@runs_argument
@click.option(
    "--share",
    type=click.FloatRange(0, 100, min_open=True),
    default=25,
    show_default=True,
    metavar="PERCENT",
    help="Drop a sample if at least this share of the models is right in the first turn.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="File to write. Default: filter.json in the data folder of the runs.",
)
@results_folder
def filter_samples(runs: tuple[str, ...], share: float, output: Path | None, results: Path) -> None:
    """Drop the samples that many models answer rightly in the first turn, as the paper does.

    RUN... are zero-shot runs of several models on all samples. The result is a filter.json. Runs on
    the folder that holds it play the samples that stay; --condition unfiltered plays all.
    """
    from fractions import Fraction

    from proactive_agent.disk.whole_files import write_whole
    from proactive_agent.reports.first_turns import first_turns
    from proactive_agent.reports.runs import read_runs
    from proactive_agent.scenarios.open_data import open_data
    from proactive_agent.scenarios.sample_filter import FILTER_FILE
    from proactive_agent.terminal.console import console, safe
    from proactive_agent.tools import UserError

    played = read_runs(asked_runs(runs, results))
    turns = first_turns(played)
    found = turns.kept(Fraction(str(share)) / 100)
    if output is None:
        used = played[0].manifest.settings.data
        if used is None:
            raise UserError("the runs are of the embedded suite: pass the file with --output FILE")
        data = open_data(used)
        if data.generated:
            raise UserError(
                "the runs are of generated scenes, which cannot hold a filter: write them to a "
                "folder first, with `data fresh`"
            )
        output = data.root / FILTER_FILE
    write_whole(output, found.as_json())
    needed = turns.needed(Fraction(str(share)) / 100)
    console.print(
        f"dropped if at least {needed} of {len(turns.models)} models are right in the first turn:"
    )
    for scenario, counts in turns.right.items():
        kept = len(found.filter[scenario])
        console.print(safe(f"{scenario}: {kept:,} of {len(counts):,} samples stay"))
    console.print(safe(f"written: {output}"), soft_wrap=True)


@data.command()
@_directory
@_scenarios
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=8,
    show_default=True,
    metavar="N",
    help="Pictures read at the same time.",
)
def verify(directory: Path, scenarios: tuple[str, ...], workers: int) -> None:
    """Check that DIR holds valid samples and all their pictures.

    Decodes every picture that a sample can show. With a protocol pack, a number of samples that
    differs from the release's is a fault. Exits with 1 if there are faults.
    """
    from proactive_agent.scenarios.open_data import open_data
    from proactive_agent.scenarios.verify import Fault, VerifyReport
    from proactive_agent.scenarios.verify import verify as checks
    from proactive_agent.terminal.console import console, safe

    reports: list[VerifyReport] = []
    faults: list[Fault] = []
    with _bar() as bar:
        task = bar.add_task("", total=None)
        for event in checks(directory, _names(scenarios), workers=workers):
            if isinstance(event, VerifyReport):
                # Results go to standard output; a bar on standard error would break their lines.
                bar.stop()
                for line in _fault_lines(event, faults):
                    console.print(safe(line), soft_wrap=True)
                bar.start()
                reports.append(event)
                faults.clear()
            elif isinstance(event, Fault):
                if len(faults) < SHOWN_FAULTS:
                    faults.append(event)
            else:
                bar.update(
                    task, description=event.scenario, completed=event.done, total=event.total
                )
    console.print(_table(reports, with_published=not open_data(directory).built))
    if any(report.faults for report in reports):
        click.get_current_context().exit(1)


@data.command()
@_directory
@_scenarios
@_wheel
@click.option("--keep-archives", is_flag=True, help="Keep archives after they are unpacked.")
def download(
    directory: Path, scenarios: tuple[str, ...], wheel: Path | None, keep_archives: bool
) -> None:
    """Download the official data (about 150 GB in all) from the Hugging Face Hub into DIR.

    After an interruption, repeat the command to continue.
    """
    from proactive_agent.scenarios import hub
    from proactive_agent.scenarios.download import download as steps_of
    from proactive_agent.terminal.console import console, safe

    steps = steps_of(
        directory,
        hub.HuggingFace(),
        scenarios=_names(scenarios),
        wheel=wheel,
        keep_archives=keep_archives,
    )
    _show_steps(steps)
    console.print(safe(f"the data are in {directory}"), soft_wrap=True)


@data.command()
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--seed", type=click.IntRange(min=0), required=True, metavar="N", help="Seed of the scenes."
)
@click.option(
    "--per-scenario",
    type=click.IntRange(min=1),
    default=200,
    show_default=True,
    metavar="N",
    help="Samples per scenario, including those of the train split.",
)
@click.option(
    "--difficulty",
    type=click.Choice(["easy", "normal", "hard"]),
    default="normal",
    show_default=True,
    help="Sets the number of steps, the similarity of the categories, and the distractors.",
)
@click.option(
    "--size",
    type=click.IntRange(96, 1024),
    default=448,
    show_default=True,
    metavar="PIXELS",
    help="Width and height of the frames.",
)
@click.option(
    "--train-share",
    type=click.FloatRange(0, 1),
    default=0,
    show_default=True,
    metavar="SHARE",
    help="Share of the samples for a train split (DIR/data), which has no held-out things.",
)
@_scenarios
def fresh(
    directory: Path,
    seed: int,
    per_scenario: int,
    difficulty: str,
    size: int,
    train_share: float,
    scenarios: tuple[str, ...],
) -> None:
    """Write generated scenes to DIR, in the official layout.

    The same seed gives the same scenes as `run --data fresh:SEED`, which needs no folder.
    """
    from proactive_agent.scenarios.fresh.source import parse_source
    from proactive_agent.scenarios.fresh.written import WriteProgress, WriteSettings, write
    from proactive_agent.terminal.console import console, safe

    source = parse_source(f"fresh:{seed}:{difficulty}:n={per_scenario}:px={size}")
    settings = WriteSettings(source, directory, train_share=train_share)
    if names := _names(scenarios):
        settings = replace(settings, scenarios=tuple(names))
    if train_share:
        _need_shards()
    with _bar() as bar:
        task = bar.add_task("", total=None)
        for event in write(settings):
            if isinstance(event, WriteProgress):
                bar.update(
                    task, description=event.scenario, completed=event.done, total=event.total
                )
                continue
            bar.stop()
            rows = f", {event.rows:,} rows for training" if train_share else ""
            console.print(f"{event.scenario}: {event.samples:,} samples{rows}")
            bar.start()
    console.print(safe(f"written: {directory}"), soft_wrap=True)
    console.print(
        safe(f"play it: python -m proactive_agent run --data {directory}"), soft_wrap=True
    )


def _need_shards() -> None:
    from importlib.util import find_spec

    from proactive_agent.tools import MissingExtraError

    if find_spec("datasets") is None:
        raise MissingExtraError("build", "the train split")


@data.command()
@click.argument("directory", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@click.option(
    "--scenario", metavar="NAME", help="Show the first and the reference frame of each sample."
)
@click.option("--sample", metavar="SCENARIO:ID", help="Show every frame of one sample.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=60,
    show_default=True,
    metavar="N",
    help="Show at most N samples.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="File to write. Default: named after the data and the scenario or sample.",
)
def show(
    directory: Path | None,
    scenario: str | None,
    sample: str | None,
    limit: int,
    output: Path | None,
) -> None:
    """Write a contact sheet (PNG) of a scenario or of a sample's frames.

    Takes the embedded suite, the data in DIR, or generated scenes (fresh:SEED). The first frame has
    a red rim, the reference frame a green rim. A terminal that supports pictures also shows the
    sheet (extra `view`).
    """
    from proactive_agent.disk.whole_files import written_aside
    from proactive_agent.scenarios.contact_sheet import contact_sheet, sample_tiles, scenario_tiles
    from proactive_agent.scenarios.open_data import open_data
    from proactive_agent.scenarios.registry import find_scenario, split_sample
    from proactive_agent.terminal.console import console, safe, show_picture
    from proactive_agent.tools import UserError

    folder = open_data(directory, unfiltered=True)
    if (scenario is None) == (sample is None):
        raise UserError("nothing to show: pass either --scenario NAME or --sample SCENARIO:ID")
    if sample is not None:
        name, sample_id = split_sample(sample)
        found = folder.find(name, sample_id)
        tiles = sample_tiles(folder, name, found)
        columns = min(len(tiles), 7)
    else:
        name, sample_id = find_scenario(scenario or "").name, "all"
        tiles = list(scenario_tiles(folder, name, limit))
        columns = 6
    if not tiles:
        raise UserError(f"{folder.file(name)} holds no sample")
    sheet = contact_sheet(folder, tiles, columns)
    words = [directory.name[:100] if directory else "", name, sample_id[:100]]
    # The id is any text of the data file.
    named = "".join(c if c.isalnum() or c in "-._" else "-" for c in "-".join(filter(None, words)))
    target = output or Path(f"{named}.png")
    done = "replaced" if target.is_file() else "written"
    with written_aside(target) as partial:
        sheet.save(partial, "PNG")
    show_picture(sheet)
    console.print(safe(f"{done}: {target}"), soft_wrap=True)


def _names(scenarios: tuple[str, ...]) -> list[str] | None:
    """Returns the short names of the scenarios, or None for all."""
    from proactive_agent.scenarios.registry import find_scenarios

    return find_scenarios(scenarios) or None


def _show_steps(steps: "Iterable[DownloadProgress]") -> None:
    """Shows a bar for each file while it is fetched or unpacked, then prints a line."""
    from rich.filesize import decimal

    from proactive_agent.terminal.console import messages, plain, safe

    done = {"fetch": "fetched", "unpack": "unpacked", "skip": "is there already"}
    for (kind, path), group in groupby(steps, key=lambda step: (step.step, step.path)):
        with _bar() as bar:
            task = bar.add_task(plain(f"{kind} {path}"))
            for step in group:
                bar.update(task, completed=step.done, total=step.total)
        messages.print(safe(f"{path}: {done[kind]} ({decimal(step.total)})"), soft_wrap=True)


def _bar() -> "Bar":
    from rich.progress import TaskProgressColumn

    from proactive_agent.cli.bar import plain_bar

    return plain_bar(TaskProgressColumn())


def _fault_lines(report: "VerifyReport", faults: "list[Fault]") -> "Iterator[str]":
    for fault in faults:
        where = "" if fault.sample is None else f", sample {fault.sample!r}"
        yield f"{fault.scenario}{where}: {fault.problem}"
    if more := report.faults - len(faults):
        yield f"{report.scenario}: {more} more faults"


def _table(reports: "Sequence[VerifyReport]", *, with_published: bool) -> "Table":
    """Makes the table of `verify`. `with_published` adds the counts of the release."""
    from rich import box
    from rich.table import Table

    with_kept = with_published or any(report.kept is not None for report in reports)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("scenario")
    published = ["published"] if with_published else []
    kept = ["kept", *published] if with_kept else []
    for name in ("samples", *published, *kept, "pictures", "faults"):
        table.add_column(name, justify="right")
    for report in reports:
        raw, filtered = ([f"{n:,}"] if with_published else [] for n in report.published)
        table.add_row(
            report.scenario,
            _count(report.samples),
            *raw,
            *([_count(report.kept), *filtered] if with_kept else []),
            f"{report.pictures:,}",
            f"{report.faults:,}",
            style="red" if report.faults else "",
        )
    return table


def _count(number: int | None) -> str:
    return "-" if number is None else f"{number:,}"
