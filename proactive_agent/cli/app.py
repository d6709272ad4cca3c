"""The commands of the program and its exit codes.

- 0: success
- 1: faults were found, episodes met errors, or a run ended early
- 2: wrong input, or a file that cannot be written
- 130: interrupted by Ctrl-C; 143 by SIGTERM, 129 by SIGHUP

This module imports click only.  Each command imports its libraries when it is called.
"""

import os
import sys
from typing import Any

import click

from proactive_agent.cli.build import build
from proactive_agent.cli.compare import compare
from proactive_agent.cli.data import data
from proactive_agent.cli.export import export
from proactive_agent.cli.judge import judge
from proactive_agent.cli.providers import providers
from proactive_agent.cli.report import report
from proactive_agent.cli.reproduce import reproduce
from proactive_agent.cli.run import run
from proactive_agent.cli.trace import trace
from proactive_agent.cli.train import train
from proactive_agent.cli.why import why


class _Program(click.Group):
    """Ends with the exit code of an error.  Prints a UserError in one line."""

    def invoke(self, ctx: click.Context) -> Any:
        from proactive_agent.cli.ending import EndedBySignal, exit_code, signals_as_interrupts
        from proactive_agent.tools.errors import UserError

        try:
            with signals_as_interrupts():
                return super().invoke(ctx)
        except EndedBySignal as error:
            sys.exit(exit_code(error))
        except UserError as error:
            from proactive_agent.terminal.console import plain
            from proactive_agent.tools.secrets import redacted

            click.echo(f"error: {plain(redacted(str(error)))}", err=True)
            sys.exit(2)
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            sys.exit(130)
        except BrokenPipeError:
            # The reader of the output (`| head`) has closed it.  Without this, Python prints an
            # error when it flushes at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)
        except OSError as error:
            # Errors of writing that no command has foreseen, such as `compare … > FILE`.
            from proactive_agent.disk.whole_files import is_full

            if not is_full(error):
                raise
            click.echo(f"error: {error.filename or 'the output'}: {error.strerror}", err=True)
            sys.exit(2)


@click.group(cls=_Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="proactive-agent", prog_name="proactive-agent")
def cli() -> None:
    """Does a multimodal model ask for help when it should?

    `run` plays scenarios with a model. `compare`, `why`, `trace` and `report` show the results.
    `data` downloads and checks the official data. `train` trains a model to ask for help.
    `providers` lists the providers that are installed.
    """


COMMANDS = (
    run, judge, compare, reproduce, report, trace, why, export, data, build, providers, train,
)  # fmt: skip
for command in COMMANDS:
    cli.add_command(command)
