"""`log.txt` of a run: what is reported while it is played, without secrets and without links."""

import logging
from pathlib import Path

import pytest

from proactive_agent.providers import Provider, ProviderError, ProviderOptions, Reply, Request
from proactive_agent.providers.registry import REGISTERED
from proactive_agent.runs.run_log import run_log
from tests.proactive_agent.api_playing import invoke

log = logging.getLogger("proactive_agent.somewhere")


class Failing(Provider):
    remote = True

    def __init__(self, model: str, options: ProviderOptions) -> None:
        self.model = model

    async def complete(self, request: Request) -> Reply:
        logging.getLogger("another.library").warning("busy \x1b[2J")
        raise ProviderError("timeout", f"no reply of {self.model}")


def play(results: Path, *options: str) -> str:
    done = invoke(
        "run", "--provider", "failing:one", "--provider", "failing:two", "--scenario", "rod",
        "--limit", "1", "--out", str(results), *options,
    )  # fmt: skip
    assert done.exit_code == 1, done.output
    return done.stderr


def test_a_log_keeps_the_errors_of_its_own_run_and_warnings_of_libraries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(REGISTERED, "failing", Failing)
    printed = play(tmp_path)
    assert "INFO" not in printed
    for model, other in (("one", "two"), ("two", "one")):
        (folder,) = tmp_path.glob(f"*_failing-{model}_*")
        text = (folder / "log.txt").read_text()
        assert f"INFO proactive_agent.runs.runner: rod:0: timeout: no reply of {model}" in text
        assert f"no reply of {other}" not in text
        assert "WARNING another.library: busy \N{REPLACEMENT CHARACTER}[2J" in text
    assert logging.getLogger("proactive_agent").level == logging.NOTSET


def test_v_prints_the_log_and_a_level_shortens_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(REGISTERED, "failing", Failing)
    assert "INFO proactive_agent.runs.runner: rod:0: timeout" in play(tmp_path / "a", "-v")
    play(tmp_path / "b", "--log-level", "error")
    assert list((tmp_path / "b").glob("*/log.txt")) == []


def test_without_records_there_is_no_log(tmp_path: Path) -> None:
    done = invoke("run", "--provider", "baseline:oracle", "--limit", "1", "--out", str(tmp_path))
    assert done.exit_code == 0
    assert list(tmp_path.glob("*/log.txt")) == []


def test_a_link_in_place_of_the_log_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "log.txt").symlink_to(tmp_path / "mine")
    with run_log(tmp_path):
        log.warning("text")
    assert not (tmp_path / "mine").exists()
