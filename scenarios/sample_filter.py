"""A data folder's own filter: `filter.json` names the samples that are played.

The command `data filter` writes it from runs of several models. The official data have their filter
in the protocol pack instead.
"""

import hashlib
import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from proactive_agent.scenarios.json_model import read_model

FILTER_FILE = "filter.json"
MAX_FILTER_BYTES = 64 * 2**20
"""Most bytes of a filter. A million ids have about 8 MB."""


class SampleFilter(BaseModel):
    """The content of `filter.json`."""

    model_config = ConfigDict(frozen=True)

    share: float
    """The share of models, 0 to 1, from which on a sample that they answer rightly is dropped."""
    models: tuple[str, ...]
    """The models, as `NAME:MODEL`."""
    files: dict[str, str]
    """SHA-256 of the data file, by scenario."""
    filter: dict[str, frozenset[int | str]]
    """The ids of the samples that are kept, by scenario."""

    def keeps(self, scenario: str, sample_id: int | str) -> bool:
        """Returns whether a sample is kept. Other scenarios are kept whole."""
        return scenario not in self.filter or sample_id in self.filter[scenario]

    @property
    def name(self) -> str:
        """A name for manifests: the rule, and a hash of the content."""
        digest = hashlib.sha256(self.as_json().encode()).hexdigest()
        return f"{100 * self.share:g} % of {len(self.models)} models, sha256 {digest}"

    def as_json(self) -> str:
        """Returns the content of the file. Equal filters give equal bytes."""
        content = self.model_dump(mode="json")
        content["filter"] = {
            name: sorted(ids, key=lambda one: (isinstance(one, str), one))
            for name, ids in self.filter.items()
        }
        return json.dumps(content, ensure_ascii=False, sort_keys=True) + "\n"


def load_filter(file: Path) -> SampleFilter:
    """Reads a `filter.json`. Raises UserError if it is not a valid filter."""
    return read_model(file, SampleFilter, MAX_FILTER_BYTES)
