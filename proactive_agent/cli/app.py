"""The commands of the program and its exit codes.

- 0: success
- 1: faults were found, episodes met errors, or a run ended early
- 2: wrong input, or a file that cannot be written
- 130: interrupted by Ctrl-C; 143 by SIGTERM, 129 by SIGHUP

This module imports click only. Each command imports its libraries when it is called.
"""

import io
import os
import re
import sys
from typing import Any

import click

from proactive_agent.cli.build import build
from proactive_agent.cli.compare import compare
from proactive_agent.cli.data import data
from proactive_agent.cli.export import export
from proactive_agent.cli.judge import judge
from proactive_agent.cli.models import models
from proactive_agent.cli.providers import providers
from proactive_agent.cli.report import report
from proactive_agent.cli.reproduce import reproduce
from proactive_agent.cli.run import run
from proactive_agent.cli.runs import runs
from proactive_agent.cli.serve import serve
from proactive_agent.cli.trace import trace
from proactive_agent.cli.train import train
from proactive_agent.cli.why import why

_LONG_WORD = re.compile(r"(\S{100})\S{200,}(\S{100})")
"""A path that would fill the terminal. Its middle is left out."""


class _Program(click.Group):
    """Ends with the exit code of an error. Prints a UserError in one line."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        from proactive_agent.tools.suggestions import known_names

        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            ctx.fail(f"unknown command {name!r}; {known_names(name, self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        from proactive_agent.cli.ending import EndedBySignal, exit_code, signals_as_interrupts
        from proactive_agent.tools.errors import UserError

        _escape_unencodable()
        try:
            with signals_as_interrupts():
                return super().invoke(ctx)
        except EndedBySignal as error:
            sys.exit(exit_code(error))
        except UserError as error:
            _refuse(str(error))
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            sys.exit(130)
        except BrokenPipeError:
            # The reader of the output (`| head`) has closed it. Without this, Python prints an
            # error when it flushes at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)
        except OSError as error:
            # Most commands name the option or the field as well; this is for all other paths.
            from proactive_agent.disk.os_errors import correctable

            if (problem := correctable(error)) is None:
                raise
            _refuse(problem)


def _escape_unencodable() -> None:
    """Prints characters that the output cannot encode as escapes, for example those of file names.

    Python does so for standard error only, and ends with a traceback for standard output.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")


def _refuse(problem: str) -> None:
    """Prints a problem in one line and ends with exit code 2."""
    from proactive_agent.terminal.console import plain
    from proactive_agent.tools.secrets import redacted

    text = _LONG_WORD.sub(r"\1…\2", plain(redacted(problem)))
    click.echo(f"error: {text}", err=True)
    sys.exit(2)


@click.group(cls=_Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="proactive-agent", prog_name="proactive-agent")
def cli() -> None:
    """Does a multimodal model ask for help when it should?

    `run` plays scenarios with a model, and `runs` lists what was played. `compare`, `why`, `trace`
    and `report` show the results.
    `data` downloads and checks the official data. `train` trains a model to ask for help.
    `providers` lists the providers that are installed, and `models` the short names of models.

    Completion for bash, of scenarios, conditions, baselines and runs too; for zsh or fish, write
    zsh_source or fish_source:

    \b
        eval "$(_PROACTIVE_AGENT_COMPLETE=bash_source proactive-agent)"
    """


COMMANDS = (
    run, runs, judge, compare, reproduce, report, trace, why, export, data, build, providers,
    models, serve, train,
)  # fmt: skip
for command in COMMANDS:
    cli.add_command(command)
