"""The plain output of `trace`: snapshots, hostile text, filters."""

import io
import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from proactive_agent.cli.app import cli
from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.terminal.console import console, plain
from proactive_agent.views.text.episode_text import episode_lines
from proactive_agent.views.text.lines import cut_middle, write_wrapped
from tests.hostile.records import EVIL, STEERING, evil_episode
from tests.proactive_agent.run_folders import write_run
from tests.proactive_agent.written_records import FAILED, episode, turn

SNAPSHOTS = Path(__file__).parent / "snapshots"


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["trace", *arguments])


def printed(*arguments: str) -> str:
    result = invoke(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


# Snapshots ---------------------------------------------------------------------------------------


def asked_by_tools() -> EpisodeRecord:
    """Returns three turns by function calling that contain every element of a turn."""
    tools = [
        {"name": "move_object", "parameters": {"direction": ["left", "right"]}},
        {"name": "ask_clarification", "parameters": {"question": None}},
        {
            "name": "answer",
            "parameters": {"category": ["Cat", "Dog", "山羊", "Long-haired Angora"]},
        },
    ]
    first = turn("ask", prompt="What is behind the blocks?\nCall exactly one tool.", tools=tools)
    first["image"] = {"path": "rod/1/7.png", "crop": None, "size": [640, 480], "sha256": "0" * 64}
    first["reply"]["tool_calls"] = [{"name": "move_object", "arguments": '{"direction": "Left."}'}]
    first["notes"] = ["direction 'Left.' read as 'left'"]
    question = "Could you please move that large, striped block out of the way for me?"
    second = turn("ask", 1, prompt="The user did this: Move it to the left.", tools=tools)
    second["reply"]["text"] = question
    second["action"] = second["action"] | {"question": question, "mapped": True}
    third = turn("wrong", 2, prompt="The user did this: Move it to the left.", tools=tools[1:])
    third["reply"]["tool_calls"] = [{"name": "answer", "arguments": '{"category": "Dog"}'}]
    return episode(
        "ask", "ask", "wrong", sample_id=3, turns=[first, second, third], answer="Dog.", fewest=3
    )


def chosen_in_a_list() -> EpisodeRecord:
    """Returns a turn of multiple choice that only the lenient parser understands."""
    options = ["Move closer.", "I cannot tell.", "Cat.", "Dog."]
    shown = "\n".join(f"{letter}. {text}" for letter, text in zip("ABCD", options, strict=True))
    only = turn("unreadable", text="**C**", prompt=f"What is it?\n{shown}", options=options)
    only["image"] = {"path": "coco/9/picture.jpg", "crop": [10, 20.5, 300, 200], "sha256": None}
    only["lenient_verdict"] = {"suggestion": "mismatch", "category": "correct"}
    return episode(
        "unreadable", scenario="coco", sample_id=9, stop="invalid", protocol="mcqa", turns=[only]
    )


def judged() -> EpisodeRecord:
    """Returns an open-ended reply with a judgement."""
    only = turn("abstain", text="I would need to see more of it.")
    only["judgement"] = {
        "judge": "rules v1",
        "answers": [
            {"text": "move the blocks", "kind": "proactive", "met": False},
            {"text": "Cat", "kind": "category", "met": True},
        ],
    }
    return episode("abstain", sample_id=11, stop="abstained", protocol="oeg", turns=[only])


def first_run(path: Path) -> str:
    records = [
        episode("ask", "ask", "ask", "ask", "right", sample_id=12),
        asked_by_tools(),
        chosen_in_a_list(),
        judged(),
        episode("wrong", sample_id=3, repeat=1),
        episode("ask", sample_id=20, error=FAILED),
    ]
    return str(write_run(path / "first", records).path)


def second_run(path: Path) -> str:
    records = [
        episode("ask", "ask", "ask", "ask", "right", sample_id=12),
        episode("ask", "right", sample_id=3),
        episode("abstain", scenario="coco", sample_id=9, stop="abstained"),
        episode("right", sample_id=20),
    ]
    return str(write_run(path / "second", records, condition="hint").path)


SHOWN = {
    "list": [],
    "turns": ["--turns"],
    "diff": ["--diff", "second"],
    "diff-of-one": ["--diff", "second", "--sample", "rod:3", "--repeat", "1"],
}


@pytest.mark.parametrize("width", [80, 140])
@pytest.mark.parametrize("name", SHOWN)
def test_plain_output(
    name: str, width: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr(console, "width", width)
    monkeypatch.chdir(tmp_path)
    first_run(Path())
    second_run(Path())
    output = printed("first", *SHOWN[name])
    file = SNAPSHOTS / f"trace-{name}-{width}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(output, encoding="utf-8")
    assert output == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("file", sorted(SNAPSHOTS.glob("trace-*.txt")), ids=lambda file: file.stem)
def test_no_snapshot_is_wider_than_it_says_or_ends_a_line_in_blanks(file: Path) -> None:
    from rich.cells import cell_len

    lines = file.read_text(encoding="utf-8").splitlines()
    assert max(map(cell_len, lines)) <= int(file.stem.rpartition("-")[2])
    assert lines == [line.rstrip() for line in lines]


def test_in_a_pipe_nothing_is_wrapped_or_cut(tmp_path: Path) -> None:
    words = "word " * 60
    long = turn("ask", text=words, prompt=words)
    steps = [turn(("ask", "abstain")[index % 2], index) for index in range(40)]
    records = [episode(turns=[long], sample_id=1), episode(turns=steps, sample_id=2)]
    run = str(write_run(tmp_path / "run", records).path)
    assert f"  {words.strip()}\n" in printed(run, "--sample", "rod:1")
    (row,) = (line for line in printed(run).splitlines() if line.startswith("rod:2"))
    assert row.count("move_object(left)") == 20


def test_steps_in_a_row_are_counted(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", [episode("ask", "ask", "ask", "right")])
    assert "move_object(left) ×3 → answer: Cat." in printed(str(folder.path))


@pytest.mark.parametrize(
    ("text", "room", "cut"),
    [
        ("short", 10, "short"),
        ("left → right → left → Dog", 16, "left → ri… → Dog"),
        ("left → a very long answer", 12, "left…answer"),
        ("山羊山羊山羊山羊", 9, "山羊…山羊"),
    ],
)
def test_what_does_not_fit_loses_its_middle(text: str, room: int, cut: str) -> None:
    assert cut_middle(text, room) == cut


# Texts of a model --------------------------------------------------------------------------------


def shown(record: EpisodeRecord, width: int = 80) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=width, force_terminal=True, color_system="standard")
    write_wrapped(console, episode_lines(record))
    return stream.getvalue()


def test_no_models_text_steers_the_terminal() -> None:
    output = shown(evil_episode())
    assert not [code for code in STEERING if code in output]


def test_no_models_text_is_taken_for_markup() -> None:
    assert shown(evil_episode(), 400).count("[red]markup[/red]") >= 15


def test_what_controls_is_replaced_and_the_rest_stays() -> None:
    assert plain("a\x1b[2Jb\tc\nd\u202eé漢") == "a\ufffd[2Jb\tc\nd\ufffdé漢"


@pytest.mark.parametrize("options", [[], ["--turns"], ["--json"], ["--diff", "other"]])
def test_no_way_of_printing_lets_controls_through(
    options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("run", "other"):
        write_run(Path(name), [evil_episode()], provider=f"openai:{EVIL}", condition=EVIL)
    output = printed("run", *options)
    assert "markup" in output
    assert not [code for code in STEERING if code in output]


def test_the_name_of_a_folder_steers_no_terminal_either(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "\x1b[2J\u202e[red]run", [episode("wrong")])
    missing = invoke(str(folder.path), "--sample", "rod:9")
    assert missing.exit_code == 2
    why = CliRunner().invoke(cli, ["why", str(folder.path)])
    for output in (missing.stderr, why.stdout):
        assert "[red]run" in output
        assert not [code for code in STEERING if code in output]


def test_json_lines_hold_what_was_recorded(tmp_path: Path) -> None:
    run = str(write_run(tmp_path / "run", [evil_episode(), episode("wrong")]).path)
    first, second = (json.loads(line) for line in printed(run, "--json").splitlines())
    assert {first["sample_id"], second["sample_id"]} == {EVIL, 0}
    (evil,) = (record for record in (first, second) if record["sample_id"] == EVIL)
    assert EpisodeRecord.model_validate(evil) == evil_episode()


# Faulty files ------------------------------------------------------------------------------------


def test_a_torn_last_line_is_left_out(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", [episode("right"), episode("wrong", sample_id=1)])
    content = folder.episodes_file.read_bytes()
    folder.episodes_file.write_bytes(content[:-20])
    output = printed(str(folder.path))
    assert "rod:0" in output
    assert "rod:1" not in output


@pytest.mark.parametrize("options", [[], ["--sample", "rod:0"], ["--json"], ["--follow"]])
@pytest.mark.parametrize("line", ["nonsense", "{}", '{"scenario": "rod", "sample_id": 1}'])
def test_a_line_that_is_no_episode_is_named(line: str, options: list[str], tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", [episode("right")])
    with folder.episodes_file.open("a") as stream:
        stream.write(f"{line}\n")
    result = invoke(str(folder.path), *options)
    assert result.exit_code == 2
    assert f"{folder.episodes_file}, line 2: " in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_run_file_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{")
    result = invoke(str(tmp_path))
    assert result.exit_code == 2
    assert str(tmp_path / "run.json") in result.stderr


def test_a_run_that_is_not_there_is_named() -> None:
    result = invoke("nowhere")
    assert result.exit_code == 2
    assert "no run 'nowhere'" in result.stderr
