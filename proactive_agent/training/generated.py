"""A train split of generated scenes, such as `fresh:train`. Nothing is written."""

from collections.abc import Callable, Sequence

from proactive_agent.scenarios.fresh.source import parse_train_source
from proactive_agent.scenarios.registry import SCENARIOS
from proactive_agent.training.rows import (
    QuestionRow,
    RowPlace,
    Split,
    encoded_pictures,
    read_row,
)


def generate_split(source: str, scenarios: Sequence[str], on_row: Callable[[int], None]) -> Split:
    """Generates the rows of some scenarios; no scenario means all. Calls `on_row(1)` for each.

    Raises UserError.
    """
    from proactive_agent.scenarios.fresh.data import FreshData
    from proactive_agent.scenarios.fresh.written import train_rows

    data = FreshData(parse_train_source(source))
    rows: list[QuestionRow] = []
    pictures: list[bytes] = []
    hashes = {}
    for scenario in scenarios or SCENARIOS:
        hashes[scenario] = data.scan(scenario).sha256
        for index in range(data.count(scenario)):
            place = RowPlace(f"{data.source}, {scenario}", index)
            for row in train_rows(data, scenario, index):
                pictures += row.images
                fields = row._asdict() | {"images": [{"bytes": row.images[0]}]}
                rows.append(read_row(fields, len(rows), place))
                on_row(1)
    return Split(encoded_pictures(pictures), rows, hashes, data.source)
