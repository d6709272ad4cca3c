"""ProactiveBench as an environment for `verifiers`: a new picture follows each suggestion.

    pip install . environments/proactive
    vf-eval proactive -m MODEL --client.base-url http://localhost:8000/v1 --no-push \
        --env.taskset.scenarios rod quickdraw --env.taskset.limit 5

The episodes are those of `run`. The tools are offered as text, so that the replies of a trained
model stay plain messages. The reward is that of training: 1 for the right category, else 0.5 for a
valid suggestion. `trace.info["record"]` holds the record of the episode.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import verifiers.v1 as vf

from proactive_agent import Game, Request, RewardRule, SteppedEpisode, content_parts
from proactive_agent.providers.text_tools import as_plain_text, reply_from_text

__all__ = ["ProactiveEnv", "ProactiveTaskset"]


class ProactiveConfig(vf.TasksetConfig):
    """Settings of the tasks."""

    scenarios: list[str] = ["rod"]  # noqa: RUF012 (pydantic copies it)
    condition: str = "zero-shot"
    limit: int | None = None
    """Samples per scenario."""
    data_dir: str | None = None
    """Folder in the official layout; None for the embedded suite."""


class ProactiveData(vf.TaskData):
    """A sample, and the settings with which it is played."""

    scenario: str
    sample_id: int | str
    settings: dict[str, Any]


class ProactiveTask(vf.Task[ProactiveData]):
    """A sample to play."""


class ProactiveTaskset(vf.Taskset[ProactiveTask, ProactiveConfig]):
    """The samples of the chosen scenarios."""

    def load(self) -> Iterator[ProactiveTask]:
        config = self.config
        settings = {
            "scenarios": tuple(config.scenarios),
            "condition": config.condition,
            "data": config.data_dir,
        }
        data = _game(**settings).play.data
        for scenario in config.scenarios:
            for sample in data.samples(scenario, config.limit):
                fields = ProactiveData(
                    name=f"{scenario}:{sample.id}",
                    scenario=scenario,
                    sample_id=sample.id,
                    settings=settings,
                )
                yield ProactiveTask(fields, config.task)


class ProactiveEnvConfig(vf.EnvConfig):
    """Settings of the environment."""

    player: vf.AgentConfig = vf.AgentConfig(harness={"id": "null"}, runtime={"type": "subprocess"})
    """A plain chat, in a process on this machine."""


class ProactiveEnv(vf.Env[ProactiveEnvConfig]):
    """Plays one sample with the model."""

    async def run(self, task: ProactiveTask, agents: Any) -> None:
        data = task.data
        settings = data.settings | {"scenarios": tuple(data.settings["scenarios"])}
        play = _game(**settings).play
        sample = play.data.find(data.scenario, str(data.sample_id))
        episode = SteppedEpisode(play, data.scenario, sample)
        request = await episode.begin()
        async with agents.player.interaction(task) as interaction:
            while request is not None:
                segment = await interaction.turn([{"role": "user", "content": _shown(request)}])
                if segment.terminated:
                    await episode.leave()
                    break
                turn = request.key.turn
                reply = reply_from_text(segment.last_reply, tools=True, turn=turn)
                request = await episode.step(reply)
        for name, value in RewardRule().episode_parts(episode.finished).items():
            interaction.trace.record_reward(name, value)
        interaction.trace.info["record"] = episode.finished.model_dump(mode="json")


@cache
def _game(**settings: Any) -> Game:
    return Game(toolset="episode", **settings)


def _shown(request: Request) -> list[dict[str, Any]]:
    """Returns the texts and pictures that a request adds; the tools come first, as text."""
    plain = tuple(as_plain_text(request.messages, request.tools))
    return content_parts(replace(request, messages=plain))
