"""`oeg`: open-ended generation.

The model gets the question without options. A judge says which accepted answers the reply gives,
and its verdicts decide the action. By default each question is asked once (paper, Table 2). With
several turns (Table 10) the user carries out the suggestion and asks again. See
`docs/protocol.md`, section "Open-ended questions and the judge".
"""

import random
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from proactive_agent.play.judges.base import Case, said
from proactive_agent.play.judges.base import ask as ask_judge
from proactive_agent.play.judges.naming import settled_category
from proactive_agent.play.protocols.base import (
    AskedTurn,
    JudgeError,
    PastTurn,
    Protocol,
    TurnPrompt,
    TurnReading,
)
from proactive_agent.play.simulated_user import Understood, grant
from proactive_agent.providers import Choice, ImagePart, ProviderError, Reply, TextPart, UserMessage
from proactive_agent.records.episode import JudgementRecord
from proactive_agent.scenarios import Environment, Observation, Verdicts
from proactive_agent.tools import Abstain, Action, Answer, Intervention, Invalid
from proactive_agent.tools.actions import UNRELATED_REQUEST
from proactive_agent.tools.phrases import gives_up, length_notes, requests_in
from proactive_agent.tools.request_words import REQUESTS

GUESS = "My answer: {category}"
NO_ANSWER = "I cannot tell from this picture."


@dataclass(frozen=True)
class Oeg(Protocol):
    """Open-ended questions, asked once or in several turns."""

    multi_turn: bool = False

    name: ClassVar = "oeg"
    keeps_conversation: ClassVar = False

    @property
    def single_turn(self) -> bool:
        return not self.multi_turn

    def ask(
        self,
        observation: Observation,
        environment: Environment[Any],
        image: ImagePart,
        past: PastTurn | None,
    ) -> TurnPrompt:
        text = observation.question
        message = UserMessage((image, TextPart(text)))
        return TurnPrompt(message, text, (), (), tuple(_choices(observation)))

    async def read(self, reply: Reply, turn: AskedTurn) -> TurnReading:
        if turn.judge is None:
            return await super().read(reply, turn)
        case = _case(said(reply.text), turn.prompt.text, turn.environment)
        try:
            judgement = await ask_judge(turn.judge, case, turn.key, turn.budget)
        except ProviderError as failure:
            raise JudgeError(failure) from failure
        reading = _judged(case, judgement, turn.environment, turn.user_rng)
        if reply.cut_off and isinstance(reading.action, Invalid):
            return replace(reading, action=Invalid("cut_off"))
        return reading

    def read_by_rules(
        self,
        reply: Reply,
        observation: Observation,
        environment: Environment[Any],
        user_rng: random.Random,
    ) -> TurnReading:
        request = said(reply.text)
        possible, tools = environment.possible_interventions(), environment.helpful_tools
        helpful = [i for i in requests_in(request) if i in possible or i.tool in tools]
        granted = Understood(UNRELATED_REQUEST)
        if helpful:
            granted = grant(request, helpful, environment, user_rng)
        return TurnReading(
            granted.action,
            "text",
            notes=length_notes(request),
            question=request,
            mapped=granted.mapped,
        )


def _case(reply: str, question: str, environment: Environment[Any]) -> Case:
    """Returns a reply with everything that a judge needs to know about the state."""
    sample = environment.sample
    others = (c.removesuffix(".") for c in sample.categories if c != sample.answer)
    answers = tuple(environment.accepted_answers())
    return Case(environment.name, question, answers, tuple(others), reply)


def _judged(
    case: Case, judgement: JudgementRecord, environment: Environment[Any], rng: random.Random
) -> TurnReading:
    """Returns the reading that a judge's verdicts lead to.

    A right category ends the episode whatever else the reply says, as in the multiple choice. The
    judge says that a reply asks for something helpful; rules find the intervention it asks for.
    """
    met = [answer for answer, v in zip(case.answers, judgement.answers, strict=True) if v.met]
    wanted = [answer.intervention for answer in met if answer.intervention is not None]
    action: Action
    verdicts, mapped = None, False
    if any(answer.kind == "category" for answer in met):
        action = Answer(environment.sample.answer)
        if wanted and environment.single_turn and not environment.clear:
            verdicts = Verdicts("correct", "correct")
    elif wanted:
        granted = grant(case.reply, wanted, environment, rng)
        action, mapped = granted.action, granted.mapped
    else:
        action = _unmet(case, environment)
    return TurnReading(
        action,
        "text",
        verdicts=verdicts,
        notes=length_notes(case.reply),
        question=case.reply if isinstance(action, Intervention) else None,
        mapped=mapped,
        judgement=judgement,
    )


def _unmet(case: Case, environment: Environment[Any]) -> Action:
    """Returns the action of a reply without an accepted answer, for the records."""
    if not case.reply.strip():
        return Invalid("empty")
    sample = environment.sample
    guess = settled_category(case.reply, sample.categories)
    if guess is not None and (guess != sample.answer or not environment.accepted_categories()):
        return Answer(guess)
    possible = environment.possible_interventions()
    if refused := [request for request in requests_in(case.reply) if request not in possible]:
        return refused[0]
    return Abstain(case.reply) if gives_up(case.reply) else UNRELATED_REQUEST


def _choices(observation: Observation) -> list[Choice]:
    choices = []
    if observation.options:
        choices.append(Choice("abstain", Abstain(NO_ANSWER), NO_ANSWER))
    wanted = dict.fromkeys(intervention for intervention, _ in observation.suggestions)
    choices += [Choice("ask", one, REQUESTS[one]) for one in wanted]
    for category in observation.categories:
        text = GUESS.format(category=category)
        choices.append(Choice("answer", Answer(category), text))
    return choices
