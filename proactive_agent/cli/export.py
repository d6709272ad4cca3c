"""`export`: writes a run in the formats of other programs."""

from pathlib import Path

import click

from proactive_agent.cli.run_handles import asked_run, results_folder, run_argument

FORMATS = ("csv", "parquet", "inspect", "hf", "otel")


@click.command()
@run_argument
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    required=True,
    help="csv, parquet: tables of episodes and turns. inspect: a log for `inspect view`. "
    "hf: a folder to upload to the Hub. otel: OpenTelemetry spans.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="File or folder to write; a file gets the suffix of its format. Default: in the run's "
    "folder.",
)
@click.option(
    "--otlp",
    metavar="URL",
    help="otel: send the spans to this OTLP endpoint instead, e.g. http://localhost:4318.",
)
@results_folder
def export(
    run: str | None, form: str, output: Path | None, otlp: str | None, results: Path
) -> None:
    """Write a run as tables, an Inspect log, a data set or spans.

    RUN is `latest`, a number that `runs` lists, part of a run's name, or its folder.
    """
    from proactive_agent.disk.whole_files import not_written
    from proactive_agent.exports.hub_folder import write_hub_folder
    from proactive_agent.exports.inspect_log import write_inspect_log
    from proactive_agent.exports.spans import send_spans, write_spans
    from proactive_agent.exports.tables import write_csv_tables, write_parquet_tables
    from proactive_agent.terminal.console import messages
    from proactive_agent.tools import UserError

    folder = asked_run(run, results)
    if otlp is not None:
        if form != "otel" or output is not None:
            raise UserError(
                "--otlp needs --format otel and no --output: the spans are sent, not written"
            )
        messages.print(f"sent {send_spans(folder, otlp):,} spans", markup=False)
        return
    write, name = {
        "csv": (write_csv_tables, "tables"),
        "parquet": (write_parquet_tables, "tables"),
        "inspect": (write_inspect_log, "inspect.eval"),
        "hf": (write_hub_folder, "hub"),
        "otel": (write_spans, "spans.jsonl"),
    }[form]
    output = output or folder.path / name
    if not output.suffix:  # The names of folders have none.
        output = output.with_suffix(Path(name).suffix)
    try:
        files = write(folder, output)
    except OSError as error:
        raise not_written(output, error) from error
    for file in files:
        messages.print(f"wrote {file}", markup=False, soft_wrap=True)
