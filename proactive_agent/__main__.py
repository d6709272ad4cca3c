"""`python -m proactive_agent`, and the script `proactive-agent`."""

import sys


def main() -> None:
    """Runs the command line."""
    try:
        from proactive_agent.cli.app import cli
    except KeyboardInterrupt:  # Ctrl-C while the modules are loaded
        sys.exit(130)
    cli(prog_name="proactive-agent")


if __name__ == "__main__":
    main()
