"""Selection of episodes in `trace`: filters, queries, orders, two runs, unfinished runs."""

import json
import threading
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from proactive_agent.cli.app import cli
from proactive_agent.cli.trace import ORDERS as OFFERED
from proactive_agent.records import run_folder
from proactive_agent.records.describe import short_steps_of, steps_of
from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.records.outline import outline_of
from proactive_agent.records.run_folder import EpisodeWriter, RunFolder
from proactive_agent.views.divergence import EpisodePair, divergence
from proactive_agent.views.search import Search
from proactive_agent.views.selection import ORDERS, Order, in_order
from tests.proactive_agent.run_folders import write_run
from tests.proactive_agent.written_records import FAILED, episode, turn

RECORDS = [
    episode("ask", "right", sample_id=10),
    episode("wrong", sample_id=2),
    episode("ask", "abstain", sample_id=2, repeat=1, stop="abstained"),
    episode(sample_id=3, error=FAILED),
    episode("wrong", scenario="coco", sample_id=2, usage={"input_tokens": 900, "cost_usd": 0.5}),
    episode("ask", "ask", "ask", scenario="coco", sample_id=7, stop="turn_limit"),
]
ENDED = {"correct": False, "stop": "answered", "suggestions": 1, "turns": 2}
NAMES = ["rod:2", "rod:2 #2", "rod:3", "rod:10", "coco:2", "coco:7"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_run(tmp_path_factory.mktemp("runs") / "run", RECORDS).path)


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["trace", *arguments])


def listed(*arguments: str) -> list[str]:
    """Returns the names in the first column."""
    result = invoke(*arguments)
    assert result.exit_code == 0, result.output
    rows = result.stdout.partition("─\n")[2].splitlines()
    return [row.split("  ")[0] for row in takewhile(bool, rows)]


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ([], NAMES),
        (["--wrong"], ["rod:2", "rod:2 #2", "coco:2", "coco:7"]),
        (["--correct"], ["rod:10"]),
        (["--errors"], ["rod:3"]),
        (["--errors", "--correct"], ["rod:3", "rod:10"]),
        (["--scenario", "COCO"], ["coco:2", "coco:7"]),
        (["--scenario", "rod,coco", "--correct"], ["rod:10"]),
        (["--repeat", "2"], ["rod:2 #2"]),
        (["--limit", "2"], ["rod:2", "rod:2 #2"]),
        (["--group", "guessed-first"], ["rod:2", "coco:2"]),
        (["--group", "error:timeout"], ["rod:3"]),
        (["--group", "error:other"], []),
        (["--sort", "ended"], ["rod:10", "rod:2", "rod:2 #2", "rod:3", "coco:2", "coco:7"]),
        (["--sort", "turns", "--limit", "2"], ["coco:7", "rod:2 #2"]),
        (["--sort", "cost", "--limit", "1"], ["coco:2"]),
        (["--search", "wrong|error rod -abstain"], ["rod:2", "rod:3"]),
    ],
)
def test_options_choose_and_sort(options: list[str], found: list[str], run: str) -> None:
    assert listed(run, *options) == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", NAMES),
        ("wrong", ["rod:2", "rod:2 #2", "coco:2", "coco:7"]),
        ("Correct", ["rod:10"]),
        ("error", ["rod:3"]),
        ("rod wrong", ["rod:2", "rod:2 #2"]),
        ("coco|rod correct|error", ["rod:3", "rod:10"]),
        ("-rod", ["coco:2", "coco:7"]),
        ("turn-limit", ["coco:7"]),
        ("error:timeout", ["rod:3"]),
        ("abstained", ["rod:2 #2"]),
        ("dog", ["rod:2", "coco:2"]),
        ("move_object(left)", ["rod:2 #2", "rod:10", "coco:7"]),
        ("rod:2", ["rod:2", "rod:2 #2"]),
        ("turns>1", ["rod:2 #2", "rod:10", "coco:7"]),
        ("turns>=2 turns<=2", ["rod:2 #2", "rod:10"]),
        ("turns!=1 asked=3", ["coco:7"]),
        ("repeat=2", ["rod:2 #2"]),
        ("input>100", ["coco:2"]),
        ("cost<0.1", []),
        ('"WHAT IS IT?"', ["rod:2", "rod:2 #2", "rod:10", "coco:2", "coco:7"]),
        ('-"what is it?"', ["rod:3"]),
        ('"no answer"', ["rod:3"]),
        ('"no answer', ["rod:3"]),
        ("- |", NAMES[:0]),
    ],
)
def test_a_query_means_what_the_help_says(query: str, found: list[str]) -> None:
    search = Search(query)
    names = dict(zip(NAMES, in_order(map(outline_of, RECORDS)), strict=True))
    lines = {record.key: record.model_dump_json().encode() for record in RECORDS}
    assert [
        name for name, one in names.items() if search.matches(one, lambda o=one: lines[o.key])
    ] == found


def request(via: str, **more: Any) -> EpisodeRecord:
    """Returns an episode that begins with a request in words, by call or by text."""
    asked = turn("ask", via=via)
    asked["action"] = asked["action"] | {"question": "Could you move it?"} | more
    return episode(turns=[asked, turn("wrong", 1)], outcome=ENDED)


@pytest.mark.parametrize(
    ("record", "steps", "in_short"),
    [
        (
            request("call"),
            "ask_clarification: move_object(left) → answer: Dog.",
            "ask left → Dog",
        ),
        (
            request("call", mapped=True),
            "ask_clarification: move_object(left) mapped from a request → answer: Dog.",
            "ask left → Dog",
        ),
        (
            request("call", tool="ask_clarification", argument=None),
            "ask_clarification: asks for nothing that helps → answer: Dog.",
            "ask ? → Dog",
        ),
        (request("text"), "move_object(left) by request → answer: Dog.", "say left → Dog"),
        (
            episode("ask", "wrong"),
            "move_object(left) → answer: Dog.",
            "left → Dog",
        ),
    ],
    ids=["called", "mapped", "in vain", "said", "no request"],
)
def test_a_list_tells_calls_for_requests_from_other_ways_to_ask(
    record: EpisodeRecord, steps: str, in_short: str
) -> None:
    assert (steps_of(record), short_steps_of(record)) == (steps, in_short)
    called = steps.startswith("ask_clarification")
    assert Search("wrong rod ask_clarification").matches(outline_of(record), bytes) is called


def test_a_text_is_found_as_it_reads_not_as_it_is_escaped() -> None:
    record = episode(turns=[turn("wrong", text='He said: "Ä\nÖ"')])
    line = record.model_dump_json().encode()
    for query, there in (('"ä\nÖ"', True), ('"said: "', True), ('"ä ö"', False)):
        assert Search(query).matches(outline_of(record), lambda: line) is there


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--search", "colour>3"], "unknown number 'colour' in the query; known: turns, asked"),
        (["--search", "turns>>3"], "'turns>>3' in the query cannot be read"),
        (["--search", "turns > 3"], "'>' in the query cannot be read"),
        (["--search", "turns>three"], "for example turns>3"),
        (["--group", "bad-luck"], "did you mean 'bad-call'? known: guessed-first"),
        (["--sample", "rod:99"], "holds no episode rod:99; of rod it has "),
        (["--sample", "rod:2", "--correct"], "run holds rod:2, but other options exclude it"),
        (["--sample", "rod"], "expected SCENARIO:ID"),
        (["--scenario", "cubism"], "unknown scenario 'cubism'"),
        (["--diff", "nowhere"], "no run 'nowhere'"),
        (["--sort", "colour"], "Invalid value for '--sort'"),
    ],
)
def test_wrong_input_is_named(options: list[str], message: str, run: str) -> None:
    result = invoke(run, *options)
    assert result.exit_code == 2
    assert message in result.stderr


@pytest.mark.parametrize("order", ["sample", "ended", "turns"])
def test_samples_of_unlike_ids_and_unknown_scenarios_are_sorted_as_well(order: Order) -> None:
    records = [
        episode(scenario="zoo", sample_id=1),
        episode(sample_id="b"),  # type: ignore[arg-type]
        episode(scenario="coco"),
        episode(sample_id=12),
    ]
    found = in_order(map(outline_of, records), order)
    if order != "ended":
        assert [(e.scenario, e.sample_id) for e in found] == [
            ("rod", 12), ("rod", "b"), ("coco", 0), ("zoo", 1),
        ]  # fmt: skip


def test_the_orders_offered_are_those_there_are() -> None:
    assert OFFERED == ORDERS


# Two runs ----------------------------------------------------------------------------------------


def other_question(question: str) -> dict[str, Any]:
    fields = turn("ask")
    fields["action"] = fields["action"] | {"question": question}
    return fields


@pytest.mark.parametrize(
    ("first", "second", "index", "change"),
    [
        (episode("ask", "right"), episode("ask", "right"), None, "same"),
        (episode("wrong"), episode("abstain"), 0, "parted"),
        (episode("ask", "right"), episode("ask", "wrong"), 1, "lost"),
        (episode("ask", "wrong"), episode("ask", "ask", "right"), 1, "gained"),
        (episode("ask"), episode("ask", "ask"), 1, "parted"),
        (episode(error=FAILED), episode("right"), 0, "gained"),
        (episode(turns=[other_question("a")]), episode(turns=[other_question("b")]), None, "same"),
    ],
)
def test_where_two_episodes_part(
    first: EpisodeRecord, second: EpisodeRecord, index: int | None, change: str
) -> None:
    assert divergence(first, second) == index
    assert EpisodePair(outline_of(first), outline_of(second)).change == change


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> str:
    records = [
        episode("ask", "wrong", sample_id=10),
        episode("ask", "right", sample_id=2),
        episode("ask", "abstain", sample_id=2, repeat=1, stop="abstained"),
        episode("ask", "ask", "ask", scenario="coco", sample_id=8, stop="turn_limit"),
    ]
    folder = tmp_path_factory.mktemp("other") / "run"
    return str(write_run(folder, records, condition="hint").path)


def test_diff_shows_the_samples_of_both_runs(run: str, other: str) -> None:
    assert listed(run, "--diff", other) == ["rod:2", "rod:2 #2", "rod:10"]
    output = invoke(run, "--diff", other).stdout
    assert "turn 1: answer: Dog. | move_object(left)" in output
    assert "3 samples in both runs: 1 lost, 1 gained, 0 parted, 1 same" in output
    assert "differ in condition: hint, zero-shot" in invoke(run, "--diff", other).stderr


@pytest.mark.parametrize(
    ("query", "found"),
    [("lost", ["rod:10"]), ("lost|gained rod:2", ["rod:2"]), ("-same", ["rod:2", "rod:10"])],
)
def test_a_query_names_changes_beside_another_run(
    query: str, found: list[str], run: str, other: str
) -> None:
    assert listed(run, "--diff", other, "--search", query) == found


def test_diff_of_one_sample_shows_what_is_common_once(run: str, other: str) -> None:
    output = invoke(run, "--diff", other, "--sample", "rod:10").stdout
    assert output.count("turn 1  a/0.png") == 1
    assert output.count("turn 2  a/1.png") == 2
    before, first, second = output.split("── from here on, the ")
    assert first.startswith("first run ──")
    assert "category correct" in first
    assert "category wrong" in second
    assert "suggestion correct" in before


def test_diff_of_a_sample_that_one_run_lacks_says_so(run: str, other: str) -> None:
    result = invoke(run, "--diff", other, "--sample", "coco:7")
    assert result.exit_code == 2
    assert "no episode coco:7 is in both runs" in result.stderr


def test_diff_of_a_sample_that_other_options_exclude_says_so(run: str, other: str) -> None:
    result = invoke(run, "--diff", other, "--sample", "rod:10", "--wrong")
    assert result.exit_code == 2
    assert "both runs hold rod:10, but other options exclude it" in result.stderr


def test_diff_as_json_holds_both_records(run: str, other: str) -> None:
    lines = [
        json.loads(line) for line in invoke(run, "--diff", other, "--json").stdout.splitlines()
    ]
    lost = next(line for line in lines if line["change"] == "lost")
    assert (lost["scenario"], lost["sample_id"], lost["repeat"], lost["parting"]) == (
        "rod",
        10,
        0,
        1,
    )
    assert EpisodeRecord.model_validate(lost["first"]) == RECORDS[0]
    assert lost["second"]["outcome"]["correct"] is False


# A run in progress -------------------------------------------------------------------------------


@pytest.fixture
def going_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    monkeypatch.setattr(run_folder, "POLL_SECONDS", 0.01)
    return write_run(tmp_path / "run", RECORDS[:1], status="running")


@pytest.fixture
def writer(going_on: RunFolder) -> Iterator[EpisodeWriter]:
    """The process that plays the run: while it holds the lock, the run goes on."""
    with EpisodeWriter(going_on) as writer:
        yield writer


def finish(folder: RunFolder) -> None:
    manifest = folder.read_manifest()
    folder.write_manifest(manifest.model_copy(update={"status": "finished"}))


def test_follow_gives_episodes_as_they_end_until_the_run_has(
    going_on: RunFolder, writer: EpisodeWriter
) -> None:
    steps = iter(RECORDS[1:4])

    def sleep(_: float) -> None:
        record = next(steps, None)
        if record is None:
            finish(going_on)
            return
        writer.write(record)

    found = [outline.key for outline in going_on.follow(sleep)]
    assert found == [record.key for record in RECORDS[:4]]


@pytest.mark.usefixtures("writer")
def test_follow_waits_for_the_end_of_a_line(going_on: RunFolder) -> None:
    line = RECORDS[1].model_dump_json().encode() + b"\n"
    halves = iter((line[:70], line[70:]))

    def sleep(_: float) -> None:
        half = next(halves, None)
        if half is None:
            finish(going_on)
            return
        with going_on.episodes_file.open("ab") as stream:
            stream.write(half)

    found = [outline.key for outline in going_on.follow(sleep)]
    assert found == [RECORDS[0].key, RECORDS[1].key]


def test_what_is_written_before_the_end_is_not_missed(
    going_on: RunFolder, writer: EpisodeWriter
) -> None:
    """Writes the last episode between the last check of the file and the run's end."""

    def sleep(_: float) -> None:
        writer.write(RECORDS[1])
        finish(going_on)

    assert len(list(going_on.follow(sleep))) == 2


@pytest.mark.parametrize(("options", "lines"), [([], 4), (["--json"], 2), (["--wrong"], 3)])
def test_follow_prints_while_the_run_goes_on(
    going_on: RunFolder, writer: EpisodeWriter, options: list[str], lines: int
) -> None:
    def play() -> None:
        writer.write(RECORDS[1])
        finish(going_on)

    thread = threading.Timer(0.1, play)
    thread.start()
    result = invoke(str(going_on.path), "--follow", *options)
    thread.join()
    assert result.exit_code == 0, result.output
    assert len(result.stdout.splitlines()) == lines


def test_follow_ends_when_the_process_that_plays_is_gone(going_on: RunFolder) -> None:
    assert len(list(going_on.follow())) == 1
    assert going_on.read_manifest().status == "interrupted"


def test_follow_beside_another_run_is_wrong_input(run: str, other: str) -> None:
    result = invoke(run, "--follow", "--diff", other)
    assert result.exit_code == 2
    assert "cannot be used with --follow" in result.stderr
