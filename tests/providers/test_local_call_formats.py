"""Reading of tool calls in the forms of several families."""

import json

import pytest

from proactive_agent.providers.local.chat import Chat
from proactive_agent.providers.local.text_only import TextProcessor
from proactive_agent.tools import ToolCall
from tests.providers import asking
from tests.providers import tiny_templates as templates
from tests.providers.asking import Opened
from tests.providers.test_local_chat import CALL, GLM, template

tiny = pytest.importorskip("tests.providers.tiny_models", reason="needs the extra `local`")
pytestmark = pytest.mark.local

opened = asking.opened

MISTRAL = "[TOOL_CALLS]{{ c.function.name }}[ARGS]{{ c.function.arguments | tojson }}"
LFM2 = """\
<|tool_call_start|>[{{ c.function.name }}({% for k, v in c.function.arguments.items() %}\
{{ k }}='{{ v | replace("\\\\", "\\\\\\\\") | replace("'", "\\\\'") | replace("\\n", "\\\\n") }}'\
{% endfor %})]<|tool_call_end|>"""
FORMS = {
    "GLM": (
        GLM,
        "<tool_call>move_object\n<arg_key>direction</arg_key>\n<arg_value>left</arg_value>\n</tool_call>",
    ),
    "Mistral": (MISTRAL, '[TOOL_CALLS]move_object[ARGS]{"direction": "left"}'),
    "LFM2": (LFM2, "<|tool_call_start|>[move_object(direction='left')]<|tool_call_end|>"),
}
LEFT = {"direction": "left"}


@pytest.mark.parametrize("name", FORMS)
def test_a_call_in_the_form_of_a_family_is_read(opened: Opened, name: str) -> None:
    source, call = FORMS[name]
    chat = Chat(opened().generator.processor, template(called=source))
    assert (chat.tool_format, chat.call_format.name) == ("native", name)
    reply = chat.reply(f"I look.\n{call}</s>", tools=True)
    assert (reply.text, reply.tool_calls) == ("I look.", (CALL,))
    cut_off = call[: call.index("left") + 2]
    assert [c.name for c in chat.reply(f"I look.{cut_off}", tools=True).tool_calls] == [""]
    other = '<tool_call>{"name": "move_object", "arguments": {"direction": "left"}}</tool_call>'
    assert chat.reply(other, tools=True).tool_calls == (CALL,)
    assert chat.reply("I look.</s>", tools=True).tool_calls == ()


@pytest.mark.parametrize(
    ("name", "written", "expected"),
    [
        ("GLM", "<tool_call>a</tool_call><tool_call>b\n</tool_call>", [("a", {}), ("b", {})]),
        ("GLM", "<tool_call>a<arg_key>k</arg_key></tool_call>", [""]),
        ("GLM", 2 * "<arg_key>k</arg_key><arg_value>v</arg_value>", [""]),
        ("Mistral", "[TOOL_CALLS]a[ARGS]{}[TOOL_CALLS]b[ARGS]{}", [("a", {}), ("b", {})]),
        ("Mistral", "[TOOL_CALLS]a[CALL_ID]abc123456[ARGS]{}</s>", [("a", {})]),
        ("Mistral", '[TOOL_CALLS] [{"name": "a", "arguments": {"k": "v"}}]', [("a", {"k": "v"})]),
        ("Mistral", '[TOOL_CALLS] [{"name": "a", "argu', [""]),
        ("Mistral", "[TOOL_CALLS]", [""]),
        ("LFM2", "[a(), b(k='v')]", [("a", {}), ("b", {"k": "v"})]),
        ("LFM2", '[a(k="it\'s", n=2, t=True)]', [("a", {"k": "it's", "n": 2, "t": True})]),
        ("LFM2", r"[a(k='\\ \' \n \u00e9 \d )], b(')]", [("a", {"k": "\\ ' \n é \\d )], b("})]),
        ("LFM2", '[{"name": "a", "arguments": {}}]', [("a", {})]),
        ("LFM2", "[a('v')]", [""]),
        ("LFM2", "[a(k='v', k='w')]", [""]),
        ("LFM2", "[a(k=b())]", [""]),
        ("LFM2", "a()", [""]),
    ],
)
def test_calls_are_read_as_written_and_never_repaired(
    opened: Opened, name: str, written: str, expected: list[object]
) -> None:
    if name == "LFM2":
        written = f"<|tool_call_start|>{written}<|tool_call_end|>"
    elif written.startswith("<arg_key>"):
        written = f"<tool_call>a{written}</tool_call>"
    chat = Chat(opened().generator.processor, template(called=FORMS[name][0]))
    calls = chat.reply(written, tools=True).tool_calls
    assert [(c.name, json.loads(c.arguments)) if c.name else "" for c in calls] == expected


def test_a_call_in_the_form_that_transformers_knows_is_read(opened: Opened) -> None:
    processor = opened(tiny.NATIVE_TOOLS).generator.processor
    chat = Chat(processor, templates.QWEN35, family="qwen3_5")
    assert (chat.tool_format, chat.call_format.name) == ("native", "response template")
    call = "<function=move_object>\n<parameter=direction>\nleft\n</parameter>\n</function>"
    reply = chat.reply(f"I look.\n<tool_call>\n{call}\n</tool_call><|im_end|>", tools=True)
    assert (reply.text, reply.tool_calls) == ("I look.", (CALL,))
    for cut_off in (call[:30], call[:52], call):
        reply = chat.reply(f"<tool_call>\n{cut_off}", tools=True)
        assert reply.tool_calls == (ToolCall("", f"<tool_call>\n{cut_off}".strip(), "call00000"),)
    other = '<tool_call>{"name": "move_object", "arguments": {"direction": "left"}}</tool_call>'
    assert chat.reply(other, tools=True).tool_calls == (CALL,)
    # Without the family nothing reads this form.
    assert Chat(processor, templates.QWEN35).tool_format == "text"


def test_a_call_between_special_tokens_is_read() -> None:
    from tests.providers.tiny_parts import byte_tokenizer

    tokenizer = byte_tokenizer(["<|tool_call>", "<tool_call|>", '<|"|>', "<turn|>"])
    call = "<|tool_call>call:{{ c.function.name }}{{ '{' }}{% for k, v in c.function.arguments"
    call += """ | items %}{{ k }}:<|"|>{{ v }}<|"|>{% endfor %}{{ '}' }}<tool_call|>"""
    source = template(said="{{ m.content }}", called=call)
    chat = Chat(TextProcessor(tokenizer), source, family="gemma4")
    assert (chat.tool_format, chat.keeps_special) == ("native", True)
    written = 'I look.<|tool_call>call:move_object{direction:<|"|>left<|"|>}<tool_call|><turn|>'
    reply = chat.reply(written, tools=True)
    assert (reply.text, reply.tool_calls) == ("I look.", (CALL,))
    assert chat.reply("Yes.<turn|>", tools=False).text == "Yes."
