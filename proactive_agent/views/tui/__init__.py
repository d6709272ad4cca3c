"""The terminal interface of `trace`: the list of episodes, and one of them in detail.

It needs the extra `view`. All text that a model wrote goes through `terminal.console.safe`.
"""

from pathlib import Path

from proactive_agent.records.run_folder import RunFolder
from proactive_agent.tools import MissingExtraError, UserError
from proactive_agent.views.selection import Order, Selection


def pick_run(results: Path) -> RunFolder | None:
    """Lets the user pick a run, and returns it, or None. Raises UserError if there is none."""
    try:
        from proactive_agent.views.tui.run_picker import RunPicker
        from proactive_agent.views.tui.screens import runs_in
    except ImportError:
        raise MissingExtraError("view", "the list of runs") from None
    if not (runs := runs_in(results)):
        raise UserError(f"{results} holds no runs; `run` plays one")
    return RunPicker(runs).run()


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
    """Opens the browser and returns when the user leaves it.

    `second` is a run to compare with; `data` overrides the recorded data folder. Raises UserError.
    """
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
