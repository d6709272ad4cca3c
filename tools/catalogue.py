"""The tools of the benchmark: definitions, JSON Schemas, and the action that a call represents.

| tool | parameter | what it asks for |
| --- | --- | --- |
| move_object | direction: left, right | move the object in the foreground |
| seek_video | direction: rewind, wait | another frame of the video |
| rotate_object | | another view of the object |
| enhance_image | operation: one of eight | a better picture |
| add_details | | one more stroke of the drawing |
| move_camera | direction: left, right, up, down, farther | another part of the scene |
| ask_clarification | question: free text | anything, in words |
| answer | category: one of the sample's | ends the episode |
| abstain | reason: free text, optional | ends the episode |
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from proactive_agent.tools.actions import Abstain, Action, Answer, Intervention, Question
from proactive_agent.tools.texts import DESCRIPTIONS, IN_THE_USERS_WORDS, OPERATIONS, PARAMETERS

INTERVENTIONS: Mapping[str, tuple[str | None, tuple[str, ...]]] = {
    "move_object": ("direction", ("left", "right")),
    "seek_video": ("direction", ("rewind", "wait")),
    "rotate_object": (None, ()),
    "enhance_image": ("operation", tuple(OPERATIONS)),
    "add_details": (None, ()),
    "move_camera": ("direction", ("left", "right", "up", "down", "farther")),
}
"""For each intervention tool, the name of its parameter, or None, and all its values."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One string argument of a tool; `choices` is empty for free text."""

    name: str
    description: str
    choices: tuple[str, ...] = ()
    required: bool = True


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that a model can call."""

    name: str
    description: str
    parameters: tuple[Parameter, ...]
    to_action: Callable[[Mapping[str, str]], Action | Question] = field(compare=False, repr=False)
    """Maps validated arguments to the action that they represent. A pure function that can be
    pickled, because requests with their tools travel to other processes."""

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the arguments object."""
        properties: dict[str, Any] = {}
        for parameter in self.parameters:
            properties[parameter.name] = {"type": "string", "description": parameter.description}
            if parameter.choices:
                properties[parameter.name]["enum"] = list(parameter.choices)
        return {
            "type": "object",
            "properties": properties,
            "required": [p.name for p in self.parameters if p.required],
            "additionalProperties": False,
        }


def intervention_tool(name: str, values: Sequence[str] = (), wordings: Sequence[str] = ()) -> Tool:
    """The tool for an intervention, with `values` of its parameter (default: all values).

    `wordings` are the sample's sentences for a tool without a parameter. They become a part of the
    description, so that the model reads the same text as in the multiple choice.
    """
    parameter_name, every_value = INTERVENTIONS[name]
    description = DESCRIPTIONS[name]
    if wordings:
        description += " " + IN_THE_USERS_WORDS.format(wording=" / ".join(wordings))
    if parameter_name is None:
        return Tool(name, description, (), partial(_to_intervention, name, None))
    choices = tuple(values) or every_value
    help_text = PARAMETERS[parameter_name]
    if name == "enhance_image":
        help_text += " " + "; ".join(f"{c}: {OPERATIONS[c]}" for c in choices) + "."
    parameter = Parameter(parameter_name, help_text, choices)
    to_action = partial(_to_intervention, name, parameter_name)
    return Tool(name, description, (parameter,), to_action)


def answer_tool(categories: Sequence[str]) -> Tool:
    """The tool `answer` for the sample's categories, which are shown without a final full stop."""
    shown = [category.removesuffix(".") for category in categories]
    if len(set(shown)) < len(shown):
        shown = list(categories)
    spelled = dict(zip(shown, categories, strict=True))
    parameter = Parameter("category", PARAMETERS["category"], tuple(shown))
    return Tool("answer", DESCRIPTIONS["answer"], (parameter,), partial(_to_answer, spelled))


def _to_intervention(name: str, parameter: str | None, arguments: Mapping[str, str]) -> Action:
    return Intervention(name) if parameter is None else Intervention(name, arguments[parameter])


def _to_answer(spelled: Mapping[str, str], arguments: Mapping[str, str]) -> Action:
    return Answer(spelled[arguments["category"]])


def _to_question(arguments: Mapping[str, str]) -> Question:
    return Question(arguments["question"])


def _to_abstention(arguments: Mapping[str, str]) -> Action:
    return Abstain(arguments.get("reason", ""))


ASK_CLARIFICATION = Tool(
    "ask_clarification",
    DESCRIPTIONS["ask_clarification"],
    (Parameter("question", PARAMETERS["question"]),),
    _to_question,
)

ABSTAIN = Tool(
    "abstain",
    DESCRIPTIONS["abstain"],
    (Parameter("reason", PARAMETERS["reason"], required=False),),
    _to_abstention,
)
