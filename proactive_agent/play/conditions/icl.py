"""`icl:1`, `icl:3`, …: solved episodes come before the first turn (in-context learning).

The episodes are of other samples, drawn anew for each sample; those with the same categories are
avoided. They look like the run's own turns:
same protocol, same hint, pictures at full size. An example of ROD has two turns: a suggestion and
the answer. One of MVP-N has the whole sequence of views. With `icl_reduced`, pictures are small,
and only the first and the last turn are shown.
"""

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self

from proactive_agent.play.conditions.base import Condition, ConditionOptions, Prelude, Situation
from proactive_agent.play.protocols.base import PastTurn, TurnPrompt
from proactive_agent.providers import AssistantMessage, Message, Reply
from proactive_agent.scenarios import SCENARIOS, DataFolder, Environment, Observation
from proactive_agent.scenarios.environment import ExampleForm
from proactive_agent.settings.condition_label import argument_of
from proactive_agent.tools import Action, Answer, Intervention, UserError

FORMS = {
    name: scenario.example_form for name, scenario in SCENARIOS.items() if scenario.example_form
}
"""The form of solved episodes, by scenario."""

_MISLEADS = "solved episodes begin with a request, and on the clear frame no request helps"
_NOT_OFFERED = "solved episodes take suggestions that are not on offer there"


class Icl(Condition):
    """`icl:N`: N solved episodes come first."""

    name: ClassVar = "icl"
    labels: ClassVar = tuple(f"icl:{count}" for count in range(1, 6))
    scenarios: ClassVar = frozenset(FORMS)
    shows_examples: ClassVar = True
    not_with: ClassVar = {
        "oeg": "solved episodes take one of the options, and open-ended questions have none",
        "reference": _MISLEADS,
        "clear": _MISLEADS,
        "random-suggestions": _NOT_OFFERED,
        "useless-suggestions": _NOT_OFFERED,
        "toolset random": "solved episodes call tools that are not on offer there",
    }

    def __init__(self, count: int, *, reasoning: bool, reduced: bool) -> None:
        self.count = count
        self.reasoning = reasoning
        self.reduced = reduced

    @classmethod
    def create(cls, label: str, options: ConditionOptions) -> Self:
        return cls(
            int(argument_of(label)), reasoning=options.icl_reasoning, reduced=options.icl_reduced
        )

    @property
    def label(self) -> str:
        return f"{self.name}:{self.count}"

    def check_run(self, scenarios: Sequence[str], data: DataFolder) -> None:
        super().check_run(scenarios, data)
        for scenario in scenarios:
            if data.count(scenario) <= self.count:
                raise UserError(
                    f"condition {self.label!r} needs {self.count} samples besides the one "
                    f"played; {data.file(scenario)} has only {data.count(scenario)} in total"
                )
            if self.reasoning and scenario not in data.wording.reasoning:
                raise UserError(
                    f"--icl-reasoning: wording {data.wording.name!r} has no reasoning "
                    f"for {scenario}"
                )

    async def prelude(self, situation: Situation) -> Prelude:
        rng = situation.rng("examples")
        data, scenario = situation.data, situation.scenario
        examples = data.others(scenario, situation.sample, self.count, rng)
        messages: list[Message] = []
        for number, sample in enumerate(examples, 1):
            environment = data.environment(scenario, sample)
            messages += await self._solved(environment, number, situation, rng)
        return Prelude(tuple(messages), tuple(examples))

    async def _solved(
        self,
        environment: Environment[Any],
        number: int,
        situation: Situation,
        rng: random.Random,
    ) -> list[Message]:
        """Returns a solved episode as a conversation."""
        form, protocol = FORMS[situation.scenario], situation.protocol
        messages: list[Message] = []
        past: PastTurn | None = None
        while environment.stop is None:
            action = _next_action(environment, form, rng)
            if past is None or isinstance(action, Answer) or not self.reduced:
                observation = self._seen(environment, form, situation)
                image = await situation.show(observation.image)
                prompt = protocol.ask(observation, environment, image, past)
                why, done = "", None
                if isinstance(action, Intervention):
                    why = environment.wording.reasoning[environment.name] if self.reasoning else ""
                    done = observation.wording_of(action)
                reply = _reply(prompt, action, why, f"{number}{environment.turn:06d}")
                past = PastTurn(reply, "call" if reply.tool_calls else "text", done)
                messages += [prompt.message, AssistantMessage(reply.text, reply.tool_calls)]
            environment.step(action)
        return [*messages, *protocol.closing(past)] if past else messages

    def _seen(
        self, environment: Environment[Any], form: ExampleForm, situation: Situation
    ) -> Observation:
        """Returns the observation under the run's conditions, small in the reduced form."""
        observation = situation.conditions.observe(environment.observe(), situation)
        image = observation.image
        if self.reduced and image.short_edge is None:
            image = image._replace(short_edge=form.reduced_edge)
        return replace(observation, image=image)


def _next_action(environment: Environment[Any], form: ExampleForm, rng: random.Random) -> Action:
    possible = environment.possible_interventions()
    if not possible or environment.last_allowed_turn or environment.turn == form.suggestions:
        return Answer(environment.sample.answer)
    return rng.choice(possible)


def _reply(prompt: TurnPrompt, action: Action, why: str, number: str) -> Reply:
    """Returns the reply of a model that takes this action."""
    index = next(i for i, choice in enumerate(prompt.choices) if choice.action == action)
    choice = prompt.choices[index]
    if choice.call is None:
        # As published: the option has no letter, except after a sentence of reasoning.
        return Reply(f"{why} {choice.text}" if why else prompt.options[index])
    # Ids are unique in a conversation; the strictest chat templates need nine letters and digits.
    return Reply(why, (replace(choice.call, id=f"ex{number}"),))
