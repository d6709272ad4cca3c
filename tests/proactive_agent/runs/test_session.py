"""A session loads and probes each model once, and always closes it."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from proactive_agent.metrics import PlayedRun
from proactive_agent.providers import (
    Provider,
    ProviderOptions,
    Reply,
    Request,
    Sampling,
    StoppedError,
    create_provider,
)
from proactive_agent.providers.registry import REGISTERED
from proactive_agent.records.manifest import Settings
from proactive_agent.runs.planned_run import PlannedRun
from proactive_agent.runs.session import Session
from proactive_agent.tools import UserError


class Watched(Provider):
    """The random baseline; counts its probes and closings, and fails on demand."""

    made: list["Watched"] = []  # noqa: RUF012
    probe_error: Exception | None = None
    reply_error: BaseException | None = None
    close_error: Exception | None = None

    def __init__(self, model: str = "", options: ProviderOptions | None = None) -> None:
        self.baseline = create_provider("baseline:random")
        self.model = model
        self.probes = self.closed = 0
        self.made.append(self)

    async def probe(self, sampling: Sampling) -> Reply | None:
        self.probes += 1
        if self.probe_error:
            raise self.probe_error
        return None

    async def complete(self, request: Request) -> Reply:
        assert not self.closed
        if self.reply_error:
            raise self.reply_error
        return await self.baseline.complete(request)

    async def close(self) -> None:
        self.closed += 1
        if self.close_error:
            raise self.close_error


class WatchedElsewhere(Watched):
    remote = True


@pytest.fixture(autouse=True)
def watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Watched, "made", [])
    monkeypatch.setitem(REGISTERED, "watched", Watched)
    monkeypatch.setitem(REGISTERED, "elsewhere", WatchedElsewhere)


def planned(results: Path, *models: str, conditions: tuple[str, ...] = ("zero-shot",),
            **more: Any) -> list[PlannedRun]:  # fmt: skip
    return [
        PlannedRun.new(
            Settings(provider=model, scenarios=("rod",), condition=condition, limit=1, **more),
            results / f"{model.replace(':', '-')}-{condition}",
        )
        for model in models
        for condition in conditions
    ]


def play(runs: list[PlannedRun]) -> list[PlayedRun]:
    async def session() -> list[PlayedRun]:
        async with Session() as open_session:
            return await open_session.play(runs)

    return asyncio.run(session())


def closings() -> list[int]:
    return [model.closed for model in Watched.made]


def test_a_model_of_several_runs_is_loaded_probed_and_closed_once(tmp_path: Path) -> None:
    runs = planned(tmp_path, "watched:a", conditions=("zero-shot", "hint"))
    played = play(runs)
    assert [run.manifest.settings.condition for run in played] == ["zero-shot", "hint"]
    (model,) = Watched.made
    assert (model.probes, model.closed) == (1, 1)


def test_models_elsewhere_are_all_loaded_before_the_first_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    class Looking(WatchedElsewhere):
        async def complete(self, request: Request) -> Reply:
            seen.append(len(Watched.made))
            return await super().complete(request)

    monkeypatch.setitem(REGISTERED, "elsewhere", Looking)
    play(planned(tmp_path, "elsewhere:a", "elsewhere:b"))
    assert set(seen) == {2}
    assert closings() == [1, 1]


@pytest.mark.parametrize("where", ["watched", "elsewhere"])
@pytest.mark.parametrize("step", ["probe_error", "reply_error"])
def test_models_are_closed_after_an_error(
    where: str, step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Watched, step, UserError("the key is wrong"))
    with pytest.raises(UserError, match="the key is wrong"):
        play(planned(tmp_path, f"{where}:a", f"{where}:b", conditions=("zero-shot", "hint")))
    assert closings() == ([1] if where == "watched" else [1, 1])


def test_models_are_closed_when_a_later_model_cannot_be_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(model: str, options: ProviderOptions) -> Provider:
        raise UserError("no such model")

    refusing = type("Refusing", (), {"create": staticmethod(refuse), "remote": True})
    monkeypatch.setitem(REGISTERED, "refusing", refusing)
    with pytest.raises(UserError, match="no such model"):
        play(planned(tmp_path, "elsewhere:a", "refusing:b"))
    assert closings() == [1]


def test_models_are_closed_when_the_session_is_cancelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def cancelled() -> None:
        async with Session() as session:
            task = asyncio.current_task()
            assert task is not None

            async def complete(self: Watched, request: Request) -> Reply:
                task.cancel()
                await asyncio.sleep(60)
                raise AssertionError

            monkeypatch.setattr(Watched, "complete", complete)
            await session.play(planned(tmp_path, "elsewhere:a", conditions=("zero-shot", "hint")))

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled())
    assert closings() == [1]


def test_a_request_that_its_provider_cancels_does_not_end_as_a_finished_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Watched, "reply_error", asyncio.CancelledError())
    (run,) = planned(tmp_path, "watched:a")
    with pytest.raises(RuntimeError, match="cancelled by its provider"):
        play([run])
    assert run.folder.read_manifest().status == "failed"
    assert closings() == [1]


def test_every_model_is_closed_though_one_fails_to_close(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Watched, "probe_error", UserError("the key is wrong"))
    monkeypatch.setattr(Watched, "close_error", OSError("the connection hangs"))
    with pytest.raises(OSError, match="the connection hangs"):
        play(planned(tmp_path, "elsewhere:a", "elsewhere:b"))
    assert closings() == [1, 1]


def test_a_stopped_run_says_why_and_the_later_ones_of_its_model_do_not_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Watched, "reply_error", StoppedError("enough for today"))
    runs = planned(tmp_path, "watched:a", conditions=("zero-shot", "hint"))
    (played,) = play(runs)
    assert str(played.stopped) == "enough for today"
    assert played.manifest.status == "interrupted"
    assert [run.begun for run in runs] == [True, False]
    assert closings() == [1]


def test_a_ready_model_is_used_and_left_open(tmp_path: Path) -> None:
    model = Watched()
    settings = Settings(provider="mine:model", scenarios=("rod",), limit=1)
    (played,) = play([PlannedRun.new(settings, tmp_path, model=model)])
    assert played.summary.scenarios["rod"].episodes == 1
    assert (model.probes, closings()) == (1, [0])


def test_a_finished_run_is_read_again_without_its_model(tmp_path: Path) -> None:
    (run,) = planned(tmp_path, "watched:a")
    (first,) = play([run])
    Watched.made.clear()
    (again,) = play([run])
    assert again.summary == first.summary
    assert Watched.made == []
