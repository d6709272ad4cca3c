"""Episode records that are built from the kinds of their turns."""

from typing import Any

from proactive_agent.records.episode import EpisodeRecord

FIRST_OF_KIND = {
    "ask": ({"kind": "intervention", "tool": "move_object", "argument": "left"},
            {"suggestion": "correct", "category": "mismatch"}),
    "right": ({"kind": "answer", "category": "Cat."},
              {"suggestion": "mismatch", "category": "correct"}),
    "wrong": ({"kind": "answer", "category": "Dog."},
              {"suggestion": "mismatch", "category": "wrong"}),
    "abstain": ({"kind": "abstain", "detail": "dark"},
                {"suggestion": "wrong", "category": "mismatch"}),
    "unreadable": ({"kind": "invalid", "why": "unreadable", "detail": "hm"},
                   {"suggestion": "mismatch", "category": "mismatch"}),
}  # fmt: skip


def turn(kind: str, index: int = 0, text: str = "", **more: Any) -> dict[str, Any]:
    """Returns a turn in the format of `episodes.jsonl`."""
    action, verdict = FIRST_OF_KIND[kind]
    return {
        "index": index,
        "image": {"path": f"a/{index}.png", "crop": None, "sha256": "0" * 64},
        "prompt": "What is it?",
        "options": [],
        "tools": [],
        "reply": {"text": text, "tool_calls": [], "finish_reason": "stop", "tool_format": None},
        "action": action,
        "via": "text",
        "notes": [],
        "verdict": verdict,
        "lenient_verdict": None,
        "usage": {"input_tokens": 10, "output_tokens": 2},
        **more,
    }


def episode(
    *kinds: str, scenario: str = "rod", sample_id: int = 0, stop: str = "answered",
    error: dict[str, str] | None = None, **more: Any,
) -> EpisodeRecord:  # fmt: skip
    """Returns an episode with turns of the given kinds."""
    turns = [turn(kind, index) for index, kind in enumerate(kinds)]
    fields = {
        "scenario": scenario,
        "sample_id": sample_id,
        "protocol": "tools",
        "condition": "zero-shot",
        "outcome": {
            "correct": kinds[-1:] == ("right",) and error is None,
            "stop": "error" if error else stop,
            "suggestions": kinds.count("ask"),
            "turns": len(kinds),
        },
        "answer": None,
        "target": "Cat.",
        "error": error,
        "usage": {"input_tokens": 10 * len(turns), "output_tokens": 2 * len(turns)},
        "turns": turns,
    }
    return EpisodeRecord.model_validate(fields | more)


FAILED = {"source": "provider", "kind": "timeout", "message": "no answer"}
