"""A run in the terminal, interactively: its episodes on the left, one of them on the right.

Needs the extra `view`.  What a model wrote reaches the screen as `terminal.safe` text only.
"""

from pathlib import Path

from proactive_agent.records.run_folder import RunFolder
from proactive_agent.tools import MissingExtraError
from proactive_agent.views.selection import Order, Selection


def browse(
    folder: RunFolder,
    selection: Selection,
    *,
    second: RunFolder | None = None,
    order: Order = "sample",
    follow: bool = False,
    data: Path | None = None,
    results: Path = Path("results"),
) -> None:
    """Opens the browser and returns when it is left.  Raises UserError."""
    try:
        from proactive_agent.views.tui.app import TraceBrowser
    except ImportError:
        raise MissingExtraError("view", "the browser") from None
    app = TraceBrowser(
        folder, selection, second=second, order=order, follow=follow, data=data, results=results
    )
    app.run()
    if app.fault is not None:
        raise app.fault
