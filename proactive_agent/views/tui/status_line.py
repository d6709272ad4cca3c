"""The line above the list: the run, the number of episodes and the order."""

from rich.text import Text
from textual.widgets import Static

from proactive_agent.reports.run_names import name_runs
from proactive_agent.reports.runs import DataKind, data_kind, data_label
from proactive_agent.terminal.console import safe
from proactive_agent.views.selection import Order
from proactive_agent.views.text.listing import title_of
from proactive_agent.views.tui.loaded_run import LoadedRun


class StatusLine(Static):
    """Describes the list."""

    DEFAULT_CSS = """
    StatusLine { height: 1; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def __init__(self) -> None:
        super().__init__("", markup=False)

    def show(self, run: LoadedRun, other: LoadedRun | None, listed: int, order: Order) -> None:
        """`other` is the run compared with; `listed` is the number of episodes in the list."""
        manifest = run.manifest
        title = title_of(manifest)
        if other:
            title = " | ".join(name_runs([manifest, other.manifest]))
        loading = "" if run.complete else " …"
        loaded = len(run.by_key)
        counted = f"{listed:,} of {loaded:,}" if listed != loaded else f"{loaded:,}"
        text = Text.assemble(
            safe(title, "bold"), "  ", f"{counted} episodes{loading}", "  ", f"by {order}"
        )
        if manifest.status != "finished":
            text.append(f"  {manifest.status}", "bold")
        if data_kind(manifest) is not DataKind.OFFICIAL:
            text.append("  ").append_text(safe(data_label(manifest), "dim"))
        self.update(text)
