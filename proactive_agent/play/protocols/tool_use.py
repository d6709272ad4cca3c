"""`tools`: help-seeking by function calling.

The conversation continues: a call, its result with the new picture, the next call.
"""

import random
from dataclasses import dataclass
from typing import Any, ClassVar

from proactive_agent.play.protocols.base import PastTurn, Protocol, TurnPrompt, TurnReading
from proactive_agent.play.simulated_user import understand
from proactive_agent.providers import (
    Choice,
    ImagePart,
    Message,
    Part,
    Reply,
    TextPart,
    ToolMessage,
    UserMessage,
)
from proactive_agent.scenarios import Environment, Observation
from proactive_agent.tools import (
    Abstain,
    Answer,
    Invalid,
    Question,
    Toolset,
    ToolsetName,
    read_reply,
)
from proactive_agent.tools.catalogue import answer_tool
from proactive_agent.tools.reading import SHOWN, call_from
from proactive_agent.tools.texts import ASKED_BACK, DONE, INSTRUCTION, NOT_POSSIBLE, RIGHT
from proactive_agent.tools.toolsets import everything, foreign, offered, published


@dataclass(frozen=True)
class ToolUse(Protocol):
    """Function calling with one toolset."""

    toolset: ToolsetName = "scenario"

    name: ClassVar = "tools"
    keeps_conversation: ClassVar = True

    def ask(
        self,
        observation: Observation,
        environment: Environment[Any],
        image: ImagePart,
        past: PastTurn | None,
    ) -> TurnPrompt:
        toolset = self._toolset(observation, environment)
        text = f"{observation.question}\n{INSTRUCTION}"
        parts: tuple[Part, ...] = (image, TextPart(text))
        if past is not None:
            text = _response(past)
            parts = (TextPart(text), image) if past.done else (TextPart(text),)
        return TurnPrompt(_message(parts, past), text, (), toolset.tools, tuple(_choices(toolset)))

    def closing(self, past: PastTurn) -> tuple[Message, ...]:
        # APIs refuse a conversation in which a call has no result.
        return (_message((TextPart(RIGHT),), past),)

    def read_by_rules(
        self,
        reply: Reply,
        observation: Observation,
        environment: Environment[Any],
        user_rng: random.Random,
    ) -> TurnReading:
        toolset = self._toolset(observation, environment)
        reading = read_reply(
            reply.text,
            reply.tool_calls,
            toolset,
            observation.categories,
            cut_off=reply.cut_off,
        )
        if not isinstance(reading.action, Question):
            return TurnReading(reading.action, reading.via, notes=reading.notes)
        if self.toolset == "published":
            # The multiple choice has no free requests either.
            invalid = Invalid("unreadable", reading.action.text[:SHOWN])
            return TurnReading(invalid, reading.via, notes=reading.notes)
        possible = environment.possible_interventions()
        granted = understand(reading.action.text, possible, user_rng)
        return TurnReading(
            granted.action,
            reading.via,
            notes=reading.notes,
            question=reading.action.text,
            mapped=granted.mapped,
        )

    def _toolset(self, observation: Observation, environment: Environment[Any]) -> Toolset:
        categories = observation.categories
        if environment.reference:
            return Toolset((answer_tool(categories),))
        if self.toolset == "all":
            return everything(categories)
        if self.toolset == "random":
            own = frozenset(i.tool for i in environment.keywords.values())
            return foreign(own, categories)
        if self.toolset == "published":
            abstention = any(isinstance(one.action, Abstain) for one in observation.options)
            return published(observation.suggestions, categories, abstention=abstention)
        return offered(observation.suggestions, categories)


def _response(past: PastTurn) -> str:
    """Returns the text in which the user responds to the previous action."""
    if past.vague:
        return ASKED_BACK
    return DONE.format(what=past.done) if past.done else NOT_POSSIBLE


def _message(parts: tuple[Part, ...], past: PastTurn | None) -> Message:
    """Returns a user message, or a tool message if a call waits for its result."""
    if past is not None and past.via == "call":
        return ToolMessage(past.reply.tool_calls[0], parts)
    return UserMessage(parts)


def _choices(toolset: Toolset) -> list[Choice]:
    choices = []
    for name, arguments, action in toolset.closed_calls():
        if isinstance(action, Question):
            continue
        call = call_from(name, arguments)
        match action:
            case Answer():
                choices.append(Choice("answer", action, call=call))
            case Abstain():
                choices.append(Choice("abstain", action, call=call))
            case _:
                choices.append(Choice("ask", action, call=call))
    return choices
