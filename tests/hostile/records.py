"""Records of a model that puts terminal control sequences and markup into every text."""

from typing import Any

from proactive_agent.records.episode import EpisodeRecord
from tests.proactive_agent.written_records import FAILED, episode, turn

EVIL = "\x1b[2J\x1b]0;title\x07[red]markup[/red] [link=http://x]y[/link] \u202egnirts \r\x08\x9b2J"
STEERING = ("\x1b[2J", "\x1b]", "\x07", "\u202e", "\x08", "\r", "\x9b")


def evil_episode(**more: Any) -> EpisodeRecord:
    fields: dict[str, Any] = turn("ask", text=EVIL)
    fields["reply"]["tool_calls"] = [{"name": EVIL, "arguments": EVIL}]
    fields["action"] = {"kind": "invalid", "why": EVIL, "detail": EVIL}
    fields["notes"] = [EVIL]
    fields["prompt"] = EVIL
    fields["image"]["path"] = EVIL
    fields["tools"] = [{"name": EVIL, "parameters": {EVIL: [EVIL]}}]
    answer = {"text": EVIL, "kind": "category", "met": False}
    fields["judgement"] = {"judge": EVIL, "answers": [answer], "problem": EVIL}
    asked = turn("ask", 1)
    asked["action"] = asked["action"] | {"tool": EVIL, "argument": EVIL, "question": EVIL}
    said = turn("wrong", 2)
    said["action"] = said["action"] | {"category": EVIL}
    evil = {"target": EVIL, "answer": EVIL, "sample_id": EVIL, "condition": EVIL, "protocol": EVIL}
    turns = [fields, asked, said]
    return episode(
        **{"turns": turns, "error": {**FAILED, "kind": EVIL, "message": EVIL}} | evil | more
    )
