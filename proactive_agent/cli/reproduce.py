"""`reproduce`: makes the paper's tables and figures with new runs."""

from pathlib import Path

import click

from proactive_agent.cli.run_handles import asked_runs, results_folder, runs_argument
from proactive_agent.reports.targets import PLOTS, TARGETS

PLOT_FORMS = ("png", "svg")
TABLE_FORMS = ("table", "markdown", "latex", "csv", "json")
SUFFIXES = {".md": "markdown", ".tex": "latex", ".txt": "table"}
CAPTION = ".caption.txt"
"""Suffix of the file that holds the caption of a plot."""
OF_FORMAT = {form: suffix for suffix, form in SUFFIXES.items()}


class _Listing(click.Command):
    """A command whose help lists the targets."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Targets"):
            formatter.write_dl([(name, target.summary) for name, target in TARGETS.items()])


@click.command(cls=_Listing)
@click.argument("target", type=click.Choice(tuple(TARGETS)), metavar="TARGET")
@runs_argument
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="File to write; it gets the suffix of its format if it has none. Default: tables are "
    "printed, plots become TARGET.png and TARGET.svg. The caption of a plot is printed and written "
    "to FILE.caption.txt.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice((*TABLE_FORMS, *PLOT_FORMS)),
    help="Output format. Default: the suffix of FILE.",
)
@results_folder
def reproduce(
    target: str, runs: tuple[str, ...], output: Path | None, form: str | None, results: Path
) -> None:
    """Make a table or figure of the paper with your runs, next to the published results.

    RUN is `latest`, a number that `runs` lists, part of a run's name, or its folder. Several
    are found by a pattern, such as '*oracle*'. Runs that do not fit are left out. Figures show the
    same quantities as the paper's, in another layout.
    """
    from proactive_agent.disk.whole_files import write_whole
    from proactive_agent.reports.paper import reproduce as making
    from proactive_agent.reports.runs import read_runs
    from proactive_agent.terminal.console import console, messages, plain, safe

    files = _files(target, output, form)
    played = read_runs(asked_runs(runs, results))
    width = console.width if files.get("table", output) is None else making.LINE
    made = making.reproduce(target, played, list(files), width)
    for sentence in made.left_out:
        messages.print(plain(sentence), markup=False, soft_wrap=True)
    if None in files.values():
        click.echo(made.contents[form or "table"].decode(), nl=False)
        return
    for sentence in made.caption:
        console.print(safe(sentence), soft_wrap=True)
    contents = {file: made.contents[name] for name, file in files.items() if file}
    if made.caption:
        caption = next(iter(contents)).with_suffix(CAPTION)
        contents[caption] = "".join(f"{sentence}\n" for sentence in made.caption).encode()
    for file, content in contents.items():
        write_whole(file, content)
        messages.print(f"written: {plain(str(file))}", markup=False, soft_wrap=True)


def _files(target: str, output: Path | None, form: str | None) -> dict[str, Path | None]:
    """Returns the file of each format; None is standard output. Raises UserError."""
    from proactive_agent.tools import UserError

    own = PLOT_FORMS if target in PLOTS else TABLE_FORMS
    if form is None and output is not None and output.suffix:
        form = SUFFIXES.get(output.suffix, output.suffix.removeprefix("."))
    if form is not None and form not in own:
        raise UserError(f"{target} can be {', '.join(own)}, not {form}")
    if own == TABLE_FORMS and output is None:
        return {form or "table": None}
    forms = [form] if form else PLOT_FORMS if own == PLOT_FORMS else ["table"]
    output = output or Path(target)
    return {one: _with_suffix(output, one) for one in forms}


def _with_suffix(file: Path, form: str) -> Path:
    return file if file.suffix else file.with_suffix(OF_FORMAT.get(form, f".{form}"))
