"""The variables of a chat template that a user sets."""

from typing import Any

from proactive_agent.providers.json_options import parse_json_object
from proactive_agent.tools import UserError


def template_variables(text: str | None) -> dict[str, Any]:
    """The variables of `--template-options`. Raises UserError."""
    options = parse_json_object("--template-options", text or None, '{"enable_thinking": false}')
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
