"""Runs of API models against the test server."""

import json
import shutil
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from proactive_agent.cli.app import cli
from proactive_agent.providers import ApiAccess
from proactive_agent.records.manifest import ProviderSettings, Settings
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.runs.planned_run import PlannedRun
from proactive_agent.scenarios.dataset import EMBEDDED
from tests.proactive_agent.running import play_run
from tests.providers.api_asking import spec
from tests.providers.hostile_server import HostileServer

ROD = "Realistic-Occlusion-Dataset_preprocessed.jsonl"
AT_ONCE = ApiAccess(first_wait=0.0, tries=3, timeout=60.0)


def settings(server: HostileServer, protocol: str = "chat", **more: Any) -> Settings:
    api = "responses" if protocol == "responses" else "auto"
    fields = {"scenarios": ("rod",), "provider_settings": ProviderSettings(api=api), **more}
    return Settings(provider=spec(protocol, server.url), **fields)


def play(
    settings: Settings, results: Path, access: ApiAccess = AT_ONCE, **options: Any
) -> RunFolder:
    return play_run(PlannedRun.new(settings, results, access), **options).folder


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


def many_samples(folder: Path, number: int) -> Path:
    """Writes a data folder that holds the first sample of `rod` `number` times."""
    first = json.loads((EMBEDDED / ROD).read_text().splitlines()[0])
    folder.mkdir()
    lines = (json.dumps(first | {"id": index}) + "\n" for index in range(number))
    (folder / ROD).write_text("".join(lines))
    for image in EMBEDDED.iterdir():
        if image.is_dir():
            shutil.copytree(image, folder / image.name)
    return folder
