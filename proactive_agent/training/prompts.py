"""Prompts for a trainer, as `run` would send them to the same model.

They are rendered by what renders them in a run.  TRL renders them once more, with a chat template
that only repeats them: so training and evaluation cannot differ in a letter.
"""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from proactive_agent.play.protocols import Mcqa, Protocol
from proactive_agent.providers import (
    AssistantMessage,
    ImagePart,
    Reply,
    Request,
    RequestKey,
    TextPart,
    UserMessage,
)
from proactive_agent.providers.local.chat import Chat
from proactive_agent.providers.text_tools import written
from proactive_agent.scenarios.protocol_pack import FILE_NAME, load_pack
from proactive_agent.scenarios.wording import OWN, Wording, letter
from proactive_agent.training.rows import Row, RowError
from proactive_agent.training.state import state_of

REPEATED = (
    "{%- for message in messages -%}{%- if message['content'] is string -%}"
    "{{- message['content'] -}}{%- else -%}"
    "{%- for part in message['content'] if part['type'] == 'text' -%}{{- part['text'] -}}"
    "{%- endfor -%}{%- endif -%}{%- endfor -%}"
)
"""A chat template for texts that are rendered already."""
_REPLY = "this-is-the-reply"


def repeating(processor: Any) -> Any:
    """The processor with that template; the given one keeps its own."""
    processor = copy.copy(processor)
    processor.chat_template = REPEATED
    return processor


def request_for(row: Row, protocol: Protocol, wordings: Sequence[Wording]) -> Request:
    """The first request of an episode that begins with the row's frame.  Raises RowError."""
    image = ImagePart(f"row {row.index}", _blank)
    single = isinstance(protocol, Mcqa)
    state = state_of(row, "" if single else question_of(row, wordings))
    prompt = protocol.ask(state.observe(), state, image, None)
    message = UserMessage((image, TextPart(row.text))) if single else prompt.message
    return Request(
        key=RequestKey(row.scenario, row.index, 0),
        messages=(message,),
        tools=prompt.tools,
        choices=prompt.choices,
        best=state.best_action,
    )


def question_of(row: Row, wordings: Sequence[Wording]) -> str:
    """What stands before the options.  Raises RowError where no wording tells."""
    first = f"{letter(0)}. {(row.suggestions + row.categories)[0]}"
    for wording in wordings:
        question, found, _ = row.text.partition(f"{wording.options_sentence}{first}")
        if found and question.strip():
            return question
    raise RowError(
        f"{row.place}: prompt: the question cannot be told from the sentence that announces "
        "the options; a protocol pack beside the data (data protocol DIR) holds that sentence"
    )


def wordings_of(source: str) -> list[Wording]:
    """The wordings in which the prompts of a train split can be: ours, and that of a pack."""
    folder = Path(source).expanduser()
    places = [folder / FILE_NAME, folder.parent / FILE_NAME]
    return [OWN, *(load_pack(file).wording for file in places if file.is_file())]


class ReplyFrame(NamedTuple):
    """What the chat template puts around a reply of the model."""

    before: str
    after: str
    """The token that ends it."""

    def around(self, reply: Reply) -> str:
        """All that the model has to write to give a reply."""
        calls = map(written, reply.tool_calls)
        return self.before + "\n".join(t for t in (reply.text, *calls) if t) + self.after


def reply_frame(chat: Chat, tokenizer: Any, stop: frozenset[int]) -> ReplyFrame:
    """Read off a conversation that holds a reply."""
    user = UserMessage((TextPart("a question"),))
    key = RequestKey("", 0, 0)
    asked = chat.text(Request(key, (user,)))
    told = chat.text(Request(key, (user, AssistantMessage(_REPLY), user)))
    before, _, after = told.partition(_REPLY)
    lead = before.removeprefix(asked)
    marks = [str(tokenizer.convert_ids_to_tokens(token)) for token in stop]
    found = [mark for mark in sorted(marks, key=after.find) if mark in after]
    return ReplyFrame(
        before=lead if before.startswith(asked) and not lead.strip() else "",
        after=found[0] if found else str(tokenizer.eos_token),
    )


def with_first_token(text: str, tokenizer: Any) -> str:
    """With the token that the tokenizer puts before a text, where it does and the text has none."""
    bos = tokenizer.bos_token
    adds = bos and tokenizer("a")["input_ids"][:1] == [tokenizer.bos_token_id]
    return f"{bos}{text}" if adds and not text.startswith(bos) else text


def _blank() -> Image.Image:
    """In the place of the row's picture, which no template looks at."""
    return Image.new("RGB", (8, 8))
