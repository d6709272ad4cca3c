"""The interface of all providers.

A provider turns a `Request` into a `Reply`.  It does not know what a scenario is; the loop does not
know which provider it talks to.  Failures are exceptions: `ProviderError` for one request (it
becomes an error record), `UserError` for what ends the run (a wrong key, an unknown model).
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from providers.messages import Reply, Request


class ProviderError(Exception):
    """One request failed; `kind` says how, in one word or two."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


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


class Provider(ABC):
    """One model behind one interface.  `complete` may be called many times at once."""

    needs_images: ClassVar[bool] = True
    """False: a picture that is missing does not matter."""
    sees_environment: ClassVar[bool] = False
    """True: requests carry the environment's own next step (`baseline:oracle` alone)."""

    @classmethod
    @abstractmethod
    def create(cls, model: str, options: ProviderOptions) -> Self:
        """The provider for the part after the colon.  Raises UserError where there is none."""

    @property
    def concurrency(self) -> int:
        """How many episodes to keep in flight where the user does not say."""
        return 16

    @abstractmethod
    async def complete(self, request: Request) -> Reply:
        """Asks the model.  Raises ProviderError."""

    def manifest(self) -> dict[str, Any]:
        """What determines the replies, for the run's manifest; never a key."""
        return {}

    async def close(self) -> None:
        """Lets go of what the provider holds."""
        return
