"""Rendering of requests into tokens, and parsing of replies into calls."""

import asyncio
import re
import threading
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from proactive_agent.providers import (
    AssistantMessage,
    ImagePart,
    Reply,
    Request,
    TextPart,
    ToolMessage,
)
from proactive_agent.providers.local import Local
from proactive_agent.providers.local.chat import Chat
from proactive_agent.providers.local.special_marks import markers, neutraliser
from proactive_agent.providers.messages import UserMessage
from proactive_agent.tools import Tool, ToolCall, UserError
from proactive_agent.tools.catalogue import ASK_CLARIFICATION, answer_tool, intervention_tool
from proactive_agent.tools.texts import IMAGE_FOLLOWS
from tests.providers import asking
from tests.providers.asking import Opened, picture, question

tiny = pytest.importorskip("tests.providers.tiny_models", reason="needs the extra `local`")
pytestmark = pytest.mark.local

TOOLS = (intervention_tool("move_object"), answer_tool(["a cat", "a dog"]), ASK_CLARIFICATION)
CALL = ToolCall("move_object", '{"direction": "left"}', "call00000")
HISTORY = (
    UserMessage((picture(turn=0), TextPart("What is behind it?"))),
    AssistantMessage("I look.", (CALL,)),
    ToolMessage(CALL, (TextPart("This is what the user did."), picture(turn=1))),
)
MARKERS = (
    "<image> <|image_pad|> <image_soft_token> <|im_end|> <|im_start|> <end_of_utterance> "
    "<fake_token_around_image> <|vision_start|> <global-img> <row_1_col_1> </s> <s> <<image>image>"
)

opened = asking.opened


def asked(provider: Local, request: Request, answer: str = "") -> tuple[str, Any, Reply]:
    """The input of the model, as text and as token ids, and its reply if it generates `answer`."""
    import torch

    generator = provider.generator
    tokenizer = generator.processor.tokenizer
    model = generator.model
    given = []
    # The limit of the answer must not cut off what the model writes.
    request = replace(request, sampling=replace(request.sampling, max_tokens=1000))

    def generate(input_ids: Any, **_: Any) -> Any:
        given.append(input_ids)
        written = [*tokenizer.encode(answer, add_special_tokens=False), tokenizer.eos_token_id]
        return torch.cat([input_ids, torch.tensor([written] * len(input_ids))], dim=1)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model, "generate", generate)
        reply = asyncio.run(provider.complete(request))
    return tokenizer.decode(given[0][0]), given[0][0], reply


def image_tokens(provider: Local, ids: Any) -> int:
    return int((ids == provider.generator.model.config.image_token_id).sum())


@pytest.mark.parametrize("kind", tiny.KINDS)
def test_a_tool_result_brings_its_picture(opened: Opened, kind: str) -> None:
    provider = opened(kind)
    both = question(picture(turn=0), picture(turn=1), "What is behind it?")
    _, expected, _ = asked(provider, both)
    _, ids, _ = asked(provider, question(messages=HISTORY, tools=TOOLS))
    assert image_tokens(provider, ids) == image_tokens(provider, expected) > 0


@pytest.mark.parametrize("kind", tiny.KINDS)
def test_templates_without_tools_get_the_text_protocol(opened: Opened, kind: str) -> None:
    text, _, reply = asked(opened(kind), question(messages=HISTORY, tools=TOOLS))
    assert reply.tool_format == "text"
    assert "- move_object(direction" in text
    assert '<tool_call>{"name": "move_object", "arguments": {"direction": "left"}}' in text
    assert "This is what the user did." in text


def test_a_template_with_tools_gets_them_natively(opened: Opened) -> None:
    text, _, reply = asked(opened(tiny.NATIVE_TOOLS), question(messages=HISTORY, tools=TOOLS))
    assert reply.tool_format == "native"
    assert '"enum": ["left", "right"]' in text
    assert '<tool_call>{"name": "move_object", "arguments": {"direction": "left"}}' in text
    assert "<|im_start|>tool\nThis is what the user did.<|im_end|>" in text
    assert "- move_object(direction" not in text


def test_a_native_tool_result_is_followed_by_its_picture(opened: Opened) -> None:
    provider = opened(tiny.NATIVE_TOOLS)
    text, ids, _ = asked(provider, question(messages=HISTORY, tools=TOOLS))
    _, one, _ = asked(provider, question(messages=HISTORY[:1], tools=TOOLS))
    assert f"<|im_start|>user\n{IMAGE_FOLLOWS}<|vision_start|>" in text
    assert image_tokens(provider, ids) == 2 * image_tokens(provider, one)


def test_what_the_user_says_after_a_native_tool_result_joins_its_picture(opened: Opened) -> None:
    messages = (*HISTORY, UserMessage((TextPart("And now?"),)))
    text, _, _ = asked(opened(tiny.NATIVE_TOOLS), question(messages=messages, tools=TOOLS))
    assert "<|vision_end|>And now?<|im_end|>" in text


def test_a_call_that_was_no_json_goes_back_to_a_native_model_as_text(opened: Opened) -> None:
    broken = ToolCall("", "{move left}", "call00000")
    messages = (
        HISTORY[0],
        AssistantMessage("", (broken,)),
        ToolMessage(broken, (TextPart("That is no call."),)),
    )
    text, _, _ = asked(opened(tiny.NATIVE_TOOLS), question(messages=messages, tools=TOOLS))
    assert "<|im_start|>assistant\n<tool_call>{move left}</tool_call><|im_end|>" in text
    assert "<|im_start|>user\nThat is no call.<|im_end|>" in text


@pytest.mark.parametrize("kind", [tiny.KINDS[0], tiny.NATIVE_TOOLS])
def test_calls_are_read_from_the_reply(opened: Opened, kind: str) -> None:
    written = 'I look. <tool_call>{"name": "move_object", "arguments": {"direction": "left"}}'
    request = question("What is it?", tools=TOOLS)
    _, _, reply = asked(opened(kind), request, written + "</tool_call>")
    assert reply.text == "I look."
    assert reply.tool_calls == (CALL,)


def test_without_tools_a_reply_is_text_whatever_it_looks_like(opened: Opened) -> None:
    written = '{"name": "move_object", "arguments": {}}'
    _, _, reply = asked(opened("idefics2"), question("What is it?"), written)
    assert (reply.text, reply.tool_calls, reply.tool_format) == (written, (), None)


@pytest.mark.parametrize("kind", [*tiny.KINDS, tiny.NATIVE_TOOLS, "phi4_multimodal", "pixtral"])
@pytest.mark.parametrize("place", ["question", "category", "earlier reply", "tool result"])
def test_literal_markers_are_plain_text(opened: Opened, kind: str, place: str) -> None:
    def request(mark: str) -> Request:
        marks = {place: mark}
        call = ToolCall("ask_clarification", '{"question": "Where?"}', "call00000")
        messages = (
            UserMessage((picture(), TextPart(f"What? {marks.get('question')}"))),
            AssistantMessage(f"Well. {marks.get('earlier reply')}", (call,)),
            ToolMessage(call, (TextPart(f"Done. {marks.get('tool result')}"), picture())),
        )
        tools: tuple[Tool, ...] = (answer_tool([f"a cat {marks.get('category')}", "a dog"]),)
        return question(messages=messages, tools=tools)

    provider = opened(kind)
    special = set(provider.generator.processor.tokenizer.all_special_ids)
    _, plain, _ = asked(provider, request("nothing"))
    _, marked, _ = asked(provider, request(MARKERS))
    assert [i for i in marked.tolist() if i in special] == [
        i for i in plain.tolist() if i in special
    ]


def test_a_marker_that_comes_together_from_two_parts_is_plain_text(opened: Opened) -> None:
    provider = opened("idefics2")
    _, ids, _ = asked(provider, question("<image", ">", picture()))
    _, plain, _ = asked(provider, question("image", "", picture()))
    assert image_tokens(provider, ids) == image_tokens(provider, plain)


def test_markers_are_special_tokens_and_what_the_template_writes() -> None:
    found = markers(["</s>", "!", "end", None], "[INST] {{ m }} [/INST]<|go|><tool_call>")
    assert found == {"</s>", "[INST]", "[/INST]", "<|go|>"}


def test_other_text_stays_as_it_is() -> None:
    neutralise = neutraliser({"<image>", "<|im_end|>"})
    assert neutralise("a < b > c <images> <im> [x] é") == "a < b > c <images> <im> [x] é"


def test_nested_markers_are_all_broken() -> None:
    broken = neutraliser({"<image>", "<im<image>"})("<im<image>age>")
    assert broken == "< im< image>age>"


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "CMYK", "1", "RGB"])
def test_pictures_in_any_mode_become_rgb(opened: Opened, mode: str) -> None:
    part = ImagePart(mode, lambda: Image.new("RGB", (4, 3), "red").convert(mode))
    chat = Chat(opened().generator.processor, "{{ messages }}")
    (image,) = chat.prompt(question(part, "What?")).images
    assert (image.mode, image.size) == ("RGB", (4, 3))


def test_an_empty_earlier_reply_renders(opened: Opened) -> None:
    messages = (HISTORY[0], AssistantMessage(""), UserMessage((TextPart("Well?"),)))
    text, _, _ = asked(opened("idefics2"), question(messages=messages))
    assert "Assistant: <end_of_utterance>\nUser: Well?<end_of_utterance>\nAssistant:" in text


def test_idefics2_without_a_template_gets_the_one_of_its_family(opened: Opened) -> None:
    text, _, _ = asked(opened("idefics2"), question(picture(), "What is it?"))
    marks = "<fake_token_around_image>" + 4 * "<image>" + "<fake_token_around_image>"
    assert text.endswith(f"User:{marks} What is it?<end_of_utterance>\nAssistant:")


def test_idefics2_does_not_split_pictures(opened: Opened) -> None:
    provider = opened("idefics2")
    _, ids, _ = asked(provider, question(picture(), "What is it?"))
    assert image_tokens(provider, ids) == 4


SAID = "{% for p in m.content %}{{ '<image>' if p.type == 'image' else p.text }}{% endfor %}"
RESULT = "{{ m.content }}"
CALLED = "{{ c.function | tojson }}"
OFFER = "{{ tools | tojson if tools }}"


def template(
    offer: str = OFFER, said: str = SAID, result: str = RESULT, called: str = CALLED
) -> str:
    """A chat template made of the ways in which it shows tools, texts, results and calls."""
    calls = "{% for c in m.tool_calls or [] %}" + called + "{% endfor %}"
    turn = "{% if m.role == 'tool' %}" + result + "{% else %}" + said + calls + "{% endif %}"
    return offer + "{% for m in messages %}" + turn + "{% endfor %}"


PARTS = "{% for p in m.content %}{{ p.text }}{% endfor %}"
LLAMA = '{{ \'{"name": "\' + c.function.name + \'", "parameters": \' }}'
LLAMA += "{{ (c.function.arguments | tojson) + '}' }}"
GLM = "<tool_call>{{ c.function.name }}{% for k, v in c.function.arguments.items() %}"
GLM += "<arg_key>{{ k }}</arg_key><arg_value>{{ v }}</arg_value>{% endfor %}</tool_call>"
PRETTY = "{% if tools %}{{ m.content | trim }}{% else %}" + SAID + "{% endif %}"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (template(), ""),
        (template(result=PARTS), ""),
        (template(result="{% generation %}{{ m.content }}{% endgeneration %}"), ""),
        (template(called=LLAMA), ""),
        (template(result="a result"), "does not show what a call returned"),
        (template(offer=""), "takes no tools"),
        (template(offer="{{ 'tools' if tools }}"), "does not show the tools"),
        (template(said=PRETTY), "loses pictures"),
        (template(called=""), "cannot be read back"),
        (template(called=GLM), ""),
        (template(called=GLM.replace("arg_", "")), "cannot be read back"),
        (template(called="[TOOL_CALLS]{{ c.function.name }}[ARGS]{}"), "cannot be read back"),
        (template(called="{{ raise_exception('no calls') }}"), "fails with tools .*no calls"),
    ],
    ids=[
        "texts", "parts", "generation tag", "Llama", "no results", "no tools", "tools not shown",
        "parts as text", "no calls", "GLM", "like GLM", "Mistral", "error",
    ],
)  # fmt: skip
def test_tools_are_native_only_where_the_template_shows_all_and_its_calls_are_read(
    opened: Opened, source: str, reason: str
) -> None:
    chat = Chat(opened().generator.processor, source)
    assert chat.tool_format == ("text" if reason else "native")
    assert re.search(reason, chat.text_tools_reason), chat.text_tools_reason


def test_a_template_that_wants_parts_in_tool_turns_gets_them(opened: Opened) -> None:
    chat = Chat(opened().generator.processor, template(said="", called="", result=PARTS))
    assert chat.tool_format == "text"
    chat = Chat(opened().generator.processor, template(result=PARTS))
    text = chat.text(question(messages=HISTORY, tools=TOOLS))
    assert '"move_object", "arguments": {"direction": "left"}}This is what the user did.' in text


@pytest.mark.parametrize(
    ("written", "prompt", "text", "thoughts"),
    [
        ("Yes.", "user: ", "Yes.", ""),
        ("<think>Hm.</think>\n\nYes.", "", "Yes.", "Hm."),
        ("Hm.</think>Yes.", "assistant\n<think>\n", "Yes.", "Hm."),
        ("Hm.</think>Yes.", "assistant\n", "Yes.", "Hm."),
        ("Hm, is it", "assistant\n<think>\n", "", "Hm, is it"),
        ("<think>Hm, is it", "", "", "Hm, is it"),
        ("A<think>b</think>C<think>d", "", "AC", "b\nd"),
        ("<think>Hm.</think><answer>Yes.</answer>", "", "Yes.", "Hm."),
        ("<answer>Yes.</answer>", "", "<answer>Yes.</answer>", ""),
        ("Yes.", "assistant\n<think></think>\n", "Yes.", ""),
        ("[THINK]Hm.[/THINK]Yes.", "", "Yes.", "Hm."),
    ],
)
def test_thoughts_are_no_part_of_the_reply(
    opened: Opened, written: str, prompt: str, text: str, thoughts: str
) -> None:
    chat = Chat(opened().generator.processor, template())
    reply = chat.reply(written, tools=False, prompt=prompt)
    assert (reply.text, reply.opaque or "") == (text, thoughts)


@pytest.mark.parametrize("prompt", ["", "<think>\n"])
def test_a_call_inside_thoughts_is_no_call(opened: Opened, prompt: str) -> None:
    call = '<tool_call>{"name": "move_object", "arguments": {"direction": "left"}}</tool_call>'
    opening = "" if prompt else "<think>"
    chat = Chat(opened().generator.processor, template())
    reply = chat.reply(f"{opening}Perhaps {call}?</think>It is a cat.", tools=True, prompt=prompt)
    assert (reply.text, reply.tool_calls) == ("It is a cat.", ())
    reply = chat.reply(f"{opening}Perhaps.</think>{call}", tools=True, prompt=prompt)
    assert reply.tool_calls == (CALL,)


def test_options_reach_the_template_and_the_reply_begins_inside_thoughts(opened: Opened) -> None:
    provider = opened("qwen3_vl", template_options='{"enable_thinking": true}')
    request = question("What is it?", tools=TOOLS)
    text, _, reply = asked(provider, request, "It may be a dog.</think>It is a cat.")
    assert text.endswith("assistant\n<think>\n")
    assert (reply.text, reply.usage.reasoning_tokens) == ("It is a cat.", len("It may be a dog."))
    text, _, _ = asked(opened("qwen3_vl"), request)
    assert text.endswith("assistant\n")


def test_only_the_thread_that_generates_uses_the_tokenizer(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = opened("qwen3_vl")
    tokenizer = provider.generator.processor.tokenizer
    encode, threads = tokenizer.encode, set()

    def watched(*given: Any, **options: Any) -> Any:
        threads.add(threading.current_thread().name)
        return encode(*given, **options)

    monkeypatch.setattr(tokenizer, "encode", watched)
    asked(provider, question("What is it?"), "<think>A dog?</think>It is a cat.")
    assert threads == {"local-model"}


@pytest.mark.parametrize(
    ("ending", "options", "thinks"),
    [
        ("", {}, False),
        ("<think>\n", {}, True),
        ("<think>\n\n</think>\n\n", {}, False),
        ("{{ '<think></think>' if enable_thinking is false }}", {}, True),
        ("{{ '<think></think>' if enable_thinking is false }}", {"enable_thinking": False}, False),
        ("{{ '<think>' if enable_thinking }}", {}, False),
        ("{{ '<think>' if enable_thinking }}", {"enable_thinking": True}, True),
        ("{{ messages[0].reasoning_content }}", {}, True),
    ],
)
def test_the_template_shows_whether_the_model_thinks(
    opened: Opened, ending: str, options: dict[str, Any], thinks: bool
) -> None:
    source = template() + ending
    assert Chat(opened().generator.processor, source, options=options).thinks is thinks


def test_thoughts_go_back_with_the_call_that_they_led_to(opened: Opened) -> None:
    processor = opened().generator.processor
    chat = Chat(processor, template(called="({{ m.reasoning_content }})" + CALLED))
    call = replace(HISTORY[1], opaque="It hides.")
    text = chat.text(question(messages=(HISTORY[0], call, HISTORY[2]), tools=TOOLS))
    assert 'I look.(It hides.){"name"' in text


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("{", "is not JSON"),
        ("[1]", "expected a JSON object"),
        ('{"a": NaN}', "--template-options is not JSON: NaN"),
        ('{"a": [-Infinity]}', "--template-options is not JSON: -Infinity"),
        ('{"a": 1e999}', "--template-options is not JSON: 1e999"),
        ('{"tools": []}', "cannot set tools"),
    ],
)
def test_options_that_are_none_are_refused(opened: Opened, options: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        opened(template_options=options)


def test_a_date_in_the_prompt_is_the_same_in_every_run(opened: Opened) -> None:
    provider = opened("mllama")
    text, _, _ = asked(provider, question("What is it?"))
    assert "Today Date: 01 Jan 2026<|eot_id|>" in text
    assert provider.manifest()["template_date"] == "2026-01-01"
    assert opened("idefics2").manifest()["template_date"] is None


@pytest.mark.parametrize(
    "call",
    [
        "{{ strftime_now('%d %b %Y') }}",
        '{{ strftime_now(format="%d %b %Y") }}',
        "{% set form = '%d %b %Y' %}{{ strftime_now(form) }}",
        "{{ strftime_now('%d %b' + ' %Y') }}",
        "{% set now = strftime_now %}{{ now('%d %b %Y') }}",
        "{% macro day() %}{{ strftime_now('%d %b %Y') }}{% endmacro %}{{ day() }}",
        "{{ strftime_now('%d %b %Y') if strftime_now is defined }}",
    ],
)
def test_a_date_is_the_same_in_whatever_way_the_template_asks_for_it(
    opened: Opened, call: str
) -> None:
    chat = Chat(opened().generator.processor, template() + call)
    assert chat.text(question("What is it?")).endswith("What is it?01 Jan 2026")
    assert chat.inserts_date


def test_a_template_of_texts_gets_a_mark_for_each_picture(opened: Opened) -> None:
    text, _, _ = asked(opened("phi4_multimodal"), question(picture(), "What is it?"))
    assert text.startswith("<|user|><|image|><|image|>")
    assert text.endswith("<|image|>What is it?<|end|><|assistant|>")


@pytest.mark.parametrize("family", ["phi4_multimodal", "idefics2"])
def test_the_template_of_the_family_steps_in_where_the_own_one_shows_no_picture(
    opened: Opened, family: str
) -> None:
    chat = Chat(opened(family).generator.processor, "{{ messages | length }}")
    assert "chat template" in chat.fault
    chat = Chat(chat.processor, "{{ raise_exception('no') }}", family=family)
    assert (chat.fault, chat.max_pictures) == ("", None)
    assert chat.text(question(picture(), "What?")).count(chat.processor.image_token) == 1
