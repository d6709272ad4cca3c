"""With the toolset `published`, `tools` is the decision problem of `mcqa`, state by state."""

import copy
import random
from collections.abc import Iterator
from typing import Any

import pytest

from proactive_agent.play.protocols import Mcqa, Protocol, ToolUse
from proactive_agent.providers import ImagePart, Reply
from proactive_agent.scenarios import SCENARIOS, DataFolder, Environment, Observation
from proactive_agent.tools import Abstain, Action, Invalid

PUBLISHED = ToolUse("published")
DATA = DataFolder()
IMAGE = ImagePart("", lambda: pytest.fail("no picture is needed"))


def actions(
    protocol: Protocol, observation: Observation, environment: Environment[Any]
) -> dict[Action, Action]:
    """Returns the actions that the replies of a state's choices are read as.

    The keys leave out the reason of an abstention.
    """
    found: dict[Action, Action] = {}
    for choice in protocol.ask(observation, environment, IMAGE, None).choices:
        calls = (choice.call,) if choice.call else ()
        reply = Reply(choice.text, tool_calls=calls)
        action = protocol.read_by_rules(reply, observation, environment, random.Random(0)).action
        found[Abstain() if isinstance(action, Abstain) else action] = action
    return found


def state_of(environment: Environment[Any]) -> tuple[Any, ...]:
    """Returns everything that a model, or the further course, can depend on."""
    fields = {
        name: getattr(value, "__dict__", value)
        for name, value in vars(environment).items()
        if name not in ("sample", "wording")
    }
    return (environment.observe(), repr(fields))


def copied(environment: Environment[Any]) -> Environment[Any]:
    shared = {id(one): one for one in (environment.sample, environment.wording)}
    return copy.deepcopy(environment, shared)


def states(environment: Environment[Any]) -> Iterator[Environment[Any]]:
    """Yields every state that suggestions lead to, each once."""
    seen: set[str] = set()
    left = [environment]
    while left:
        state = left.pop()
        if (found := repr(state_of(state))) in seen:
            continue
        seen.add(found)
        yield state
        for intervention in state.possible_interventions():
            after = copied(state)
            if after.step(intervention).stop is None:
                left.append(after)


def stepped(environment: Environment[Any], action: Action) -> tuple[Any, ...]:
    """Returns the outcome of an action and the state after it."""
    after = copied(environment)
    return (after.step(action), *state_of(after))


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_state_has_the_actions_transitions_and_endings_of_mcqa(scenario: str) -> None:
    for sample in DATA.samples(scenario):
        for state in states(DATA.environment(scenario, sample)):
            observation = state.observe()
            tools = actions(PUBLISHED, observation, state)
            options = actions(Mcqa(), observation, state)
            assert tools.keys() == options.keys()
            assert Invalid not in map(type, tools)
            for name, action in tools.items():
                assert stepped(state, action) == stepped(state, options[name])


@pytest.mark.parametrize("text", ["Please move the block to the left.", "Can you help me?", "?"])
def test_a_free_request_ends_the_episode_as_an_unreadable_choice_does(text: str) -> None:
    environment = DATA.environment("rod", next(iter(DATA.samples("rod"))))
    observation = environment.observe()
    for protocol in (PUBLISHED, Mcqa()):
        reading = protocol.read_by_rules(Reply(text), observation, environment, random.Random(0))
        assert isinstance(reading.action, Invalid)
        assert stepped(environment, reading.action)[0].stop == "invalid"


def test_there_is_no_tool_for_free_requests() -> None:
    environment = DATA.environment("rod", next(iter(DATA.samples("rod"))))
    prompt = PUBLISHED.ask(environment.observe(), environment, IMAGE, None)
    assert [tool.name for tool in prompt.tools] == ["move_object", "answer", "abstain"]
