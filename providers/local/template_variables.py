"""The variables of a chat template that a user sets."""

import json
from typing import Any

from proactive_agent.tools import UserError


def template_variables(text: str | None) -> dict[str, Any]:
    """The variables of `--template-options`.  Raises UserError."""
    try:
        options = json.loads(text or "{}")
    except ValueError as error:
        raise UserError(f"--template-options {text!r} is not JSON: {error}") from None
    if not isinstance(options, dict):
        raise UserError(
            f"--template-options must be a JSON object, got {text!r}; "
            """for example '{"enable_thinking": false}'"""
        )
    if reserved := _RESERVED & set(options):
        raise UserError(f"--template-options cannot set {', '.join(sorted(reserved))}")
    return options


_RESERVED = frozenset(
    {
        "add_generation_prompt", "chat_template", "conversation", "conversations", "messages",
        "return_dict", "return_tensors", "strftime_now", "tokenize", "tools",
    }
)  # fmt: skip
"""Variables that the program itself passes to a chat template."""
