"""Run folders with given episodes."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.records.manifest import DataFingerprint, Manifest, Settings
from proactive_agent.records.run_folder import EpisodeWriter, RunFolder


def write_run(
    path: Path,
    episodes: Iterable[EpisodeRecord] = (),
    *,
    provider: str = "openai:some-model",
    status: Literal["running", "finished"] = "finished",
    **settings: Any,
) -> RunFolder:
    """Writes the folder of a run on the embedded suite, or on `data`."""
    chosen = Settings(provider=provider, scenarios=("rod", "coco"), **settings)
    manifest = Manifest(
        run_id=path.name,
        settings=chosen,
        provider={},
        data=DataFingerprint(
            embedded=True, files={}, filtered=False, wording="own v1", wording_sha256="0"
        ),
        tool_texts="v1",
        tool_texts_sha256="0",
        versions={},
        git_commit=None,
        started=datetime(2026, 1, 1, tzinfo=UTC),
        status=status,
    )
    folder = RunFolder(path)
    folder.write_manifest(manifest)
    with EpisodeWriter(folder) as writer:
        for episode in episodes:
            writer.write(episode)
    return folder
