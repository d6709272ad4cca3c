"""`evaluate`: models, settings, resume, budget, event loops, results."""

import asyncio
import io
import json
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console

import proactive_agent
from proactive_agent import (
    BudgetSpentError,
    DataFolder,
    FunctionProvider,
    Provider,
    Reply,
    Request,
    Result,
    Usage,
    UserError,
    aevaluate,
    evaluate,
    open_run,
    register_provider,
)
from proactive_agent.cli.app import cli


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def first(request: Request) -> str:
    return "A."


class Counting(Provider):
    """Names no option, so that every episode ends in its first turn."""

    def __init__(self, cost: float | None = None) -> None:
        self.asked = self.closed = 0
        self.cost = cost

    @property
    def charges(self) -> bool:  # type: ignore[override]
        return self.cost is not None

    async def complete(self, request: Request) -> Reply:
        self.asked += 1
        return Reply(text="?", usage=Usage(cost_usd=self.cost))

    async def close(self) -> None:
        self.closed += 1


def play(model: Any = first, **settings: Any) -> Result:
    return evaluate(model, **{"protocol": "mcqa", "scenarios": "rod", "limit": 2, **settings})


def invoke(*arguments: str) -> Any:
    return CliRunner().invoke(cli, list(arguments))


def replies(result: Result) -> dict[Any, list[Any]]:
    return {e.key: [turn.reply for turn in e.turns] for e in result.episodes()}


# Models ------------------------------------------------------------------------------------------


def test_a_spec_plays_what_the_command_line_plays(tmp_path: Path) -> None:
    result = evaluate("baseline:random", scenarios="rod", limit=3, seed=1)
    done = invoke("run", "--provider", "baseline:random", "--scenario", "rod", "--limit", "3",
                  "--seed", "1", "--out", "cli")  # fmt: skip
    assert done.exit_code == 0, done.output
    (folder,) = (tmp_path / "cli").iterdir()
    ours, theirs = replies(result), replies(open_run(folder))
    assert ours == theirs


def test_a_function_is_a_model() -> None:
    result = play()
    assert result.settings.provider == "python:first"
    assert [turn.reply.text for e in result.episodes() for turn in e.turns].count("A.") >= 2


def test_an_async_function_is_a_model() -> None:
    async def model(request: Request) -> Reply:
        await asyncio.sleep(0)
        return Reply(text="A.")

    assert len(result_rows := play(model).rows()) == 2
    assert result_rows[0]["error_kind"] is None


def test_a_provider_object_is_a_model_and_stays_open() -> None:
    model = Counting()
    assert play(model).settings.provider == "python:Counting"
    assert (model.asked >= 2, model.closed) == (True, 0)


def test_a_named_function_keeps_its_name() -> None:
    assert play(FunctionProvider(first, name="mine")).settings.provider == "python:mine"


def test_an_exception_of_a_function_ends_the_run_with_its_traceback() -> None:
    def broken(request: Request) -> str:
        return [][0]  # type: ignore[misc]

    with pytest.raises(UserError, match="IndexError"):
        play(broken)


@pytest.mark.parametrize("model", [3, Counting, "nothing"])
def test_what_is_no_model_is_refused(model: Any) -> None:
    with pytest.raises(UserError):
        play(model)


# Settings ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"limits": 2}, "no setting 'limits'; did you mean 'limit'"),
        ({"limit": 0}, "limit=0: .*greater than or equal to 1"),
        ({"protocol": "chat"}, "protocol='chat'"),
        ({"scenarios": "rods"}, "rods"),
        ({"condition": "hints"}, "unknown condition 'hints'"),
        ({"toolset": "all"}, "toolset needs protocol tools"),
        ({"dtype": "float16"}, "dtype needs a model of the provider local"),
        ({"data": "nowhere"}, "nowhere"),
        ({"concurrency": 0}, "concurrency=0: expected at least 1"),
        ({"budget_usd": 0}, "budget_usd=0: expected more than 0"),
    ],
)
def test_wrong_settings_are_refused_by_name(
    settings: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=message):
        play(**settings)
    assert list(tmp_path.iterdir()) == []


def test_every_setting_of_run_is_a_keyword() -> None:
    result = play(temperature=0.5, seed=7, repeats=2, condition="hint", parser="lenient")
    settings = result.settings
    assert settings.provider_settings.temperature == 0.5
    assert (settings.seed, settings.repeats, settings.condition) == (7, 2, "hint")
    assert len(result.rows()) == 4


def test_on_episode_sees_each_record() -> None:
    seen = []
    play(on_episode=lambda episode: seen.append(episode.sample_id))
    assert sorted(seen) == [0, 1]


# Resume and budget -------------------------------------------------------------------------------


def test_the_same_call_goes_on_with_its_run() -> None:
    whole = play(out="runs/one", limit=4)
    file = whole.folder / "episodes.jsonl"
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(lines[:1]))
    model = Counting()
    settings = {"out": "runs/two", "limit": 4}
    play(model, **settings)
    asked = model.asked
    play(model, **settings)
    assert model.asked == asked, "a finished run is only read"
    again = play(out="runs/one", limit=4)
    assert len(again.rows()) == 4
    assert file.read_text().startswith(lines[0])


def test_another_setting_is_refused_for_a_run_that_has_begun() -> None:
    play(out="runs/one")
    with pytest.raises(UserError, match="limit was 2, is 3; pass the same settings"):
        play(out="runs/one", limit=3)


def test_a_folder_that_holds_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match="holds no run; name a new folder"):
        play(out=str(tmp_path))


def test_a_changed_function_is_warned_about() -> None:
    def model(request: Request) -> str:
        return "A."

    play(model, out="runs/one")

    def model(request: Request) -> str:  # type: ignore[no-redef]
        return "B."

    with pytest.warns(UserWarning, match="source code of the model has changed.*another out="):
        play(model, out="runs/one")


def test_a_resumed_run_has_the_facts_of_all_its_parts() -> None:
    class Placed(Counting):
        def __init__(self, place: str) -> None:
            super().__init__()
            self.place = place

        def manifest(self) -> dict[str, Any]:
            return {"model": "m"} | self.learnt()

        def learnt(self) -> dict[str, Any]:
            return {"played_by": [self.place]}

    file = play(Placed("one process"), out="runs/one").folder / "episodes.jsonl"
    file.write_text(file.read_text().splitlines(keepends=True)[0])
    result = play(Placed("2 workers"), out="runs/one")
    facts = {"model": "m", "played_by": ["2 workers", "one process"]}
    assert result.manifest.provider == facts


def test_the_command_line_does_not_resume_a_python_model() -> None:
    result = play(out="runs/one")
    file = result.folder / "episodes.jsonl"
    file.write_text("")
    done = invoke("run", "--resume", "runs/one")
    assert done.exit_code == 2
    assert "proactive_agent.evaluate(model, out='runs/one')" in done.stderr.replace("\n", " ")


def test_the_command_line_does_not_take_a_python_object_by_name() -> None:
    done = invoke("run", "--provider", "python:mine")
    assert done.exit_code == 2
    assert "a Python object cannot be loaded by name" in done.stderr.replace("\n", " ")


def test_the_name_of_python_objects_cannot_be_registered() -> None:
    with pytest.raises(UserError, match="stands for models that are passed"):
        register_provider("python", lambda model, options: Counting())


def test_the_command_line_shows_a_finished_run_of_a_python_model() -> None:
    play(out="runs/one")
    done = invoke("run", "--resume", "runs/one")
    assert done.exit_code == 0, done.output
    assert invoke("compare", "runs/one").exit_code == 0


def test_a_spent_budget_ends_the_run_and_the_same_call_goes_on() -> None:
    model = Counting(cost=1.0)
    with pytest.raises(BudgetSpentError) as stopped:
        play(model, out="runs/one", limit=4, budget_usd=2.0, concurrency=1)
    assert "out='runs/one'" in stopped.value.__notes__[0]
    partial = open_run("runs/one")
    assert partial.manifest.status == "interrupted"
    assert 0 < len(partial.rows()) < 4
    assert len(play(model, out="runs/one", limit=4).rows()) == 4


def test_a_function_that_reports_costs_keeps_a_budget() -> None:
    def model(request: Request) -> Reply:
        return Reply(text="A.", usage=Usage(cost_usd=1.0))

    with pytest.raises(BudgetSpentError):
        play(model, limit=4, budget_usd=2.0)


def test_a_budget_needs_costs() -> None:
    with pytest.raises(UserError, match=r"Usage\(cost_usd=…\)"):
        play(lambda request: "A.", budget_usd=2.0)

    class Free(Counting):
        charges = False

    with pytest.raises(UserError, match="Free does not report costs"):
        play(Free(), budget_usd=2.0)


def test_another_model_is_refused_for_a_run_that_has_begun() -> None:
    class Sized(Counting):
        def __init__(self, size: str) -> None:
            super().__init__()
            self.size = size

        def manifest(self) -> dict[str, object]:
            return {"size": self.size}

    play(Sized("small"), out="runs/one")
    with pytest.raises(UserError, match="size was 'small', is 'large'"):
        play(Sized("large"), out="runs/one")


def test_calls_at_the_same_time_have_folders_of_their_own() -> None:
    async def both() -> set[Path]:
        calls = (aevaluate(Counting(), protocol="mcqa", limit=1, scenarios=name)
                 for name in ("rod", "coco"))  # fmt: skip
        return {result.folder for result in await asyncio.gather(*calls)}

    assert len(asyncio.run(both())) == 2


def test_an_unfiltered_data_folder_stays_unfiltered() -> None:
    result = play(data=DataFolder(unfiltered=True))
    assert result.settings.unfiltered


def test_rows_of_an_unknown_kind_are_refused() -> None:
    with pytest.raises(UserError, match="expected 'episode' or 'turn'"):
        play().rows(per="turns")  # type: ignore[arg-type]


# Event loops -------------------------------------------------------------------------------------


def test_evaluate_works_inside_a_running_loop() -> None:
    async def cell() -> Result:
        return play()

    assert len(asyncio.run(cell()).rows()) == 2


def test_aevaluate_leaves_the_loop_free() -> None:
    async def both() -> int:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0.001)

        async def slow(request: Request) -> str:
            await asyncio.sleep(0.01)
            return "A."

        ticking = asyncio.create_task(tick())
        await aevaluate(slow, protocol="mcqa", scenarios="rod", limit=2, concurrency=1)
        ticking.cancel()
        return ticks

    assert asyncio.run(both()) > 5


@pytest.mark.parametrize(
    "start", ["asyncio.run(cell())", "asyncio.new_event_loop().run_until_complete(cell())"]
)
def test_ctrl_c_inside_a_running_loop_keeps_finished_episodes(start: str, tmp_path: Path) -> None:
    """Below `asyncio.run` Ctrl-C cancels the task; in a notebook it is a KeyboardInterrupt."""
    code = f"""
import asyncio, _thread
from proactive_agent import evaluate

async def model(request):
    if request.key.sample_id == 1:
        _thread.interrupt_main()
        await asyncio.sleep(60)
    return "A."

async def cell():
    evaluate(model, protocol="mcqa", scenarios="rod", limit=3, out="run", concurrency=1)

{start}
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60,
                          check=False)  # fmt: skip
    assert "KeyboardInterrupt" in done.stderr
    assert json.loads((tmp_path / "run" / "run.json").read_text())["status"] == "interrupted"
    assert [row["sample_id"] for row in open_run("run").rows()] == ["0"]


# Results -----------------------------------------------------------------------------------------


def test_a_result_can_be_read_again() -> None:
    result = play()
    for again in (open_run(result.folder), Result.read(result.folder.name)):
        assert again.summary == result.summary
        assert again.rows() == result.rows()


def test_rows_make_a_table() -> None:
    result = play(scenarios=["rod", "coco"])
    rows = result.rows()
    assert {row["scenario"] for row in rows} == {"rod", "coco"}
    assert all(row.keys() == rows[0].keys() for row in rows)
    assert sum(row["turns"] for row in rows) == len(result.rows(per="turn"))


def test_a_result_shows_its_table_in_a_terminal_and_in_a_notebook() -> None:
    def hostile(request: Request) -> str:
        return "A."

    result = play(FunctionProvider(hostile, name="<b>[red]mine"))
    screen = io.StringIO()
    Console(width=120, file=screen).print(result)
    shown = screen.getvalue()
    assert "python:<b>[red]mine: mcqa, zero-shot" in shown
    assert "embedded suite" in shown
    html = result._repr_html_()
    assert "<table>" in html
    assert "python:&lt;b&gt;[red]mine" in html
    assert "<b>" not in html
    assert repr(result).startswith("<Result python:")


# Names -------------------------------------------------------------------------------------------

NAMES = (
    "BudgetSpentError", "Condition", "DataFolder", "Environment", "EpisodeRecord",
    "FunctionProvider", "Game", "ImagePart", "Manifest", "Observation", "Provider",
    "ProviderError", "Reply", "Request", "Result", "RewardRule", "SCENARIOS", "Settings",
    "Situation", "SteppedEpisode", "StoppedError", "Summary", "TextPart", "ToolCall", "TurnRecord",
    "Usage", "UserError", "aevaluate", "content_parts", "evaluate", "open_run",
    "register_condition", "register_provider", "summarise",
)  # fmt: skip


def test_the_exported_names_are_these() -> None:
    assert sorted(proactive_agent.__all__) == sorted(NAMES)
    assert set(NAMES) <= set(dir(proactive_agent))
    for name in NAMES:
        assert getattr(proactive_agent, name) is not None
    with pytest.raises(AttributeError, match="nothing"):
        proactive_agent.nothing  # noqa: B018


def test_the_import_loads_nothing_heavy() -> None:
    code = "import sys, proactive_agent; dir(proactive_agent); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"pydantic", "rich", "PIL", "numpy", "asyncio", "torch", "click"}
    ours = [name for name in done.stdout.split() if name.startswith("proactive_agent")]
    assert heavy.isdisjoint(done.stdout.split())
    assert ours == ["proactive_agent"]


def test_evaluate_loads_no_model_library() -> None:
    code = "import sys; from proactive_agent import evaluate; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"torch", "transformers", "openai", "anthropic", "matplotlib", "textual", "inspect_ai"}
    assert heavy.isdisjoint(done.stdout.split())


def test_no_warnings_when_a_run_goes_on_with_the_same_function() -> None:
    play(out="runs/one")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        play(out="runs/one")
