"""The interface of all providers.

A provider turns a `Request` into a `Reply`.  It does not know what a scenario is; the loop does not
know which provider it talks to.  Failures are exceptions: `ProviderError` for one request (it
becomes an error record), `UserError` for what ends the run (a wrong key, an unknown model),
`StoppedError` for what ends it for now (the person at the terminal left).
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar

from proactive_agent.providers.desk import Desk
from proactive_agent.providers.messages import Reply, Request
from proactive_agent.settings import ApiAccess, LoadSettings, Sampling


class ProviderError(Exception):
    """One request failed; `kind` says how, in one word or two."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class StoppedError(Exception):
    """No more requests are answered for now: what is finished is on disk, and the run can go on."""


@dataclass(frozen=True)
class ProviderOptions(LoadSettings):
    """All that a provider is made with, besides the name of its model."""

    access: ApiAccess = field(default_factory=ApiAccess)
    desk: Desk | None = None
    """Terminal interface for a human player; `human` needs it."""


class Provider(ABC):
    """One model behind one interface.

    A subclass implements `complete`, which may be called many times at once.  How a provider is
    made from `NAME:MODEL` is up to its factory in `providers.registry`.
    """

    remote: ClassVar[bool] = False
    """True: the model runs elsewhere, so several models can be asked at the same time."""
    interactive: ClassVar[bool] = False
    """True: a person answers, so nothing else may write to the terminal."""
    needs_images: ClassVar[bool] = True
    """False: a picture that is missing does not matter."""
    sees_environment: ClassVar[bool] = False
    """True: requests carry the environment's own next step (`baseline:oracle` alone)."""
    charges: ClassVar[bool] = False
    """True: replies cost money."""
    uses_temperature: ClassVar[bool] = True
    """False: the temperature changes nothing."""

    default_model: ClassVar[str | None] = None
    """The model of a spec without one (`human` is `human:anonymous`)."""
    library: ClassVar[str | None] = None
    """The distribution that must be installed, where the base install does not contain it."""
    extra: ClassVar[str | None] = None
    """The extra of proactive-agent that installs `library`."""

    @property
    def concurrency(self) -> int:
        """How many episodes to keep in flight where the user does not say."""
        return 16

    @abstractmethod
    async def complete(self, request: Request) -> Reply:
        """Asks the model.  Raises ProviderError."""

    async def probe(self, sampling: Sampling) -> Reply | None:
        """Asks once before the run, so that a wrong key or model spends no sample.

        Raises UserError; None where there is nothing to find out.
        """
        return None

    def manifest(self) -> dict[str, Any]:
        """What determines the replies, for the run's manifest; never a key."""
        return {}

    async def close(self) -> None:
        """Lets go of what the provider holds."""
        return
