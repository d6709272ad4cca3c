"""Runs for the tests of the browser."""

import pytest

from proactive_agent.records.run_folder import RunFolder
from tests.proactive_agent.views.tui.browsing import two_runs


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunFolder, RunFolder]:
    return two_runs(tmp_path_factory.mktemp("results"))


@pytest.fixture
def run(runs: tuple[RunFolder, RunFolder]) -> RunFolder:
    return runs[0]
