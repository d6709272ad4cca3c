"""Hand-made runs for comparisons."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from proactive_agent.metrics import PlayedRun
from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.records.manifest import DataFingerprint, FileFingerprint, Manifest, Settings
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.scenarios import SCENARIOS
from tests.proactive_agent.written_records import episode

OFFICIAL = {"embedded": False, "filtered": True, "wording": "proactivebench 0.1.1"}

EMBEDDED_NOTE = (
    "The embedded suite is for trying things out. "
    "Its scores cannot be compared with published ones."
)

AS_PUBLISHED: dict[str, Any] = {
    "provider": "local:a",
    "protocol": "mcqa",
    "provider_settings": {"generation": "published"},
    "data": OFFICIAL,
}
"""A run of the paper's first table, on its data and with its settings."""


def played(
    name: str, episodes: Iterable[EpisodeRecord], *, file: str = "0",
    data: dict[str, Any] | None = None, described: dict[str, Any] | None = None,
    thinking_room: tuple[int, int] | None = None, **settings: Any,
) -> PlayedRun:  # fmt: skip
    """A finished run; `file` stands for the bytes of its data files, `described` is the
    provider's self-description."""
    which = {"embedded": True, "filtered": False, "wording": "own v1", **(data or {})}
    files = {
        scenario: FileFingerprint(sha256=file, samples=raw, kept=kept if which["filtered"] else raw)
        for scenario, found in SCENARIOS.items()
        for raw, kept in [found.published_counts]
    }
    manifest = Manifest(
        run_id=f"run-{name}",
        settings=Settings(
            provider=settings.pop("provider", f"openai:{name}"),
            scenarios=tuple(SCENARIOS),
            **settings,
        ),
        provider=described or {},
        data=DataFingerprint(files=files, wording_sha256="0", **which),
        tool_texts="v1",
        tool_texts_sha256="0",
        versions={},
        git_commit=None,
        started=datetime(2026, 1, 1, tzinfo=UTC),
        status="finished",
        thinking_room=thinking_room,
    )
    folder = RunFolder(Path(manifest.run_id))
    return PlayedRun.of_episodes(name, manifest, folder, episodes)


def answers(rights: str, scenario: str = "rod", repeat: int = 0) -> list[EpisodeRecord]:
    """An episode per character: 1 right at once, A right after asking, 0 wrong, - error."""
    turns = {"1": ("right",), "A": ("ask", "right"), "0": ("wrong",), "-": ()}
    failed = {"source": "provider", "kind": "timeout", "message": "no answer"}
    return [
        episode(
            *turns[right], sample_id=sample, scenario=scenario, repeat=repeat,
            error=failed if right == "-" else None,
        )
        for sample, right in enumerate(rights)
    ]  # fmt: skip
