"""Prompts for the trainers: the same text that `run` sends to the same model.

The code that renders prompts in a run renders them here. TRL renders every prompt once more, with
a chat template that returns its input unchanged: training and evaluation prompts are identical.
"""

import copy
import functools
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
from proactive_agent.providers.text_tools import format_call
from proactive_agent.scenarios import Environment, ImageRef
from proactive_agent.scenarios.protocol_pack import FILE_NAME, load_pack
from proactive_agent.scenarios.registry import SCENARIOS
from proactive_agent.scenarios.sample import MAX_FRAMES, Sample
from proactive_agent.scenarios.wording import OWN, Wording, letter
from proactive_agent.tools import Intervention
from proactive_agent.training.rows import QuestionRow, RowError

VERBATIM_TEMPLATE = (
    "{%- for message in messages -%}{%- if message['content'] is string -%}"
    "{{- message['content'] -}}{%- else -%}"
    "{%- for part in message['content'] if part['type'] == 'text' -%}{{- part['text'] -}}"
    "{%- endfor -%}{%- endif -%}{%- endfor -%}"
)
"""Chat template that returns rendered texts unchanged."""
_REPLY = "this-is-the-reply"
_NEVER = MAX_FRAMES
"""Turn limit of a row, so that its frame is never the last one."""
_FROM_SCENARIO = ("name", "stem", "title", "keywords", "helpful_tools", "accepts_category")
"""Attributes that a row takes from the environment of its scenario."""
_PICTURE = ImageRef("row")
_WORDING = OWN.model_copy(update={"prefixes": {}, "reference_questions": {}})
"""Wording without the prefixes of scenarios, which the questions of the rows contain already."""


class RowEnvironment(Environment[Sample]):
    """An environment that stays on the frame of a row, with the row's suggestions and answer.

    So the code that reads and judges replies in a run reads and judges replies to a row.
    """

    def __init__(self, row: QuestionRow, question: str) -> None:
        sample = Sample(
            id=row.index,
            image_template=_PICTURE.path,
            first_image=0,
            num_images=_NEVER,
            reference_image=0,
            prompt=question or "?",
            # A sample needs at least one option; `offered` overrides this list.
            options=list(row.suggestions or row.categories),
            categories=list(row.categories),
            answer=row.answer,
        )
        super().__init__(sample, _WORDING)
        self._row = row
        # The first frame of an episode is ambiguous, so a clear frame gets a later turn.
        self.turn = int(row.clear)

    @property
    def hint(self) -> str:
        return ""

    def image(self) -> ImageRef:
        return _PICTURE

    def reference_image(self) -> ImageRef:
        return _PICTURE

    def offered(self) -> list[str]:
        return list(self._row.suggestions)

    def accepts(self, suggestion: str) -> bool:
        return suggestion in self._row.accepted

    def move(self, intervention: Intervention) -> None:
        """Does nothing: a row has one frame."""

    def toward_reference(self) -> Intervention | None:
        possible = self.possible_interventions()
        return None if self._row.clear or not possible else possible[0]


def state_of(row: QuestionRow, question: str = "") -> RowEnvironment:
    """Returns the state of a row. The question is needed only if the observation is rendered."""
    state: RowEnvironment = _environment_type(row.scenario)(row, question)
    return state


@functools.cache
def _environment_type(scenario: str) -> Any:
    played = SCENARIOS[scenario]
    taken = {name: getattr(played, name) for name in _FROM_SCENARIO}
    return type(f"Row{played.__name__}", (RowEnvironment,), taken)


def verbatim_processor(processor: Any) -> Any:
    """Returns a copy of the processor that renders texts unchanged."""
    processor = copy.copy(processor)
    processor.chat_template = VERBATIM_TEMPLATE
    return processor


def request_for(row: QuestionRow, protocol: Protocol, wordings: Sequence[Wording]) -> Request:
    """Returns the first request of an episode that begins with the row's frame.

    Raises RowError if the question cannot be separated from the options.
    """
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


def question_of(row: QuestionRow, wordings: Sequence[Wording]) -> str:
    """Returns the text before the options. Raises RowError if no wording matches."""
    first = f"{letter(0)}. {(row.suggestions + row.categories)[0]}"
    for wording in wordings:
        question, found, _ = row.text.partition(f"{wording.options_sentence}{first}")
        if found and question.strip():
            return question
    raise RowError(
        f"{row.place}: prompt: no known sentence separates the question from the options; "
        "write the protocol pack, which holds that sentence, next to the data: data protocol DIR"
    )


def wordings_of(source: str) -> list[Wording]:
    """Returns the possible wordings of a train split's prompts: ours, and that of a pack."""
    folder = Path(source).expanduser()
    places = [folder / FILE_NAME, folder.parent / FILE_NAME]
    return [OWN, *(load_pack(file).wording for file in places if file.is_file())]


class ReplyFrame(NamedTuple):
    """Text that the chat template puts before and after a reply of the model."""

    before: str
    after: str
    """Token that ends a reply."""

    def around(self, reply: Reply) -> str:
        """Returns the whole text that the model generates for a reply."""
        calls = map(format_call, reply.tool_calls)
        return self.before + "\n".join(t for t in (reply.text, *calls) if t) + self.after


def reply_frame(chat: Chat, tokenizer: Any, stop: frozenset[int]) -> ReplyFrame:
    """Determines the frame by rendering a conversation that contains a reply."""
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
    """Adds the tokenizer's BOS token to a text, if the tokenizer adds one and the text has none."""
    bos = tokenizer.bos_token
    adds = bos and tokenizer("a")["input_ids"][:1] == [tokenizer.bos_token_id]
    return f"{bos}{text}" if adds and not text.startswith(bos) else text


def _blank() -> Image.Image:
    """Returns a placeholder for the row's picture, which templates do not read."""
    return Image.new("RGB", (8, 8))
