"""`tools`: help-seeking by function calling.

The conversation continues: a call, its result with the new picture, the next call.
"""

import random
from dataclasses import dataclass
from typing import Any, ClassVar

from proactive_agent.play.model_user import UserReplyError
from proactive_agent.play.protocols.base import (
    AskedTurn,
    PastTurn,
    Protocol,
    SimulatedUserError,
    TurnPrompt,
    TurnReading,
)
from proactive_agent.play.simulated_user import understand
from proactive_agent.providers import (
    Choice,
    ImagePart,
    Message,
    Part,
    ProviderError,
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
    Reading,
    Toolset,
    ToolsetName,
    Vague,
    read_reply,
)
from proactive_agent.tools.actions import UNRELATED_REQUEST
from proactive_agent.tools.catalogue import answer_tool
from proactive_agent.tools.reading import SHOWN, call_from
from proactive_agent.tools.texts import ASKED_BACK, DONE, INSTRUCTION, NOT_POSSIBLE, RIGHT
from proactive_agent.tools.toolsets import (
    WITHOUT_REQUESTS,
    everything,
    foreign,
    offered,
    published,
)


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

    async def read(self, reply: Reply, turn: AskedTurn) -> TurnReading:
        if turn.user is None:
            return await super().read(reply, turn)
        reading = self._read(reply, turn.observation, turn.environment)
        if not isinstance(reading.action, Question):
            return TurnReading(reading.action, reading.via, notes=reading.notes)
        request = reading.action.text
        # Like the model, the user may choose a suggestion that is on offer but does not help.
        here = list(dict.fromkeys(one for one, _ in turn.observation.suggestions))
        try:
            found = await turn.user.read(request, here, turn.key, turn.budget)
        except (ProviderError, UserReplyError) as failure:
            raise SimulatedUserError(failure) from failure
        action = Vague(request) if found.is_vague else found.choice or UNRELATED_REQUEST
        return TurnReading(
            action, reading.via, notes=reading.notes, question=request, user=found.record
        )

    def read_by_rules(
        self,
        reply: Reply,
        observation: Observation,
        environment: Environment[Any],
        user_rng: random.Random,
    ) -> TurnReading:
        reading = self._read(reply, observation, environment)
        if not isinstance(reading.action, Question):
            return TurnReading(reading.action, reading.via, notes=reading.notes)
        possible = environment.possible_interventions()
        granted = understand(reading.action.text, possible, user_rng)
        return TurnReading(
            granted.action,
            reading.via,
            notes=reading.notes,
            question=reading.action.text,
            mapped=granted.mapped,
        )

    def _read(
        self, reply: Reply, observation: Observation, environment: Environment[Any]
    ) -> Reading:
        """Returns a reply as an action, or as a request that the simulated user has to read."""
        reading = read_reply(
            reply.text,
            reply.tool_calls,
            self._toolset(observation, environment),
            observation.categories,
            cut_off=reply.cut_off,
        )
        if self.toolset in WITHOUT_REQUESTS and isinstance(reading.action, Question):
            # The multiple choice has no free requests either.
            invalid = Invalid("unreadable", reading.action.text[:SHOWN])
            return Reading(invalid, reading.via, reading.notes)
        return reading

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
        if self.toolset == "episode":
            return offered(environment.suggestions_of_episode(), categories)
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
