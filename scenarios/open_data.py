"""Opens data by the text that names them: a folder, generated scenes, or the embedded suite."""

import os
from pathlib import Path

from proactive_agent.scenarios.dataset import DataFolder
from proactive_agent.scenarios.fresh.source import SourceError, is_fresh, parse_source
from proactive_agent.scenarios.sample import quoted


def open_data(named: str | Path | None, *, unfiltered: bool = False) -> DataFolder:
    """Returns the data of a folder, of a text such as `fresh:7`, or (None) the embedded suite.

    Raises UserError.
    """
    if named is None:
        return DataFolder(unfiltered=unfiltered)
    if is_fresh(str(named)):
        # Imported here, because the generator needs numpy and the start of the program does not.
        from proactive_agent.scenarios.fresh.data import FreshData

        return FreshData(parse_source(str(named)), unfiltered=unfiltered)
    if str(named).partition(":")[0].lower() == "fresh" and not Path(named).exists():
        raise SourceError(f"{quoted(str(named))}: expected a folder, or fresh:SEED such as fresh:7")
    return DataFolder(Path(named), unfiltered=unfiltered)


def resolve_data(file: Path, named: str) -> Path:
    """Resolves data that a file names: a folder relative to the file, or generated scenes."""
    return Path(named) if is_fresh(named) else file.parent / named


def canonical_name(named: str | Path | None) -> str | None:
    """Returns the text that settings record: an absolute path, or the full name of a seed's data.

    Raises UserError.
    """
    if named is None:
        return None
    if is_fresh(str(named)):
        return str(parse_source(str(named)))
    return os.path.realpath(named)  # unlike Path.resolve, no error for a link to itself
