"""Toolsets: the tools that are offered in a state.

- `scenario`: the interventions that are possible in this state, as in the multiple choice;
- `published`: exactly the options of the multiple choice, so that both pose one decision problem;
- `episode`: the interventions that are possible in some state of the episode, so that the tools
  stay the same. Those that the state does not allow are wrong suggestions. Agents play with it;
- `all`: every tool with every value; most of them have no effect in the state;
- `random`: only tools of other scenarios, so that asking for help is never useful.

All toolsets contain `answer`. All contain `abstain`, but `published` only if the sample offers an
abstention. `scenario`, `episode` and `all` also contain `ask_clarification`, and a message may ask
the user for something. In `published` and `random` no request in free words is read, as in the
multiple choice.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from proactive_agent.tools.actions import Action, Intervention, Question
from proactive_agent.tools.catalogue import (
    ABSTAIN,
    ASK_CLARIFICATION,
    INTERVENTIONS,
    Tool,
    answer_tool,
    intervention_tool,
)

ToolsetName = Literal["scenario", "published", "episode", "all", "random"]
TOOLSETS: tuple[ToolsetName, ...] = get_args(ToolsetName)
WITHOUT_REQUESTS: frozenset[ToolsetName] = frozenset({"published", "random"})
"""Toolsets in which no request in free words is read."""


@dataclass(frozen=True, slots=True)
class Toolset:
    """The tools offered in one turn."""

    tools: tuple[Tool, ...]

    def find(self, name: str) -> Tool | None:
        """The tool with this name, or None if it is not offered."""
        return next((tool for tool in self.tools if tool.name == name), None)

    def closed_calls(self) -> Iterator[tuple[str, dict[str, str], Action | Question]]:
        """All calls without free text: the tool's name, the arguments and the resulting action."""
        for tool in self.tools:
            required = [p for p in tool.parameters if p.required]
            if not required:
                yield tool.name, {}, tool.to_action({})
            elif len(required) == 1:
                for value in required[0].choices:
                    arguments = {required[0].name: value}
                    yield tool.name, arguments, tool.to_action(arguments)


def offered(suggestions: Sequence[tuple[Intervention, str]], categories: Sequence[str]) -> Toolset:
    """The toolset `scenario`. `suggestions` are the interventions and the sample's wordings."""
    own = _own_tools(suggestions)
    return Toolset((*own, ASK_CLARIFICATION, answer_tool(categories), ABSTAIN))


def published(
    suggestions: Sequence[tuple[Intervention, str]], categories: Sequence[str], *, abstention: bool
) -> Toolset:
    """The toolset `published`. `abstention` says whether the sample offers one."""
    last = (ABSTAIN,) if abstention else ()
    return Toolset((*_own_tools(suggestions), answer_tool(categories), *last))


def _own_tools(suggestions: Sequence[tuple[Intervention, str]]) -> list[Tool]:
    values: dict[str, list[str]] = {}
    wordings: dict[str, list[str]] = {}
    for intervention, wording in suggestions:
        of_tool = values.setdefault(intervention.tool, [])
        if intervention.argument is None:
            wordings.setdefault(intervention.tool, []).append(wording)
        elif intervention.argument not in of_tool:
            of_tool.append(intervention.argument)
    return [intervention_tool(name, values[name], wordings.get(name, ())) for name in values]


def everything(categories: Sequence[str]) -> Toolset:
    """The toolset `all`."""
    own = map(intervention_tool, INTERVENTIONS)
    return Toolset((*own, ASK_CLARIFICATION, answer_tool(categories), ABSTAIN))


def foreign(own_tools: frozenset[str], categories: Sequence[str]) -> Toolset:
    """The toolset `random`: the intervention tools that the scenario does not use."""
    others = [intervention_tool(name) for name in INTERVENTIONS if name not in own_tools]
    return Toolset((*others, answer_tool(categories), ABSTAIN))
