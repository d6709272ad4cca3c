"""Every failure is in exactly one group, and `why` counts them."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from proactive_agent.cli.app import cli
from proactive_agent.records import failures as f
from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.records.failure_groups import FailureGroup
from proactive_agent.records.failures import group
from proactive_agent.records.outline import outline_of
from proactive_agent.reports.failure_tables import find_failures
from tests.proactive_agent.run_folders import write_run
from tests.proactive_agent.written_records import FAILED, episode, turn


def request(tool: str, **more: Any) -> dict[str, Any]:
    """A turn that asks for a change that does not apply."""
    action = {"kind": "intervention", "tool": tool, "argument": "left"}
    verdict = {"suggestion": "wrong", "category": "mismatch"}
    return turn("ask", action=action, verdict=verdict, **more)


def invalid(why: str, **more: Any) -> dict[str, Any]:
    return turn("unreadable", action={"kind": "invalid", "why": why}, **more)


def vague(index: int = 0) -> dict[str, Any]:
    action = {"kind": "vague", "question": "Can you help me?"}
    verdict = {"suggestion": "mismatch", "category": "mismatch"}
    return turn("ask", index, action=action, verdict=verdict)


def cut(fields: dict[str, Any]) -> dict[str, Any]:
    """A turn whose reply the token limit cut off."""
    return fields | {"reply": fields["reply"] | {"finish_reason": "length"}}


def judged(problem: str | None = None) -> dict[str, Any]:
    return {"judge": "rules v1", "answers": [], "problem": problem}


def ended(*kinds: str, last: dict[str, Any] | None = None, **more: Any) -> EpisodeRecord:
    """An episode with turns of these kinds and a final turn."""
    record = episode(*kinds, **more)
    if last is None:
        return record
    fields = record.model_dump()
    fields["turns"].append(last)
    fields["outcome"]["turns"] += 1
    return EpisodeRecord.model_validate(fields)


OTHER_KIND = {"source": "judge", "kind": "timeout", "message": "x"}
LENIENT = {"suggestion": "mismatch", "category": "wrong"}


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (ended("wrong"), "guessed-first"),
        (ended(last=turn("wrong"), stop="answered"), "guessed-first"),
        (ended("ask", "wrong"), "stopped-early"),
        (ended("ask", "wrong", fewest=2), "stopped-early"),
        (ended("ask", "ask", "wrong", fewest=2), "misrecognised"),
        (ended("wrong", fewest=0), "guessed-first"),
        (ended("wrong", target="Dog."), "lucky"),
        (ended("ask", "wrong", target="Dog.", protocol="oeg"), "lucky"),
        (ended("wrong", condition="reference"), "misrecognised"),
        (ended("wrong", condition="hint+clear"), "misrecognised"),
        (ended("abstain", stop="abstained"), "abstained-first"),
        (ended("ask", "abstain", stop="abstained"), "abstained-later"),
        (ended("ask", "ask", stop="turn_limit"), "turn-limit"),
        (ended("ask", last=request("move_object"), stop="turn_limit"), "turn-limit"),
        (ended(last=request("move_object"), stop="turn_limit"), "wrong-intervention"),
        (ended("ask", last=request("move_object"), stop="invalid"), "wrong-intervention"),
        (ended(last=request("add_details"), stop="invalid"), "not-applicable"),
        (ended(last=request("ask_clarification"), stop="invalid"), "irrelevant"),
        (ended(last=request("move_object"), stop="invalid", condition="clear"), "over-asked"),
        (ended(last=request("ask_clarification"), condition="clear"), "over-asked"),
        (ended("ask", last=vague(1), stop="turn_limit"), "vague"),
        (ended(last=vague(), condition="clear"), "over-asked"),
        (ended("ask", stop="left_video"), "left-video"),
        (ended("unreadable", stop="invalid"), "unreadable"),
        (ended(last=invalid("several_calls"), stop="invalid"), "unreadable"),
        (ended(last=invalid("unknown_tool"), stop="invalid"), "bad-call"),
        (ended(last=invalid("bad_arguments"), stop="invalid"), "bad-call"),
        (ended(last=invalid("unreadable", lenient_verdict=LENIENT)), "strict-parser"),
        (ended(last=invalid("empty", judgement=judged())), "unreadable"),
        (ended(last=request("move_object", judgement=judged("no bits"))), "unjudged"),
        (ended("ask", stop="turn_limit", protocol="oeg"), "asked-once"),
        (ended("ask", "ask", stop="turn_limit", protocol="oeg"), "turn-limit"),
        (ended(last=cut(invalid("empty"))), "cut-off"),
        (ended(last=invalid("cut_off")), "cut-off"),
        (ended("ask", last=cut(request("ask_clarification")), stop="turn_limit"), "cut-off"),
        (ended(last=cut(request("move_object"))), "wrong-intervention"),
        (ended(last=cut(turn("wrong"))), "guessed-first"),
        (ended(last=cut(invalid("unreadable", lenient_verdict=LENIENT))), "strict-parser"),
        (ended("ask", error=FAILED), "error:timeout"),
        (ended(error=OTHER_KIND), "error:timeout"),
        (ended(stop="invalid"), "other"),
        (ended("right"), None),
    ],
)
def test_the_end_of_an_episode_gives_its_group(record: EpisodeRecord, expected: str | None) -> None:
    found = group(record)
    assert (found and found.name) == expected


def test_wrong_answers_after_refused_requests_are_guesses() -> None:
    record = ended(last=request("move_object"))
    fields = record.model_dump()
    fields["turns"].append(turn("wrong", 1))
    assert group(EpisodeRecord.model_validate(fields)) == f.GUESSED_LATER


# An independent definition of each group. Exactly one of them must hold for every failure.
Test = Callable[[EpisodeRecord], bool]


def _last(e: EpisodeRecord) -> Any:
    return e.turns[-1].action if e.turns else None


def _kind(e: EpisodeRecord) -> str:
    if e.error is not None:
        return "error"
    if not e.turns:
        return "none"
    judgement = e.turns[-1].judgement
    if judgement and judgement.problem:
        return "unjudged"
    return "cut_off" if _cut_off(e) else str(_last(e).kind)


def _cut_off(e: EpisodeRecord) -> bool:
    if e.turns[-1].lenient_verdict:
        return False
    if e.turns[-1].reply.finish_reason != "length":
        return bool(_last(e).why == "cut_off")
    if _last(e).kind == "intervention":
        return bool(_last(e).tool == "ask_clarification")
    whole_call = _last(e).why == "unknown_tool"
    return _last(e).kind == "invalid" and not whole_call


def _asks(e: EpisodeRecord) -> bool:
    ends = _at_limit(e) or _left(e)
    return _kind(e) == "intervention" and not _is_clear(e) and not ends


def _is_clear(e: EpisodeRecord) -> bool:
    return "clear" in e.condition


def _at_limit(e: EpisodeRecord) -> bool:
    return e.outcome.stop == "turn_limit" and e.outcome.suggestions > 0


def _left(e: EpisodeRecord) -> bool:
    return _kind(e) == "intervention" and e.outcome.stop == "left_video" and not _is_clear(e)


def _limited(e: EpisodeRecord) -> bool:
    return _kind(e) == "intervention" and _at_limit(e) and not _is_clear(e)


def _asked_once(e: EpisodeRecord) -> bool:
    return e.protocol == "oeg" and len(e.turns) == 1


def _sees(e: EpisodeRecord) -> bool:
    enough = e.fewest is not None and 0 < e.outcome.suggestions >= e.fewest
    return _is_clear(e) or "reference" in e.condition or enough


def _lucky(e: EpisodeRecord) -> bool:
    named = _kind(e) == "answer" and _last(e).category == e.target
    return named and e.turns[-1].verdict.category != "correct"


def _answers(e: EpisodeRecord) -> bool:
    return _kind(e) == "answer" and not _lucky(e)


def _guesses(e: EpisodeRecord) -> bool:
    return _answers(e) and not _sees(e) and not e.outcome.suggestions


def _unread(e: EpisodeRecord) -> bool:
    return _kind(e) == "invalid"


def _strict(e: EpisodeRecord) -> bool:
    return _unread(e) and e.turns[-1].lenient_verdict is not None


def _badly_called(e: EpisodeRecord) -> bool:
    return _last(e) is not None and _last(e).why in ("unknown_tool", "bad_arguments")


OWN_TOOLS = {"rod": "move_object", "coco": "move_camera"}
MEANINGS: dict[str, Test] = {
    "guessed-first": lambda e: _guesses(e) and len(e.turns) == 1,
    "guessed-later": lambda e: _guesses(e) and len(e.turns) > 1,
    "stopped-early": lambda e: _answers(e) and not _sees(e) and e.outcome.suggestions > 0,
    "misrecognised": lambda e: _answers(e) and _sees(e),
    "lucky": _lucky,
    "turn-limit": lambda e: _limited(e) and not _asked_once(e),
    "asked-once": lambda e: _limited(e) and _asked_once(e),
    "left-video": _left,
    "over-asked": lambda e: _kind(e) in ("intervention", "vague") and _is_clear(e),
    "vague": lambda e: _kind(e) == "vague" and not _is_clear(e),
    "abstained-first": lambda e: _kind(e) == "abstain" and len(e.turns) == 1,
    "abstained-later": lambda e: _kind(e) == "abstain" and len(e.turns) > 1,
    "irrelevant": lambda e: _asks(e) and _last(e).tool == "ask_clarification",
    "wrong-intervention": lambda e: _asks(e) and _last(e).tool == OWN_TOOLS[e.scenario],
    "not-applicable": lambda e: (
        _asks(e) and _last(e).tool not in (OWN_TOOLS[e.scenario], "ask_clarification")
    ),
    "bad-call": lambda e: _unread(e) and not _strict(e) and _badly_called(e),
    "unreadable": lambda e: _unread(e) and not _strict(e) and not _badly_called(e),
    "strict-parser": _strict,
    "cut-off": lambda e: _kind(e) == "cut_off",
    "unjudged": lambda e: _kind(e) == "unjudged",
    "error:timeout": lambda e: e.error is not None and e.error.kind == "timeout",
    "error:image": lambda e: e.error is not None and e.error.kind == "image",
    "other": lambda e: _kind(e) == "none",
}


def random_episode(rng: random.Random) -> EpisodeRecord:
    """A random episode that a record can hold, plausible or not."""
    turns = []
    for index in range(rng.choice([0, 1, 1, 2, 3])):
        kind = rng.choice(["ask", "right", "wrong", "abstain", "unreadable", "vague"])
        fields = vague(index) if kind == "vague" else turn(kind, index)
        if kind == "ask":
            tools = ["move_object", "move_camera", "add_details", "ask_clarification"]
            fields["action"] = fields["action"] | {"tool": rng.choice(tools)}
        if kind == "unreadable":
            reasons = ["empty", "unreadable", "bad_json", "cut_off", "unknown_tool"]
            fields["action"] = fields["action"] | {"why": rng.choice(reasons)}
            fields["lenient_verdict"] = rng.choice([None, LENIENT])
        fields["judgement"] = rng.choice([None, None, None, judged(), judged("no bits")])
        fields = cut(fields) if rng.random() < 0.2 else fields
        turns.append(fields)
    errors = [None, None, None, FAILED, {"source": "data", "kind": "image", "message": "x"}]
    error = rng.choice(errors)
    record = episode(
        scenario=rng.choice(["rod", "coco"]),
        sample_id=rng.randrange(10**9),
        protocol=rng.choice(["tools", "oeg"]),
        condition=rng.choice(["zero-shot", "hint", "reference", "clear"]),
        target=rng.choice(["Cat.", "Cat.", "Dog."]),
        fewest=rng.choice([None, 0, 1, 2]),
        error=error,
        turns=turns,
    ).model_dump()
    record["outcome"] = {
        "correct": error is None and rng.random() < 0.2,
        "stop": rng.choice(["answered", "abstained", "invalid", "turn_limit", "left_video"]),
        "suggestions": rng.choice([0, 1, 2]),
        "turns": len(turns),
    }
    return EpisodeRecord.model_validate(record)


EPISODES = [random_episode(random.Random(seed)) for seed in range(2000)]


def test_each_failure_has_exactly_one_meaning_and_a_success_has_none() -> None:
    for record in EPISODES:
        holding = {name for name, holds in MEANINGS.items() if holds(record)}
        found = group(record)
        if record.outcome.correct:
            assert found is None
        else:
            assert found is not None
            assert holding == {found.name}, record.model_dump_json()


def test_the_random_episodes_fill_every_group() -> None:
    found = {failure.name for record in EPISODES if (failure := group(record))}
    assert found == set(MEANINGS)
    assert {one.name for one in f.GROUPS} <= found


def test_an_outline_is_in_the_group_of_its_record() -> None:
    for record in EPISODES[:300]:
        assert group(outline_of(record)) == group(record)


def test_the_groups_of_a_run_add_up_to_its_failures() -> None:
    found = find_failures(EPISODES)
    assert found.episodes == len(EPISODES)
    assert found.failed == sum(not record.outcome.correct for record in EPISODES)
    assert sum(one.episodes for one in found.groups) == found.failed
    for scenario in ("rod", "coco"):
        shares = [
            one.scenarios[scenario].share for one in found.groups if scenario in one.scenarios
        ]
        assert sum(shares) + found.right[scenario].share == pytest.approx(1)
    sizes = [one.episodes for one in found.groups]
    assert sizes == sorted(sizes, reverse=True)


def test_examples_come_from_different_scenarios_if_possible() -> None:
    records = [
        episode("wrong", sample_id=1),
        episode("wrong", sample_id=2),
        episode("wrong", scenario="coco", sample_id=3),
        episode("abstain", sample_id=4, stop="abstained"),
        episode("abstain", sample_id=5, stop="abstained"),
        episode("abstain", sample_id=6, stop="abstained"),
    ]
    guessed, gave_up = find_failures(records).groups
    assert [key[:2] for key in guessed.examples] == [("rod", 1), ("coco", 3)]
    assert [key[:2] for key in gave_up.examples] == [("rod", 4), ("rod", 5)]


def test_a_group_name_is_distinguished_from_other_words() -> None:
    assert f.is_group_name("guessed-first")
    assert f.is_group_name("error:timeout")
    assert not f.is_group_name("guessed")
    assert len({one.name for one in f.GROUPS}) == len({one.title for one in f.GROUPS})


def test_titles_leave_room_for_seven_scenarios() -> None:
    assert max(len(one.title) for one in f.GROUPS) <= 24
    assert all(isinstance(one, FailureGroup) and one.meaning.endswith(".") for one in f.GROUPS)


# The command -------------------------------------------------------------------------------------


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


@pytest.fixture
def run(tmp_path: Path) -> str:
    records = [
        episode("right", sample_id=0),
        episode("wrong", sample_id=1),
        episode("wrong", sample_id=2, repeat=1),
        episode("wrong", scenario="coco", sample_id=3),
        episode("ask", sample_id=4, error=FAILED),
    ]
    return str(write_run(tmp_path / "run", records).path)


def test_why_shows_counts_shares_and_commands_that_open_examples(run: str) -> None:
    output = invoke("why", run).stdout
    assert ["guessed", "on", "first", "turn", "3", "50.0", "100.0"] in [
        line.split() for line in output.splitlines()
    ]
    assert "guessed on first turn: 3 of 4 failures, 75.0 %" in output
    assert f"trace {run} --sample rod:1\n" in output
    assert f"trace {run} --sample coco:3\n" in output
    assert f"trace {run} --group guessed-first\n" in output
    assert f"trace {run} --sample rod:4\n" in output
    assert "--group error:timeout" not in output


def test_why_calls_the_latest_run_latest(run: str) -> None:
    folder = str(Path(run).parent)
    output = invoke("why", "latest", "--out", folder).stdout
    assert f"trace latest --out {folder} --sample rod:1\n" in output
    write_run(Path(folder) / "newer", [episode("wrong", sample_id=1)])
    manifest = Path(folder) / "newer" / "run.json"
    fields = json.loads(manifest.read_text())
    manifest.write_text(json.dumps(fields | {"started": "2999-01-01T00:00:00Z"}))
    output = invoke("why", run, "--out", folder).stdout
    assert f"trace {run} --sample rod:1\n" in output


def test_a_printed_command_opens_its_example(run: str) -> None:
    shown = invoke("why", run, "--scenario", "coco").stdout
    (command,) = (line for line in shown.splitlines() if "--sample" in line)
    result = invoke(*command.split()[3:])
    assert result.stdout.startswith("coco:3  tools, zero-shot  wrong (answered): guessed on")


def test_an_example_that_is_a_repetition_names_it(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", [episode("wrong", repeat=2)])
    assert "--sample rod:0 --repeat 3" in invoke("why", str(folder.path)).stdout


def test_why_as_json(run: str) -> None:
    found = json.loads(invoke("why", run, "--format", "json").stdout)
    assert found["failed"] == 4
    assert found["right"]["rod"] == {"episodes": 1, "share": 0.25}
    largest = found["groups"][0]
    assert (largest["name"], largest["episodes"], largest["share"]) == ("guessed-first", 3, 0.75)
    assert largest["scenarios"]["coco"] == {"episodes": 1, "share": 1.0}
    assert largest["examples"] == [["rod", 1, 0], ["coco", 3, 0]]


def test_why_as_markdown(run: str) -> None:
    output = invoke("why", run, "--format", "markdown").stdout
    assert "| guessed on first turn | 3 | 50.0 | 100.0 |" in output


def test_a_run_without_failures_says_so(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", [episode("right")])
    assert "Nothing failed." in invoke("why", str(folder.path)).stdout


def test_a_run_without_episodes_says_so(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    result = invoke("why", str(folder.path))
    assert result.exit_code == 0, result.output
    assert "Nothing was played." in result.stdout
