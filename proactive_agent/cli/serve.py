"""`serve`: lets an MCP client, such as a desktop program, play episodes."""

import os
import stat
import sys
from pathlib import Path
from typing import Any

import click

from proactive_agent.cli.run_options import options_of


@click.command(params=[*options_of("scenarios", "data", "seed", "forgiving")])
@click.option(
    "--limit", type=click.IntRange(min=1), metavar="N",
    help="Play the first N samples of each scenario.",
)  # fmt: skip
@click.option(
    "--condition", default="zero-shot", show_default=True, metavar="NAME",
    help="Condition of the episodes; a+b combines two.",
)  # fmt: skip
@click.option("--http", is_flag=True, help="Serve a URL on the loopback interface instead.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    show_default=True,
    metavar="N",
    help="Port for --http; 0 takes a free one.",
)
@click.option(
    "--out", "results", type=click.Path(path_type=Path), default=Path("results"),
    show_default=True, metavar="DIR", help="Folder in which the run's own folder is created.",
)  # fmt: skip
def serve(
    scenarios: tuple[str, ...],
    data: Path | None,
    condition: str,
    http: bool,
    port: int,
    results: Path,
    **settings: Any,
) -> None:
    """Let an MCP client, such as a desktop program, play episodes.

    Speaks MCP on the standard input and output. Every episode is recorded in a run, which is marked
    as unranked. Needs the extra `mcp`.
    """
    from proactive_agent.cli.ending import exit_code, run_async
    from proactive_agent.runs.demonstration import SPEC
    from proactive_agent.runs.demonstration import serve as serve_episodes
    from proactive_agent.runs.keyword_settings import settings_of
    from proactive_agent.terminal.console import messages, safe
    from proactive_agent.tools import MissingExtraError, UserError

    if port and not http:
        raise UserError("--port needs --http; otherwise it changes nothing")
    try:
        import mcp  # noqa: F401
    except ModuleNotFoundError:
        raise MissingExtraError("mcp", "serve") from None
    if not http:
        _check_input()
    given = {name: value for name, value in settings.items() if value not in (None, False, 0)}
    chosen = settings_of(SPEC, scenarios, "tools", condition, data, given)

    def say(url: str) -> None:
        messages.print(safe(f"serving {url}"), soft_wrap=True)

    try:
        played = run_async(
            serve_episodes(chosen, results, port=port if http else None, on_address=say)
        )
    except KeyboardInterrupt as error:
        where = f"episodes were recorded in {results}; `runs` lists the runs"
        messages.print(safe(where), soft_wrap=True)
        sys.exit(exit_code(error))
    if played is not None:
        messages.print(safe(f"records: {played.folder.path}"), soft_wrap=True)


def _check_input() -> None:
    """Raises UserError if no client can be connected to the standard input."""
    from proactive_agent.terminal.console import messages
    from proactive_agent.tools import UserError

    if sys.stdin is not None and sys.stdin.isatty():
        messages.print(
            "waiting for the messages of an MCP client on the standard input; Ctrl-C ends the "
            "server, and --http serves a URL instead",
            markup=False, soft_wrap=True,
        )  # fmt: skip
        return
    mode = os.fstat(sys.stdin.fileno()).st_mode if sys.stdin is not None else 0
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        raise UserError(
            "the standard input is not connected to an MCP client; let a client start "
            "`proactive-agent serve`, or use --http"
        )
