"""The interface of all providers.

A provider turns a `Request` into a `Reply`. It does not know what a scenario is, and the episode
loop does not know which provider it talks to. A failure is one of three exceptions:

- `ProviderError`: one request failed; its episode becomes an error record;
- `UserError`: the run cannot work (a wrong key, an unknown model) and ends;
- `StoppedError`: the run stops early and can be resumed (the human player left, the
  account has no credit left).
"""

import threading
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

from proactive_agent.providers.desk import Desk
from proactive_agent.providers.messages import Reply, Request, RequestKey, Usage
from proactive_agent.settings import ApiAccess, LoadSettings, Sampling
from proactive_agent.tools.reading import clean


class ProviderError(Exception):
    """One request failed.

    `kind` is a short identifier such as `timeout` or `bad_request`. `usage` is that of replies
    to the request that were paid for and then discarded.
    """

    def __init__(self, kind: str, message: str, usage: Usage | None = None) -> None:
        # Both are written to disk, and no file can hold a lone surrogate.
        super().__init__(clean(str(message)))
        self.kind = clean(str(kind))
        self.usage = usage

    def __reduce__(self) -> tuple[type["ProviderError"], tuple[str, str, Usage | None]]:
        return type(self), (self.kind, str(self), self.usage)


class StoppedError(Exception):
    """The run stops early. Finished episodes are on disk, and `--resume` continues the run."""


class Finding(NamedTuple):
    """The result of one check of a model."""

    what: str
    works: bool | None
    """None for information that is neither a success nor a fault."""
    detail: str
    """The finding and, after a failure, the remedy."""


@dataclass(frozen=True)
class ProviderOptions(LoadSettings):
    """Settings and resources from which a factory makes a provider."""

    access: ApiAccess = field(default_factory=ApiAccess)
    desk: Desk | None = None
    """Terminal interface for a human player; `human` needs it."""
    abandoned: threading.Event | None = field(default=None, compare=False)
    """Set when nothing waits for the provider any more, so that a slow factory can give up."""

    def is_abandoned(self) -> bool:
        """Whether nothing waits for the provider any more."""
        return self.abandoned is not None and self.abandoned.is_set()


class Preview(NamedTuple):
    """What would be sent for a request, and where."""

    address: str
    """Base URL of the API, or the name of the library that chooses it."""
    body: dict[str, Any]
    """The JSON body, pictures included."""


class Provider(ABC):
    """One model behind one interface.

    A subclass implements `complete`, which may be called many times at once. A factory in
    `providers.registry` makes the provider of a `NAME:MODEL`.
    """

    remote: ClassVar[bool] = False
    """True: the model runs elsewhere, so several models can be asked at the same time."""
    interactive: ClassVar[bool] = False
    """True: a person answers, so nothing else may write to the terminal."""
    needs_images: ClassVar[bool] = True
    """False: episodes are played even if a picture file is missing."""
    sees_environment: ClassVar[bool] = False
    """True: requests contain the environment's best next action (only for `baseline:oracle`)."""
    sees_statistics: ClassVar[bool] = False
    """True: requests contain the best action of a policy that sees no picture but knows the answers
    of the other samples (only for `baseline:text-only`)."""
    charges: ClassVar[bool] = False
    """True: replies cost money."""
    is_agent: ClassVar[bool] = False
    """True: a whole agent plays. It keeps the conversation itself and calls tools as it likes."""
    unranked: ClassVar[bool] = False
    """True: the player can skip or leave episodes, so its runs are no measurements (`serve`)."""
    uses_temperature: ClassVar[bool] = True
    """False: the temperature has no effect on replies."""

    default_model: ClassVar[str | None] = None
    """The model of a spec without one (`human` is `human:anonymous`)."""
    library: ClassVar[str | None] = None
    """The distribution that must be installed in addition to the base install, if any."""
    extra: ClassVar[str | None] = None
    """The extra of proactive-agent that installs `library`."""

    @property
    def concurrency(self) -> int:
        """Number of episodes in flight if the user does not set one."""
        return 16

    @property
    def uses_batches(self) -> bool:
        """Whether the requests of a run are submitted in waves, to a batch API."""
        return False

    @property
    def max_pictures(self) -> int | None:
        """The most pictures in a request; None if there is no known limit."""
        return None

    @abstractmethod
    async def complete(self, request: Request) -> Reply:
        """Asks the model once. Raises ProviderError, UserError or StoppedError."""

    def requests_at_once(self, number: int) -> AbstractContextManager[int]:
        """Limits the concurrent requests of a run while the context is open.

        Its value is the number of episodes to play at once. It is more than `number` if requests
        are prepared while others are answered.
        """
        return nullcontext(number)

    async def end(self, key: RequestKey) -> Usage | None:
        """Is called when the episode of a request has ended, for any reason.

        Called once per episode, also after an error and a cancellation. Returns the usage of the
        whole episode if replies could not carry it.
        """
        return None

    async def probe(self, sampling: Sampling) -> Reply | None:
        """Asks once before the run, so that a wrong key or model name is found early.

        Returns the reply, or None if the provider has nothing to test. Raises UserError.
        """
        return None

    async def preview(self, request: Request) -> Preview | None:
        """Returns what would be sent for a request, or None if nothing leaves this machine.

        Sends nothing. Raises ProviderError if the request cannot be expressed.
        """
        return None

    async def check(self) -> list[Finding]:
        """Checks what the model can do, beyond one request; for `providers check`."""
        return []

    def manifest(self) -> dict[str, Any]:
        """Facts that determine the replies, for the run's manifest. Never contains a key."""
        return {}

    def generation_settings(self, sampling: Sampling) -> dict[str, Any]:
        """Returns the settings of text generation that requests with this sampling really have.

        Empty if there are none.
        """
        return {}

    def learnt(self) -> dict[str, Any]:
        """The facts of `manifest` that change while the model plays, as they are now."""
        return {}

    def counted(self) -> dict[str, int]:
        """Counts of events since the provider was made. The manifest has those of the run."""
        return {}

    def activity(self) -> list[str]:
        """Returns lines about the state of the provider, for a live display."""
        return []

    async def close(self) -> None:
        """Releases memory, connections and threads."""
        return
