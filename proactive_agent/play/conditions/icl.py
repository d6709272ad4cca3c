"""`icl:1`, `icl:3`, …: solved episodes come before the first turn (in-context learning).

The episodes are of other samples, drawn anew for each sample. They look like the run's own turns:
same protocol, same hint. Each shows its first turn, which makes a suggestion, and its last turn,
which answers.
"""

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self

from proactive_agent.play.conditions.base import Condition, ConditionOptions, Situation
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
        "random-suggestions": "solved episodes take suggestions that are not on offer there",
        "toolset random": "solved episodes call tools that are not on offer there",
    }

    def __init__(self, examples: int, *, reasoning: bool) -> None:
        self.examples = examples
        self.reasoning = reasoning

    @classmethod
    def create(cls, label: str, options: ConditionOptions) -> Self:
        return cls(int(argument_of(label)), reasoning=options.icl_reasoning)

    @property
    def label(self) -> str:
        return f"{self.name}:{self.examples}"

    def check_run(self, scenarios: Sequence[str], data: DataFolder) -> None:
        super().check_run(scenarios, data)
        for scenario in scenarios:
            if data.count(scenario) <= self.examples:
                raise UserError(
                    f"condition {self.label!r} needs {self.examples} samples besides the one "
                    f"played; {data.file(scenario)} has only {data.count(scenario)} in total"
                )
            if self.reasoning and scenario not in data.wording.reasoning:
                raise UserError(
                    f"--icl-reasoning: wording {data.wording.name!r} has no reasoning "
                    f"for {scenario}"
                )

    async def prelude(self, situation: Situation) -> tuple[Message, ...]:
        scenario, data = situation.scenario, situation.data
        rng = situation.rng("examples")
        messages: list[Message] = []
        others = data.others(scenario, situation.sample_id, self.examples, rng)
        for number, sample in enumerate(others, 1):
            environment = data.environment(scenario, sample)
            messages += await self._solved(environment, number, situation, rng)
        return tuple(messages)

    async def _solved(
        self,
        environment: Environment[Any],
        number: int,
        situation: Situation,
        rng: random.Random,
    ) -> list[Message]:
        """Returns a solved episode as a conversation: its first turn and its answer."""
        form, protocol = FORMS[situation.scenario], situation.protocol
        messages: list[Message] = []
        past: PastTurn | None = None
        while environment.stop is None:
            action = _next_action(environment, form, rng)
            if past is None or isinstance(action, Answer):
                observation = _seen(environment, form, situation)
                image = await situation.show(observation.image)
                prompt = protocol.ask(observation, environment, image, past)
                why, done = "", None
                if isinstance(action, Intervention):
                    why = environment.wording.reasoning[environment.name] if self.reasoning else ""
                    done = observation.wording_of(action)
                reply = _reply(prompt, action, why, f"{number}{len(messages)}")
                past = PastTurn(reply, "call" if reply.tool_calls else "text", done)
                messages += [prompt.message, AssistantMessage(reply.text, reply.tool_calls)]
            environment.step(action)
        return [*messages, *protocol.closing(past)] if past else messages


def _next_action(environment: Environment[Any], form: ExampleForm, rng: random.Random) -> Action:
    possible = environment.possible_interventions()
    if not possible or environment.last_allowed_turn or environment.turn == form.suggestions:
        return Answer(environment.sample.answer)
    return rng.choice(possible)


def _seen(environment: Environment[Any], form: ExampleForm, situation: Situation) -> Observation:
    """Returns the observation under the run's conditions, with the picture in the form's size."""
    observation = situation.conditions.observe(environment.observe(), situation)
    image = observation.image
    if image.short_edge is None:
        image = image._replace(short_edge=form.short_edge)
    return replace(observation, image=image)


def _reply(prompt: TurnPrompt, action: Action, why: str, number: str) -> Reply:
    """Returns the reply of a model that takes this action."""
    index = next(i for i, choice in enumerate(prompt.choices) if choice.action == action)
    choice = prompt.choices[index]
    if choice.call is None:
        # As published: the option has no letter, except after a sentence of reasoning.
        return Reply(f"{why} {choice.text}" if why else prompt.options[index])
    # Ids are unique in a conversation; the strictest chat templates need nine letters and digits.
    return Reply(why, (replace(choice.call, id=f"example{number}"),))
