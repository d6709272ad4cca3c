"""A common vocabulary for the reasons why a model stopped writing.

| reason | meaning |
| --- | --- |
| stop | the model ended its reply |
| tool_calls | the reply ends with tool calls |
| length | the token limit cut the reply off |
| content_filter | the API's filter stopped the reply |
| error | the API could not finish the reply |
| tool_use_failed | Groq withheld the reply, whose tool call is malformed (`faults.WITHHELD`) |

Any other reason is kept as the API wrote it.
"""

_WORDS = {
    "stop": "stop eos eos_token end_turn stop_sequence complete completed",
    "tool_calls": "tool_calls tool_call tool_use function_call",
    # `model_length` and `model_context_window_exceeded` are what Mistral and Anthropic call a reply
    # that the context window cut off, `abort` is vLLM's word for a lost request,
    # `insufficient_system_resource` DeepSeek's for an overloaded server.
    "length": "length max_tokens max_output_tokens model_length model_context_window_exceeded",
    "content_filter": "content_filter content_filtered safety recitation prohibited_content"
    " blocklist spii",
    "error": "error failed abort cancelled network_error insufficient_system_resource",
}
_MEANINGS = {word: reason for reason, words in _WORDS.items() for word in words.split()}


def normalised(reason: str | None) -> str | None:
    """Translates an API's reason; None stays None. Raises TypeError for anything but text."""
    if reason is None:
        return None
    if not isinstance(reason, str):
        raise TypeError(f"finish_reason is a {type(reason).__name__}; expected text")
    return _MEANINGS.get(reason.casefold(), reason)
