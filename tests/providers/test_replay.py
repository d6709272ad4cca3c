import asyncio
from pathlib import Path

import pytest

from proactive_agent.providers import ProviderError, Reply, Request, RequestKey, create_provider
from proactive_agent.tools import UserError


def reply(file: Path, key: RequestKey) -> Reply:
    return asyncio.run(create_provider(f"replay:{file}").complete(Request(key, ())))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "replies.jsonl"
    file.write_text(
        '{"scenario": "rod", "sample_id": 3, "replies": ["A.", "B."]}\n'
        "\n"
        '{"scenario": "coco2014", "sample_id": "x", "replies": [{"text": "t", "tool_calls": '
        '[{"name": "abstain", "arguments": {"reason": "r"}}, {"name": "a", "arguments": "{"}]}]}\n'
    )
    return file


def test_replies_come_turn_by_turn(file: Path) -> None:
    assert reply(file, RequestKey("rod", 3, 0)).text == "A."
    assert reply(file, RequestKey("rod", 3, 1)).text == "B."


def test_a_scenario_may_be_named_by_its_official_stem(file: Path) -> None:
    assert reply(file, RequestKey("coco", "x", 0, ("coco2014", "COCO"))).text == "t"


def test_tool_calls_come_back_as_they_were_written(file: Path) -> None:
    calls = reply(file, RequestKey("coco2014", "x", 0)).tool_calls
    assert [(call.name, call.arguments) for call in calls] == [
        ("abstain", '{"reason": "r"}'),
        ("a", "{"),
    ]
    assert calls[0].id != calls[1].id


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (RequestKey("rod", 3, 2), "no reply for turn 2, only 2 replies"),
        (RequestKey("rod", 4, 0), "no replies for this sample"),
    ],
)
def test_replies_that_run_out_are_an_error(file: Path, key: RequestKey, message: str) -> None:
    with pytest.raises(ProviderError, match=message) as raised:
        reply(file, key)
    assert raised.value.kind == "no_reply"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 2: not an episode"),
        ('{"scenario": "rod", "sample_id": 1}', "line 2: replies: Field required"),
        ('{"scenario": "rod", "sample_id": 1, "replies": [3]}', "line 2: replies"),
        ('{"scenario": "rod", "sample_id": 1, "turns": [{}]}', "line 2: not an episode"),
        ("[]", "line 2"),
    ],
)
def test_a_faulty_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    file = tmp_path / "r.jsonl"
    file.write_text('{"scenario": "rod", "sample_id": 0, "replies": []}\n' + line + "\n")
    with pytest.raises(UserError, match=message):
        create_provider(f"replay:{file}")


def test_a_missing_file_is_wrong_input(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.jsonl"):
        create_provider(f"replay:{tmp_path / 'none.jsonl'}")
