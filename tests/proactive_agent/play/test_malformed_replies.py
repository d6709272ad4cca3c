"""After any reply of a provider, the run continues and its folder can be read."""

import asyncio
import json
from dataclasses import fields, replace
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proactive_agent import evaluate
from proactive_agent.cli.app import cli
from proactive_agent.exports.tables import write_csv_tables, write_parquet_tables
from proactive_agent.metrics import summarise
from proactive_agent.play.judges.base import Case
from proactive_agent.play.judges.model import ModelJudge
from proactive_agent.play.judges.prompts import OwnPrompt
from proactive_agent.providers import (
    ProviderError,
    Reply,
    Request,
    RequestKey,
    SentImage,
    ServedBy,
    Usage,
)
from proactive_agent.providers.reply_check import LONGEST_TEXT, MOST_TOKENS, checked
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.tools import ToolCall
from tests.proactive_agent.scripted import Scripted, play

NONSENSE: list[Any] = [
    None, True, -1, 1.5, float("nan"), float("inf"), 2**70, int("9" * 400), 10**5000, "", "length",
    "\ud800", "x" * (LONGEST_TEXT + 1), b"bytes", [], {}, {"a": 1}, object(), ("a", 1), 5, 0.25,
]  # fmt: skip

junk = st.one_of(
    st.sampled_from(NONSENSE), st.text(st.characters(exclude_categories=())), st.integers(),
    st.floats(), st.lists(st.text(), max_size=2),
)  # fmt: skip


def some(kind: Any, **good: Any) -> st.SearchStrategy[Any]:
    """Objects of a class in which any field may hold junk."""
    names = [field.name for field in fields(kind)]
    return st.builds(
        kind, **{name: st.one_of(good.get(name, st.nothing()), junk) for name in names}
    )


calls = some(ToolCall, name=st.just("abstain"), arguments=st.just("{}"))
replies = st.one_of(
    some(
        Reply,
        text=st.sampled_from(["A.", ""]),
        tool_calls=st.one_of(st.just(()), st.lists(st.one_of(calls, junk), max_size=3)),
        finish_reason=st.just("length"),
        usage=some(Usage, cache_hit=st.booleans()),
        tool_format=st.sampled_from(["native", None]),
        sent_image=st.one_of(st.none(), some(SentImage)),
        served=st.one_of(st.none(), some(ServedBy)),
    ),
    junk,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(replies, min_size=4, max_size=4))
def test_any_reply_leaves_a_run_that_can_be_read(
    tmp_path_factory: pytest.TempPathFactory, given_replies: list[Any]
) -> None:
    folder = tmp_path_factory.mktemp("run")

    class Junk(Scripted):
        async def complete(self, request: Request) -> Reply:
            reply: Any = given_replies[request.key.turn % 4]
            return reply

    result = evaluate(Junk(), scenarios="rod", limit=2, out=folder / "run")
    run = RunFolder(folder / "run")
    assert result.manifest.status == "finished"
    assert len(run.outlines()) == len(list(run.episodes())) == 2
    assert not any(e.error and e.error.source == "record" for e in run.outlines())
    assert summarise(run.outlines()) == summarise(run.episodes()) == result.summary
    write_parquet_tables(run, folder / "parquet")
    write_csv_tables(run, folder / "csv")
    shown = CliRunner().invoke(cli, ["trace", str(run.path)])
    assert (shown.exit_code, shown.exception) == (0, None)


BAD_FIELDS = [
    ({"text": {"a": 1}}, "text"),
    ({"text": "x" * (LONGEST_TEXT + 1)}, "text is .*characters"),
    ({"finish_reason": {"type": "stop"}}, "finish_reason"),
    ({"finish_reason": "\ud800"}, "finish_reason"),
    ({"tool_calls": "abstain"}, "tool_calls"),
    ({"tool_calls": (ToolCall(7, "{}"),)}, r"tool_calls\[0\].name is 7"),  # type: ignore[arg-type]
    ({"tool_calls": (ToolCall("a", {}),)}, r"tool_calls\[0\].arguments"),  # type: ignore[arg-type]
    ({"tool_calls": (ToolCall("a", "", 7),)}, r"tool_calls\[0\].id is 7"),  # type: ignore[arg-type]
    ({"usage": None}, "usage is None"),
    ({"usage": Usage(output_tokens=2**70)}, "usage.output_tokens"),
    ({"usage": Usage(output_tokens=10**5000)}, "usage.output_tokens is a int"),
    ({"usage": Usage(input_tokens=-1)}, "usage.input_tokens is -1"),
    ({"usage": Usage(input_tokens="7")}, "usage.input_tokens"),  # type: ignore[arg-type]
    ({"usage": Usage(cached_tokens=1.5)}, "usage.cached_tokens is 1.5"),  # type: ignore[arg-type]
    ({"usage": Usage(cost_usd=float("nan"))}, "usage.cost_usd is nan"),
    ({"usage": Usage(seconds=-1.0)}, "usage.seconds"),
    ({"tool_format": "xml"}, "tool_format"),
    ({"served": "gpt"}, "served"),
    ({"served": ServedBy(model=4)}, "served.model is 4"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("wrong", "named"), BAD_FIELDS)
def test_a_malformed_reply_is_an_error_that_names_the_field(
    wrong: dict[str, Any], named: str
) -> None:
    reply = replace(Reply("A."), **wrong)
    with pytest.raises(ProviderError, match=named) as found:
        checked(reply)
    assert found.value.kind == "malformed"
    episode = asyncio.run(play("rod", Scripted(reply)))
    assert episode.error is not None
    assert (episode.error.source, episode.error.kind) == ("provider", "malformed")


def test_whole_numbers_of_other_types_are_kept() -> None:
    numpy = pytest.importorskip("numpy")
    usage = Usage(numpy.int64(MOST_TOKENS), 5.0, seconds=numpy.float32(0.5))  # type: ignore[arg-type]
    kept = checked(Reply("A.", usage=usage)).usage
    assert (kept.input_tokens, kept.output_tokens, kept.seconds) == (MOST_TOKENS, 5, 0.5)
    assert {type(kept.input_tokens), type(kept.output_tokens)} == {int}


def test_an_error_message_can_be_written_whatever_the_server_said() -> None:
    failure = ProviderError("bad\ud800", "\udfff" + "x" * 10_000)
    episode = asyncio.run(play("rod", Scripted(failure)))
    assert episode.error is not None
    assert (episode.error.kind, len(episode.error.message)) == ("bad?", 2000)
    assert json.loads(episode.model_dump_json())["error"]["message"].startswith("?x")


def test_a_malformed_reply_of_the_judge_is_its_error() -> None:
    judge = ModelJudge("x:y", Scripted(Reply("[]", usage=Usage(input_tokens=-5))), OwnPrompt())
    with pytest.raises(ProviderError, match=r"usage\.input_tokens is -5"):
        asyncio.run(judge.judge(Case("rod", "?", (), (), "A cat."), RequestKey("rod", 0, 0)))
