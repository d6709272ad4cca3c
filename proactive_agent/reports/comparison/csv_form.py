"""A comparison report as CSV: a row per number, with full precision."""

import io
from collections.abc import Iterator

from proactive_agent.metrics import Rates
from proactive_agent.metrics.statistics import Estimate
from proactive_agent.reports.comparison.pairing import Difference
from proactive_agent.reports.comparison.report import ComparisonReport
from proactive_agent.reports.tables.text_forms import write_csv

COLUMNS = (
    "source", "name", "run_id", "protocol", "condition", "data", "scenario", "metric",
    "value", "low", "high", "samples", "baseline", "p", "p_holm", "note",
)  # fmt: skip
MACRO = "macro average"


def csv_text(report: ComparisonReport) -> str:
    """Returns a header and the rows of runs, published figures, differences and help-seeking."""
    rows = (*_runs(report), *_published(report), *_differences(report), *_pairs(report))
    stream = io.StringIO()
    write_csv(stream, COLUMNS, ({**row, "note": report.caption} for row in rows))
    return stream.getvalue()


def _runs(report: ComparisonReport) -> Iterator[dict[str, object]]:
    for run in report.runs:
        keys = run.model_dump(include={"source", "name", "run_id", "protocol", "condition", "data"})
        for scenario, found in run.summary.scenarios.items():
            yield from _rates(found, {**keys, "scenario": scenario, "samples": found.samples})
        yield from _rates(run.summary.macro, {**keys, "scenario": MACRO})


def _rates(rates: Rates, keys: dict[str, object]) -> Iterator[dict[str, object]]:
    for metric in Rates.model_fields:
        yield from _estimate(metric, getattr(rates, metric), keys)


def _published(report: ComparisonReport) -> Iterator[dict[str, object]]:
    for row in report.published:
        keys = row.model_dump(include={"source", "name", "protocol", "condition", "data"})
        for scenario, values in {**row.scenarios, MACRO: row.macro}.items():
            for metric, value in values.items():
                yield {**keys, "scenario": scenario, "metric": metric, "value": value}


def _differences(report: ComparisonReport) -> Iterator[dict[str, object]]:
    for name, found in report.differences.items():
        for scenario, by_metric in {**found.scenarios, MACRO: found.macro}.items():
            for metric, one in by_metric.items():
                keys = {"source": "difference", "name": name, "scenario": scenario}
                yield from _difference(metric, one, {**keys, "baseline": report.baseline})


def _difference(
    metric: str, found: Difference, keys: dict[str, object]
) -> Iterator[dict[str, object]]:
    tested = {"samples": found.samples, "p": found.p, "p_holm": found.p_holm}
    yield from _estimate(metric, found.difference, {**keys, **tested})


def _pairs(report: ComparisonReport) -> Iterator[dict[str, object]]:
    for pair in report.help_seeking:
        for scenario, found in {**pair.scenarios, MACRO: pair.macro}.items():
            keys = {"source": "help-seeking", "name": pair.needed, "baseline": pair.clear}
            for metric in type(found).model_fields:
                if metric != "samples":
                    where = {**keys, "scenario": scenario, "samples": found.samples}
                    yield from _estimate(metric, getattr(found, metric), where)


def _estimate(metric: str, found: Estimate, keys: dict[str, object]) -> Iterator[dict[str, object]]:
    """Yields a row if the number is known."""
    if found.value is not None:
        yield {**keys, "metric": metric, **found.model_dump()}
