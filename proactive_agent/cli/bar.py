"""A plain progress bar for commands that process samples or bytes."""

from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn

from proactive_agent.terminal.console import messages


def plain_bar(amount: ProgressColumn) -> Progress:
    """Makes a bar with a description and the amount done. It is hidden if there is no terminal."""
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        amount,
        TimeRemainingColumn(),
        console=messages,
        transient=True,
        disable=not messages.is_terminal,
    )
