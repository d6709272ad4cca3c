"""The interface of all providers.

A provider turns a `Request` into a `Reply`.  It does not know what a scenario is; the loop does not
know which provider it talks to.  Failures are exceptions: `ProviderError` for one request (it
becomes an error record), `UserError` for what ends the run (a wrong key, an unknown model),
`StoppedError` for what ends it for now (the person at the terminal left).
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from proactive_agent.providers.desk import Desk
from proactive_agent.providers.messages import Reply, Request, Sampling


class ProviderError(Exception):
    """One request failed; `kind` says how, in one word or two."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class StoppedError(Exception):
    """No more requests are answered for now: what is finished is on disk, and the run can go on."""


@dataclass(frozen=True, slots=True)
class ApiAccess:
    """How an API is reached and paid for; changes when replies come, never what they say."""

    rpm: float | None = None
    """Requests per minute."""
    tpm: float | None = None
    """Tokens per minute, input and output."""
    timeout: float = 180.0
    """Seconds until a request is given up and sent anew."""
    tries: int = 7
    """How often a request is sent at most."""
    first_wait: float = 1.0
    """Seconds between the first two tries; doubles from one to the next."""
    patience: float = 300.0
    """Seconds that all waits of one request may take together."""
    price: tuple[float, float] | None = None
    """US dollars per million input and output tokens, over those of the price list."""
    cache: str | None = None
    """Folder in which replies are kept."""


@dataclass(frozen=True, slots=True)
class ProviderOptions:
    """How a model is loaded, as the command line says; each provider takes what concerns it."""

    dtype: str = "auto"
    device: str = "auto"
    attention: str | None = None
    quantize: str | None = None
    revision: str | None = None
    batch_size: int = 16
    trust_remote_code: bool = False
    api: Literal["auto", "chat", "responses"] = "auto"
    """Which of OpenAI's APIs is spoken."""
    reasoning: str | None = None
    """How much an API model is to think: low, medium, high, …"""
    image_size: int = 1568
    """Longest edge in pixels of a picture that is sent to an API."""
    image_quality: int = 90
    """1 to 100."""
    image_format: Literal["jpeg", "webp"] = "jpeg"
    access: ApiAccess = ApiAccess()
    desk: Desk | None = None
    """Where the person sits whom `human` asks."""


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
