"""Writes inside a folder that may come from someone else, without following its links."""

import os
from pathlib import Path

from proactive_agent.disk.durable import make_folder
from proactive_agent.disk.whole_files import not_written
from proactive_agent.tools import NotWrittenError


def make_inner_folder(folder: Path, *, within: Path) -> None:
    """Makes a folder and its parents.

    Links above `within` are the user's choice and are followed. Raises NotWrittenError for a link
    below it, and for every OSError.
    """
    path, outer = Path(os.path.abspath(folder)), Path(os.path.abspath(within))  # noqa: PTH100
    try:
        if path.is_relative_to(outer):
            for part in (path, *path.parents):
                if part == outer:
                    break
                _refuse_link(part)
        make_folder(folder)
    except OSError as error:
        raise not_written(folder, error) from error


def refuse_links(folder: Path) -> None:
    """Raises NotWrittenError if a folder contains a link, at any depth."""
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            _refuse_link(Path(place, name))


def _refuse_link(path: Path) -> None:
    if path.is_symlink():
        raise NotWrittenError(
            f"{path} is a link, which is not followed: it may lead to files of yours; remove it"
        )
