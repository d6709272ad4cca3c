"""Random hostile inputs cause no traceback, and the output is safe to show.

Each run reads other examples, for a minute in all; `randomness.py` says how to replay and to extend
it. `mutations.py` makes the inputs from valid ones.
"""

import contextlib
import json
import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from proactive_agent import evaluate
from proactive_agent.cli.app import cli
from proactive_agent.play.judges.naming import settled_category
from proactive_agent.play.protocols.mcqa_parsers import Choices, parse_lenient
from proactive_agent.providers import Reply, Request
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.scenarios.dataset import DataFolder
from proactive_agent.terminal.console import plain
from proactive_agent.tools import ToolCall, UserError, calls_in_text, read_reply
from proactive_agent.tools.catalogue import (
    ABSTAIN,
    ASK_CLARIFICATION,
    answer_tool,
    intervention_tool,
)
from proactive_agent.tools.phrases import gives_up, requests_in
from proactive_agent.tools.toolsets import Toolset
from tests.hostile.attacking import no_stall
from tests.hostile.mutations import TEXTS, VALUES, spoiled, spoiled_bytes, spoiled_json
from tests.hostile.randomness import examples
from tests.hostile.records import evil_episode
from tests.proactive_agent.run_folders import write_run
from tests.proactive_agent.written_records import FAILED, episode
from tests.providers import hostile_replies
from tests.scenarios.official_layout import SCENARIOS, random_sample, write_folder, write_samples

T = TypeVar("T")


def command(*arguments: str | Path) -> str:
    """Runs a command that may refuse its input, and returns its output, which is safe to show."""
    with no_stall():
        result = CliRunner().invoke(cli, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code in (0, 1, 2), result.output
    assert plain(result.output) == result.output
    return result.stdout


@contextlib.contextmanager
def new_folder() -> Iterator[Path]:
    """A folder for one example."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


# Data ---------------------------------------------------------------------------------------------

SAMPLES = {name: random_sample(name, random.Random(3), "good") for name in SCENARIOS}


@st.composite
def data_lines(draw: st.DrawFn) -> tuple[str, bytes]:
    scenario = draw(st.sampled_from(sorted(SAMPLES)))
    return scenario, draw(spoiled_json(SAMPLES[scenario]))


@examples(150)
@given(data_lines())
def test_a_data_line_is_a_sample_or_a_fault(drawn: tuple[str, bytes]) -> None:
    scenario, line = drawn
    with new_folder() as folder:
        with write_samples(folder, scenario, [SAMPLES[scenario]]).open("ab") as stream:
            stream.write(line + b"\n")
        found = command("data", "verify", folder, "--scenario", scenario)
        data = DataFolder(folder)
        try:
            every = list(data.samples(scenario))
        except UserError:
            assert ", line " in found
            return
        with no_stall():
            for sample in every:
                environment = data.environment(scenario, sample)
                assert environment.observe().question is not None
                environment.fewest_suggestions()


@pytest.fixture(scope="module")
def good_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("data"), scenarios=("rod",), samples=2)


@examples(25)
@given(line=spoiled(SAMPLES["rod"]))
def test_what_verify_passes_can_be_played(good_data: Path, line: Any) -> None:
    with new_folder() as folder:
        shutil.copytree(good_data, folder / "data")
        (file,) = (folder / "data").glob("*.jsonl")
        with file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")
        verified = CliRunner().invoke(cli, ["data", "verify", str(folder / "data")])
        played = CliRunner().invoke(
            cli, ["run", "--provider", "baseline:random", "--data", str(folder / "data"),
                  "--out", str(folder / "results")],
        )  # fmt: skip
        for result in (verified, played):
            assert result.exception is None or isinstance(result.exception, SystemExit)
            assert plain(result.output) == result.output
        if verified.exit_code == 0:
            assert played.exit_code == 0, played.output


# Run folders --------------------------------------------------------------------------------------

EPISODES = [
    episode("ask", "right"), episode("wrong", sample_id=1), episode("unreadable", sample_id=2),
    episode("ask", sample_id=3, stop="error", error=FAILED), evil_episode(),
]  # fmt: skip
LINES = [json.loads(one.model_dump_json()) for one in EPISODES]


@pytest.fixture(scope="module")
def good_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("runs") / "run", EPISODES).path


MANIFEST = json.loads(write_run(Path(tempfile.mkdtemp()) / "run").manifest_file.read_text())


def read_everywhere(run: Path, folder: Path) -> None:
    """Reads a run by every command that shows or exports one."""
    command("why", run)
    command("trace", run, "--plain", "--turns")
    command("trace", run, "--plain", "--search", '-"x" turns>0')
    command("compare", run, run)
    command("export", run, "--format", "csv", "-o", folder / "tables")
    for file in (folder / "tables").glob("*.csv"):
        assert "\x1b" not in file.read_text(encoding="utf-8")


@examples(40)
@given(
    line=st.integers(0, len(LINES) - 1).flatmap(lambda index: spoiled_json(LINES[index])),
)
def test_a_run_with_a_spoiled_line_is_read(good_run: Path, line: bytes) -> None:
    with new_folder() as folder:
        run = Path(shutil.copytree(good_run, folder / "run"))
        with (run / "episodes.jsonl").open("ab") as stream:
            stream.write(line + b"\n" + LINES_END)
        read_everywhere(run, folder)


LINES_END = json.dumps(LINES[0]).encode() + b"\n"


@examples(40)
@given(manifest=spoiled_json(MANIFEST))
def test_a_run_with_a_spoiled_manifest_is_read_or_refused(good_run: Path, manifest: bytes) -> None:
    with new_folder() as folder:
        run = Path(shutil.copytree(good_run, folder / "run"))
        (run / "run.json").write_bytes(manifest)
        read_everywhere(run, folder)
        command("run", "--resume", run, "--dry-run")


@pytest.fixture(scope="module")
def good_index(good_run: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The index of the good run. Only large runs have one by default."""
    run = Path(shutil.copytree(good_run, tmp_path_factory.mktemp("indexed") / "run"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("proactive_agent.records.episode_index.WORTH", 1)
        RunFolder(run).outlines()
    return (run / "episodes.index").read_bytes()


@examples(60)
@given(data=st.data())
def test_a_spoiled_index_changes_nothing(
    good_run: Path, good_index: bytes, data: st.DataObject
) -> None:
    expected = RunFolder(good_run).outlines()
    index = data.draw(spoiled_bytes(good_index))
    with new_folder() as folder:
        run = Path(shutil.copytree(good_run, folder / "run"))
        (run / "episodes.index").write_bytes(index)
        assert [one.key for one in RunFolder(run).outlines()] == [one.key for one in expected]


# Replies ------------------------------------------------------------------------------------------

CATEGORIES = ("Cat.", "Dog.", "Red fox.")
TOOLSET = Toolset(
    (intervention_tool("move_object"), ASK_CLARIFICATION, ABSTAIN, answer_tool(CATEGORIES))
)
ARGUMENTS = {"direction": "left", "category": "Cat.", "question": "Another angle?"}
WORDS = st.sampled_from(
    ["without moving it ", "not a cat ", "A. ", "B) ", "move the block left ", "is it ", "cat or ",
     "<tool_call>", "</tool_call>", '{"name":', '"answer"', "<think>", "</think>", "if i must ",
     "I can't tell ", "blurry ", "? ", "\n"]
)  # fmt: skip
REPLIES = st.one_of(TEXTS, st.lists(st.one_of(WORDS, TEXTS), max_size=12).map("".join))
CALLS = st.lists(
    st.builds(
        ToolCall,
        st.one_of(st.sampled_from([tool.name for tool in TOOLSET.tools]), TEXTS),
        st.one_of(spoiled_json(ARGUMENTS).map(lambda line: line.decode("latin-1")), TEXTS),
    ),
    max_size=2,
)


@examples(300)
@given(REPLIES, CALLS)
def test_every_reply_is_read(text: str, calls: list[ToolCall]) -> None:
    reading = read_reply(text, calls, TOOLSET, CATEGORIES)
    assert reading.via == ("call" if calls else "text")
    repr(reading).encode()
    calls_in_text(text)
    gives_up(text)
    requests_in(text)
    settled_category(text, CATEGORIES)
    parse_lenient(text, Choices(["Move it.", "No."], ["No."]), Choices(CATEGORIES, ["Cat."]))


BODIES = {
    path: {"messages": [], "tools": tools}
    for path, tools in {
        "/chat/completions": [{"function": {"name": "answer", "parameters": {"properties": {}}}}],
        "/responses": [{"name": "answer", "parameters": {"properties": {}}}],
        "/messages": [{"name": "answer", "input_schema": {"properties": {}}}],
    }.items()
}
PATHS = {"chat": "/chat/completions", "responses": "/responses", "messages": "/messages"}


@st.composite
def api_replies(draw: st.DrawFn) -> tuple[str, Any]:
    protocol = draw(st.sampled_from(sorted(PATHS)))
    path = PATHS[protocol]
    good = hostile_replies.reply(
        path, BODIES[path], calls=draw(st.integers(0, 2)), tool="answer", arguments="{}",
        text=draw(st.sampled_from(["", "A."])), thinking=draw(st.booleans()),
    )  # fmt: skip
    return protocol, draw(st.one_of(spoiled(good), VALUES))


@pytest.mark.api
@examples(250)
@given(api_replies())
def test_every_reply_of_an_api_is_read_or_an_error(drawn: tuple[str, Any]) -> None:
    pytest.importorskip("anthropic", reason="needs the extra `api`")
    from proactive_agent.providers.api.faults import ApiError
    from proactive_agent.providers.api.server import plain as plain_json
    from tests.providers.api_asking import provider

    protocol, raw = drawn
    asked = PROVIDERS.setdefault(protocol, provider(protocol, "http://127.0.0.1:9"))
    try:
        reply = asked._reply(plain_json(raw), 0.0)
    except ApiError as error:
        str(error).encode()
    else:
        json.dumps([reply.text, [call.arguments for call in reply.tool_calls]]).encode()


PROVIDERS: dict[str, Any] = {}


@examples(25)
@given(protocol=st.sampled_from(["tools", "mcqa", "oeg"]), replies=st.lists(REPLIES, min_size=3))
def test_a_run_with_any_replies_is_readable(protocol: str, replies: list[str]) -> None:
    left = iter(replies * 200)

    def model(request: Request) -> Reply:
        return Reply(next(left))

    with new_folder() as folder:
        run = folder / "run"
        evaluate(model, scenarios=["rod"], limit=2, protocol=protocol, out=run)
        assert len(RunFolder(run).outlines()) == 2
        read_everywhere(run, folder / "out")
