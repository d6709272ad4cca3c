"""Fixtures for the published wheel, the seed, and NO_SKIPS, which fails on skipped tests."""

import os
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from proactive_agent.scenarios.protocol_pack import PACKAGE, write_pack
from proactive_agent.tools.secrets import forget_secrets
from tests.hostile.randomness import SEED

# Without this, litellm downloads its price list when it is first imported.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

# PyTorch works on tiny tensors ten times faster with one thread than with two.
os.environ.setdefault("OMP_NUM_THREADS", "1")

CACHE = Path(__file__).parent / ".cache"
WHEEL_NAME = "proactivebench-0.1.1-py3-none-any.whl"


@pytest.fixture(autouse=True)
def no_secrets() -> None:
    """Forgets the secrets of other tests, whose values may be ordinary words here."""
    forget_secrets()


@pytest.fixture(scope="session")
def official_wheel() -> Path:
    """Returns the wheel of `proactivebench` 0.1.1.

    PROACTIVEBENCH_WHEEL names the file. Otherwise the cached wheel is used, or it is downloaded.
    """
    if given := os.environ.get("PROACTIVEBENCH_WHEEL"):
        return Path(given)
    cached = CACHE / WHEEL_NAME
    if not cached.is_file():
        _fetch()
    return cached


@pytest.fixture(scope="session")
def official_pack_folder(official_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a folder with the published `protocol.json`."""
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
        reason = (done.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
        pytest.skip(f"{PACKAGE} cannot be downloaded: {reason}")


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Installs the servers that late tests need while earlier tests run."""
    if session.config.option.collectonly or not any(
        item.get_closest_marker("vllm") for item in session.items
    ):
        return (yield)
    from tests.providers.peers import made_ahead

    with made_ahead():
        return (yield)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints the seed of the random tests."""
    terminalreporter.write_line(f"TEST_SEED={SEED} replays the random tests of tests/hostile")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fails the session if a test was skipped and NO_SKIPS is set, as in CI."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("NO_SKIPS") and reporter and reporter.stats.get("skipped"):
        reporter.write_line("\ntests were skipped, and NO_SKIPS forbids it", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
