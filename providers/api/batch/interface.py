"""The interface of a provider's batch API."""

import json
import re
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from proactive_agent.providers.api.faults import ApiError, from_sdk, shortened
from proactive_agent.providers.api.retry import Retry
from proactive_agent.providers.api.server import ApiClient, fetched, lines_of, plain
from proactive_agent.settings import ApiAccess
from proactive_agent.tools.reading import clean

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,199}")
"""Pattern of ids that may become a part of a URL."""


LONGEST_STATUS = 40
"""Longest status of a batch that is kept, in characters."""


class BatchAnswer(NamedTuple):
    """The result of one request of a batch."""

    custom_id: str
    result: dict[str, Any] | ApiError
    """The body of the response as the ordinary API returns it, or the failure."""


@dataclass(frozen=True, slots=True)
class BatchState:
    """The state of a batch, as the API reports it."""

    status: str
    """The status as the API names it."""
    ended: bool = False
    done: int = 0
    """Requests that have a result."""
    refusal: ApiError | None = None
    """Why no request of the batch was processed; None if they are."""
    too_many_tokens: bool = False
    """Whether it was refused because too many tokens are waiting in the account's batches."""
    results: tuple[str, ...] = ()
    """Paths of the files with results, if it has ended."""
    leftover: ApiError | None = None
    """The failure of requests without a result; None if each has one."""


class BatchApi(ABC):
    """The batch API of one account. Every method raises ApiError."""

    most_requests: ClassVar[int]
    """Most requests in a batch."""
    most_bytes: ClassVar[int] = 64 * 2**20
    """Most bytes in a batch. Both APIs allow more, but an upload is held in memory."""

    def __init__(self, client: ApiClient, spec: str, place: str, access: ApiAccess) -> None:
        self._client = client
        self.spec = spec
        """The model, in messages."""
        self.place = place
        """The location of the batches: the API and the address of the server."""
        self.first_wait = access.first_wait
        self.tries = access.tries
        self._retry = Retry(access.tries, access.first_wait, access.patience, name=spec)

    @abstractmethod
    def item(self, custom_id: str, body: dict[str, Any]) -> bytes:
        """Formats a request of a batch as one line of JSON."""

    @abstractmethod
    async def check(self) -> None:
        """Raises ApiError if the server has no batch API."""

    @abstractmethod
    async def submit(self, items: Sequence[bytes], token: str) -> str:
        """Submits a batch once and returns its id. `token` is a name for `find`."""

    @abstractmethod
    async def find(self, token: str, requests: int, since: float, known: Sequence[str]) -> str:
        """Returns the id of a batch whose submission was not confirmed, or an empty text.

        `since` is the time of its submission in seconds of the Unix epoch. `known` are the ids of
        other batches of the run.
        """

    @abstractmethod
    async def state(self, batch: str) -> BatchState:
        """Returns the state of a batch."""

    @abstractmethod
    def answer(self, line: dict[str, Any]) -> BatchAnswer | None:
        """Parses a line of a file with results; None if it names no request."""

    async def answers(self, path: str) -> AsyncIterator[BatchAnswer | None]:
        """Yields the results in a file; None for each line that cannot be read."""
        with sdk_errors():
            async for content in lines_of(self._client, path):
                line = _object(content)
                yield None if line is None else self.answer(line)

    async def _get(self, path: str, **query: Any) -> dict[str, Any]:
        async def attempt() -> dict[str, Any]:
            with sdk_errors():
                return await fetched(self._client, path, query)

        return await self._retry(attempt)


@contextmanager
def sdk_errors() -> Iterator[None]:
    """Converts the exceptions of an SDK to ApiError."""
    try:
        yield
    except ApiError:
        raise
    except Exception as error:
        raise from_sdk(error) from None


def checked_id(value: object) -> str:
    """Returns an id that can safely be part of a URL and of a record.

    Raises ApiError of the kind `malformed`.
    """
    if isinstance(value, str) and ID.fullmatch(value) and clean(value) == value:
        return value
    raise ApiError("malformed", f"the batch API returned the id {shortened(str(value), 80)!r}")


def _object(content: bytes) -> dict[str, Any] | None:
    """Returns the JSON object in a line, or None if the line is not one."""
    try:
        value = plain(json.loads(content))
    except (ValueError, RecursionError, ApiError):
        return None
    return value if isinstance(value, dict) else None


def count_of(value: object) -> int:
    """Returns a count from a response; 0 for any other value."""
    return value if isinstance(value, int) and value >= 0 else 0
