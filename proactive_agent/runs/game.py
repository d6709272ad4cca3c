"""Single episodes for programs with their own loop, such as RL environments. Needs no asyncio.

game = Game(scenarios="rod")
request = game.reset("rod", 0)
while request is not None:
    request = game.call("move_object", direction="left")
print(game.record, game.reward())
"""

import asyncio
import weakref
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from proactive_agent.play.episode import ExternalPlayer, Play, SteppedEpisode
from proactive_agent.play.judges.choose import RULES
from proactive_agent.play.reward import RewardRule
from proactive_agent.providers import Reply, Request
from proactive_agent.providers.registry import PYTHON
from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.runs.keyword_settings import refuse_unknown, settings_of
from proactive_agent.runs.model_pool import ModelPool
from proactive_agent.runs.prepare import make_judge, make_play
from proactive_agent.scenarios import DataFolder
from proactive_agent.settings import ProtocolName
from proactive_agent.tools import UserError
from proactive_agent.tools.reading import call_from

T = TypeVar("T")


class Game:
    """Plays one episode after another, one call per turn. Not thread-safe."""

    _loop: asyncio.AbstractEventLoop | None = None

    def __init__(
        self,
        *,
        scenarios: str | Sequence[str] = (),
        protocol: ProtocolName = "tools",
        condition: str = "zero-shot",
        data: str | Path | DataFolder | None = None,
        **settings: Any,
    ) -> None:
        """The arguments are those of `evaluate` that concern the play. Raises UserError.

        Only rules can judge replies and play the user, because no model is loaded.
        """
        refuse_unknown("Game", settings)
        chosen = settings_of(f"{PYTHON}:game", scenarios, protocol, condition, data, settings)
        for name in ("judge", "user"):
            if getattr(chosen, name) != RULES:
                raise UserError(f"Game: {name}={getattr(chosen, name)!r}; expected {RULES!r}")
        pool = ModelPool()
        self.settings = chosen
        """The settings of the episodes."""
        self.play: Play = make_play(
            chosen, pool.data(chosen), ExternalPlayer(), make_judge(chosen, pool, None)
        )
        """Everything that the episodes share; a `SteppedEpisode` needs it."""
        self._episode: SteppedEpisode | None = None

    def reset(self, scenario: str, sample: int | str, repeat: int = 0) -> Request | None:
        """Begins an episode and returns its first request. The one before it is abandoned.

        `sample` is the sample's id. Returns None if the sample cannot be played; `record` then has
        the error. Raises UserError if there is no such sample.
        """
        if scenario not in self.settings.scenarios:
            known = ", ".join(self.settings.scenarios)
            raise UserError(f"the scenario {scenario!r} is not played here; expected {known}")
        found = self.play.data.find(scenario, str(sample))
        self._episode = SteppedEpisode(self.play, scenario, found, repeat)
        return self._run(self._episode.begin())

    def call(self, tool: str, /, **arguments: str) -> Request | None:
        """Plays a turn with one tool call. Returns the next request, or None after the end."""
        call = call_from(tool, arguments)
        return self.step(
            Reply(tool_calls=(call,), finish_reason="tool_calls", tool_format="native")
        )

    def step(self, reply: Reply) -> Request | None:
        """Plays a turn with any reply. Returns the next request, or None after the end."""
        return self._run(self._begun.step(reply))

    def leave(self) -> EpisodeRecord:
        """Ends the episode without an answer and returns its record."""
        return self._run(self._begun.leave())

    @property
    def request(self) -> Request | None:
        """The request that waits for a reply; None if no episode is being played."""
        return self._episode.request if self._episode else None

    @property
    def record(self) -> EpisodeRecord | None:
        """The record of the episode; None before its end."""
        return self._episode.record if self._episode else None

    def reward(self, rule: RewardRule | None = None) -> float:
        """Returns the reward of the episode; 0 before its end and after an error."""
        return (rule or RewardRule()).episode_reward(self.record)

    def close(self) -> None:
        """Releases the event loop. The game can be played again afterwards."""
        if self._loop is not None:
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._release()
            self._loop = None

    @property
    def _begun(self) -> SteppedEpisode:
        if self._episode is None:
            raise RuntimeError("no episode has begun; call reset")
        return self._episode

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            # At exit, this runs while the modules that close a loop are still whole.
            self._release = weakref.finalize(self, self._loop.close)
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return self._loop.run_until_complete(work)
        # In a notebook this thread runs another loop.
        with ThreadPoolExecutor(1, thread_name_prefix="game") as thread:
            return thread.submit(self._loop.run_until_complete, work).result()
