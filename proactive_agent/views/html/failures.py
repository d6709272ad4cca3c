"""The table of a run's failure groups. Its links filter the gallery."""

from proactive_agent.reports.failure_tables import NONE, Failures, GroupSummary
from proactive_agent.reports.tables import percent
from proactive_agent.scenarios import SCENARIOS
from proactive_agent.views.html.tables import head_row, safe, wide

RIGHT = "right"
"""The gallery's name for the group of episodes that did not fail."""


def failures_table(name: str, failures: Failures, *, linked: bool) -> str:
    """Returns a row per group, the largest first. `linked`: there is a gallery to filter."""
    row = _FailureRow(name, failures, linked)
    succeeded = failures.episodes - failures.failed
    rows = [row.of(RIGHT, "", succeeded, {n: s.share for n, s in failures.right.items()}, "good")]
    rows += [row.of_group(group) for group in failures.groups]
    heads = ("", "episodes", "", *(f"{_short(name)} %" for name in failures.right))
    return wide(
        f'<table class="failures"><caption>{safe(name)}</caption>{head_row(heads)}'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


class _FailureRow:
    def __init__(self, run: str, failures: Failures, linked: bool) -> None:
        self.run = run
        self.episodes = failures.episodes
        self.scenarios = list(failures.right)
        self.linked = linked

    def of_group(self, group: GroupSummary) -> str:
        shares = {name: share.share for name, share in group.scenarios.items()}
        return self.of(group.title, group.meaning, group.episodes, shares, "bad")

    def of(self, title: str, meaning: str, count: int, shares: dict[str, float], kind: str) -> str:
        part = count / self.episodes if self.episodes else 0.0
        # A drawing, because the page's policy forbids style attributes.
        bar = (
            f'<svg class="bar {kind}" viewBox="0 0 100 10" preserveAspectRatio="none" '
            f'aria-hidden="true"><rect width="{100 * part:.1f}" height="10"/></svg>'
        )
        cells = "".join(
            f'<td data-column="{safe(_short(name))} %">{self._cell(title, name, shares)}</td>'
            for name in self.scenarios
        )
        head = f"{self._link(title, title, '')}<small>{safe(meaning)}</small>"
        return (
            f'<tr><th scope="row">{head}</th><td data-column="episodes">{count:,}</td>'
            f'<td class="drawn">{bar}</td>{cells}</tr>'
        )

    def _cell(self, title: str, scenario: str, shares: dict[str, float]) -> str:
        if not shares.get(scenario):
            return NONE
        return self._link(percent(shares[scenario]), title, scenario)

    def _link(self, text: str, group: str, scenario: str) -> str:
        if not self.linked:
            return safe(text)
        return (
            f'<a href="#episodes" data-run="{safe(self.run)}" data-group="{safe(group)}" '
            f'data-scenario="{safe(scenario)}">{safe(text)}</a>'
        )


def _short(scenario: str) -> str:
    return SCENARIOS[scenario].title if scenario in SCENARIOS else scenario
