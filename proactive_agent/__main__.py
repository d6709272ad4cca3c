"""`python -m proactive_agent`, and the script `proactive-agent`."""

from proactive_agent.cli.app import cli


def main() -> None:
    """Runs the command line."""
    cli(prog_name="proactive-agent")


if __name__ == "__main__":
    main()
