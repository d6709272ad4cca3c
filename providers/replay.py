"""`replay:FILE`: replies from a file, turn by turn.

The file contains JSON lines `{"scenario": "rod", "sample_id": 3, "replies": ["B. …", …]}`. A reply
is a text or an object `{"text": …, "tool_calls": [{"name": …, "arguments": {…}}]}`. The scenario
is a short name or an official file stem. A line applies to every repetition of its sample, or only
to the repetition given in `"repeat"`. The `episodes.jsonl` of a run is also accepted.
"""

import json
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from proactive_agent.disk.regular_file import open_regular_text
from proactive_agent.providers.base import Provider, ProviderError, ProviderOptions
from proactive_agent.providers.messages import Reply, Request
from proactive_agent.tools import ToolCall, UserError
from proactive_agent.tools.errors import first_problem


class _Call(BaseModel):
    name: str
    arguments: str | dict[str, Any] = Field(default_factory=dict)
    id: str = ""


class _Reply(BaseModel):
    text: str = ""
    tool_calls: list[_Call] = Field(default_factory=list)

    def as_reply(self, turn: int) -> Reply:
        calls = tuple(
            ToolCall(
                call.name,
                call.arguments if isinstance(call.arguments, str) else json.dumps(call.arguments),
                call.id or f"replay-{turn}-{index}",
            )
            for index, call in enumerate(self.tool_calls)
        )
        return Reply(
            text=self.text,
            tool_calls=calls,
            finish_reason="replayed",
            tool_format="native" if calls else None,
        )


class _ReplayLine(BaseModel):
    scenario: str
    sample_id: int | str
    repeat: int | None = None
    replies: list[str | _Reply]


_LINE = TypeAdapter(_ReplayLine)


class Replay(Provider):
    """Returns recorded replies."""

    needs_images: ClassVar[bool] = False
    uses_temperature: ClassVar[bool] = False

    def __init__(self, file: Path) -> None:
        self.file = file
        self._replies: dict[tuple[str, str, int | None], list[_Reply]] = {}
        for line in _read(file):
            replies = [_Reply(text=r) if isinstance(r, str) else r for r in line.replies]
            self._replies[line.scenario.lower(), str(line.sample_id), line.repeat] = replies

    @classmethod
    def create(cls, model: str, options: ProviderOptions) -> Self:
        return cls(Path(model))

    async def complete(self, request: Request) -> Reply:
        key, turn = request.key, request.key.turn
        found = (
            self._replies.get((name.lower(), str(key.sample_id), repeat))
            for name in (key.scenario, *key.aliases)
            for repeat in (key.repeat, None)
        )
        replies = next((replies for replies in found if replies is not None), None)
        if replies is None:
            which = f" in repetition {key.repeat}" if key.repeat else ""
            raise ProviderError("no_reply", f"{self.file} has no replies for this sample{which}")
        if turn >= len(replies):
            raise ProviderError(
                "no_reply", f"{self.file} has no reply for turn {turn}, only {len(replies)} replies"
            )
        return replies[turn].as_reply(turn)

    def manifest(self) -> dict[str, Any]:
        return {"file": self.file.name}


def _read(file: Path) -> list[_ReplayLine]:
    lines = []
    try:
        with open_regular_text(file) as stream:
            for number, text in enumerate(stream, 1):
                if text.strip():
                    lines.append(_parse(text, f"{file}, line {number}"))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{file}: {error}") from None
    return lines


def _parse(text: str, place: str) -> _ReplayLine:
    try:
        fields = json.loads(text)
        if isinstance(fields, dict) and "replies" not in fields and "turns" in fields:
            fields["replies"] = [turn["reply"] for turn in fields["turns"]]
        return _LINE.validate_python(fields)
    except ValidationError as error:
        raise UserError(f"{place}: {first_problem(error)}") from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UserError(f"{place}: not an episode ({error})") from None
