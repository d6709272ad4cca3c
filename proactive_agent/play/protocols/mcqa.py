"""`mcqa`: the paper's multiple choice.

Suggestions, abstention and categories form one lettered list. Each turn is asked without the
conversation so far.
"""

import random
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from proactive_agent.play.protocols.base import PastTurn, Protocol, TurnPrompt, TurnReading
from proactive_agent.play.protocols.mcqa_parsers import (
    Choices,
    Parsed,
    parse_lenient,
    parse_official,
)
from proactive_agent.providers import Choice, ImagePart, Reply, TextPart, UserMessage
from proactive_agent.scenarios import Environment, Observation
from proactive_agent.scenarios.wording import letter
from proactive_agent.settings import ParserName
from proactive_agent.tools import Abstain, Action, Answer, Invalid
from proactive_agent.tools.reading import SHOWN


@dataclass(frozen=True)
class Mcqa(Protocol):
    """The multiple choice, driven by the official or the lenient parser."""

    parser: ParserName = "official"

    name: ClassVar = "mcqa"
    keeps_conversation: ClassVar = False

    def ask(
        self,
        observation: Observation,
        environment: Environment[Any],
        image: ImagePart,
        past: PastTurn | None,
    ) -> TurnPrompt:
        options = observation.texts
        text = environment.wording.multiple_choice(observation.question, options)
        message = UserMessage((image, TextPart(text)))
        return TurnPrompt(message, text, tuple(options), (), tuple(_choices(observation)))

    def read_by_rules(
        self,
        reply: Reply,
        observation: Observation,
        environment: Environment[Any],
        user_rng: random.Random,
    ) -> TurnReading:
        shown = [option.text for option in observation.options]
        accepted = [text for text in environment.accepted_suggestions() if text in shown]
        suggestions = Choices(shown, accepted)
        categories = Choices(observation.categories, environment.accepted_categories())
        official = parse_official(reply.text, suggestions, categories)
        lenient = parse_lenient(reply.text, suggestions, categories)
        return TurnReading(
            action=_action(official if self.parser == "official" else lenient, observation, reply),
            via="text",
            verdicts=official.verdicts,
            lenient=lenient.verdicts,
        )


def _action(parsed: Parsed, observation: Observation, reply: Reply) -> Action:
    """Returns the action of a parsed reply; a right category takes precedence over a suggestion."""
    verdicts = parsed.verdicts
    suggests = verdicts.suggestion == "correct" and verdicts.category != "correct"
    if parsed.category is not None and not suggests:
        return Answer(parsed.category)
    for option in observation.options:
        if option.text == parsed.suggestion:
            return option.action
    text = reply.text.strip()
    if reply.cut_off:
        return Invalid("cut_off", text[:SHOWN])
    return Invalid("unreadable" if text else "empty", text[:SHOWN])


def _choices(observation: Observation) -> list[Choice]:
    choices = []
    for index, option in enumerate(observation.options):
        kind: Literal["abstain", "ask"] = "abstain" if isinstance(option.action, Abstain) else "ask"
        choices.append(Choice(kind, option.action, f"{letter(index)}. {option.text}"))
    for index, category in enumerate(observation.categories, len(observation.options)):
        choices.append(Choice("answer", Answer(category), f"{letter(index)}. {category}"))
    return choices
