"""What all tests share: the published wheel, and a session that fails where tests skip."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from proactive_agent.scenarios.protocol_pack import PACKAGE, write_pack

# Else litellm asks the network for its price list wherever a test is first to import it.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

CACHE = Path(__file__).parent / ".cache"
WHEEL_NAME = "proactivebench-0.1.1-py3-none-any.whl"


@pytest.fixture(scope="session")
def official_wheel() -> Path:
    """The wheel `proactivebench` 0.1.1: named by PROACTIVEBENCH_WHEEL, cached, or fetched."""
    if given := os.environ.get("PROACTIVEBENCH_WHEEL"):
        return Path(given)
    cached = CACHE / WHEEL_NAME
    if not cached.is_file():
        _fetch()
    return cached


@pytest.fixture(scope="session")
def official_pack_folder(official_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the published `protocol.json`."""
    folder = tmp_path_factory.mktemp("pack")
    write_pack(folder, official_wheel)
    return folder


def _fetch() -> None:
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:",
        "--python-version=3.12", f"--dest={CACHE}", PACKAGE,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["pip says nothing"])[-1]
        pytest.skip(f"{PACKAGE} cannot be fetched: {reason}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """With NO_SKIPS set (as CI does) a skipped test fails the session: nothing may be missing."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("NO_SKIPS") and reporter and reporter.stats.get("skipped"):
        reporter.write_line("\nNO_SKIPS is set, and tests were skipped", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
