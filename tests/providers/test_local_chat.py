"""Rendering of requests into tokens, and parsing of replies into calls."""

import asyncio
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
from proactive_agent.providers.local.neutral import markers, neutraliser
from proactive_agent.providers.messages import UserMessage
from proactive_agent.tools import Tool, ToolCall
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


@pytest.mark.parametrize("kind", [*tiny.KINDS, tiny.NATIVE_TOOLS])
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


TOOL_TURN = "{{ tools | tojson if tools }}{% for m in messages if m.role == 'tool' %}"


@pytest.mark.parametrize(
    ("template", "tool_format"),
    [
        (TOOL_TURN + "{{ m.content }}{% endfor %}", "native"),
        (TOOL_TURN + "{% for p in m.content %}{{ p.text }}{% endfor %}{% endfor %}", "native"),
        (TOOL_TURN + "{% generation %}{{ m.content }}{% endgeneration %}{% endfor %}", "native"),
        (TOOL_TURN + "a result{% endfor %}", "text"),
        ("{{ messages }}", "text"),
    ],
    ids=["text", "parts", "generation tag", "no results", "no tools"],
)
def test_native_tools_need_a_template_that_shows_results(
    opened: Opened, template: str, tool_format: str
) -> None:
    assert Chat(opened().generator.processor, template).tool_format == tool_format


def test_a_template_that_wants_parts_in_tool_turns_gets_them(opened: Opened) -> None:
    template = TOOL_TURN + "{% for p in m.content %}{{ p.text }}{% endfor %}{% endfor %}"
    chat = Chat(opened().generator.processor, template)
    assert chat.prompt(question(messages=HISTORY)).text == "This is what the user did."
