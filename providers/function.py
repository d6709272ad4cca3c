"""A Python function as a model: `def model(request) -> Reply | str`, sync or async.

    def model(request: Request) -> str:
        return my_network(request.images[-1], request.text)

    provider = FunctionProvider(model)

A `str` is the text of the reply. A `Reply` can also hold tool calls, token counts and costs.
"""

import asyncio
import contextvars
import functools
import hashlib
import inspect
import traceback
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any, ClassVar, NamedTuple

from proactive_agent.providers.base import Provider, ProviderError, StoppedError
from proactive_agent.providers.messages import Reply, Request
from proactive_agent.tools import UserError

ModelFunction = Callable[[Request], Reply | str | Awaitable[Reply | str]]

ASYNC_CONCURRENCY = 16
"""Episodes in flight for an async function if the user does not set a number."""


class FunctionProvider(Provider):
    """Asks a Python function.

    A sync function runs outside the event loop, in threads of this provider. By default there is
    one thread, so the function needs no locks, and objects that are bound to their thread (SQLite
    connections, CUDA streams) work. `concurrency=N` runs up to N calls at the same time, in N
    threads; the function must then be thread-safe.

    An async function runs on the event loop. Its calls are limited only if `concurrency` is given.

    An exception of the function ends the run with a UserError that shows the traceback: it is a bug
    of the function, not a wrong answer of the model. For a failure of one request (a server did
    not respond) the function raises ProviderError, which becomes an error record.

    `name` is the model's name in results, by default the name of the function. Raises UserError
    if `function` cannot be called or `concurrency` is less than 1.
    """

    def __init__(
        self, function: ModelFunction, name: str | None = None, concurrency: int | None = None
    ) -> None:
        _check(function, concurrency)
        self.name = name or _name_of(function)
        self._function = function
        self._is_async = _is_async(function)
        self._limit = concurrency
        self._threads: ThreadPoolExecutor | None = None
        self._slots: tuple[asyncio.AbstractEventLoop, asyncio.Semaphore] | None = None

    @property
    def concurrency(self) -> int:
        return self._limit or (ASYNC_CONCURRENCY if self._is_async else 1)

    async def complete(self, request: Request) -> Reply:
        """Calls the function. Raises UserError for its bugs, and passes on its ProviderError."""
        value = await self._outcome(request)
        if isinstance(value, _Raised):
            if isinstance(value.error, ProviderError | StoppedError | UserError):
                raise value.error
            raise UserError(self._describe(value.error, request)) from value.error
        if isinstance(value, str):
            return Reply(text=value)
        if isinstance(value, Reply):
            return value
        hint = " (is a `return` missing?)" if value is None else ""
        raise UserError(
            f"the model function {self.name} returned {_type_name(value)}{hint}; "
            "expected a Reply or a str"
        )

    def manifest(self) -> dict[str, Any]:
        """The function's module, qualified name and the SHA-256 of its source (None if unknown)."""
        code = _code_of(self._function)
        return {
            "name": self.name,
            "function": {
                "module": getattr(code, "__module__", None),
                "qualname": getattr(code, "__qualname__", None),
                "source_sha256": _source_sha256(code),
            },
        }

    async def close(self) -> None:
        """Ends the threads after their current calls. A later request starts new ones."""
        if self._threads:
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._threads = None

    async def _outcome(self, request: Request) -> Any:
        """The value that the function returned, or the exception that it raised."""
        if self._is_async:
            async with self._slot():
                return await _awaited(_call(self._function, request))
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self.concurrency, thread_name_prefix=self.name)
        call = functools.partial(_call, self._function, request)
        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        outcome = await loop.run_in_executor(self._threads, context.run, call)
        # A lambda around an async function is a sync function that returns an awaitable.
        return await _awaited(outcome)

    def _slot(self) -> AbstractAsyncContextManager[Any]:
        """Waits for one of `concurrency` slots. A semaphore serves one event loop only."""
        if self._limit is None:
            return nullcontext()
        loop = asyncio.get_running_loop()
        if self._slots is None or self._slots[0] is not loop:
            self._slots = loop, asyncio.Semaphore(self._limit)
        return self._slots[1]

    def _describe(self, error: Exception, request: Request) -> str:
        key = request.key
        frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename != __file__]
        lines = [*traceback.format_list(frames), *traceback.format_exception_only(error)]
        return (
            f"the model function {self.name} failed at {key.scenario}, sample {key.sample_id}, "
            f"turn {key.turn}. Correct the function; for a failure of one request alone, "
            "raise ProviderError(kind, message) in it.\n"
            "Traceback (most recent call last):\n" + "".join(lines).rstrip()
        )


class PaidFunctionProvider(FunctionProvider):
    """A function whose replies report their cost as `Usage.cost_usd`, as a budget needs it."""

    charges: ClassVar[bool] = True


class _Raised(NamedTuple):
    """An exception of the function. Futures and coroutines cannot pass on StopIteration."""

    error: Exception


def _call(function: ModelFunction, request: Request) -> Any:
    try:
        return function(request)
    except Exception as error:
        return _Raised(error)


async def _awaited(value: Any) -> Any:
    if not inspect.isawaitable(value):
        return value
    try:
        return await value
    except Exception as error:
        return _Raised(error)


def _check(function: object, concurrency: int | None) -> None:
    if isinstance(function, type):
        raise UserError(
            f"the model {function.__name__} is a class; pass an instance: {function.__name__}()"
        )
    if not callable(function):
        raise UserError(
            f"a model function must be callable: expected `def model(request)`, "
            f"got {_type_name(function)}"
        )
    if concurrency is not None and concurrency < 1:
        raise UserError(f"concurrency must be at least 1, got {concurrency}")


def _is_async(function: ModelFunction) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004 -- the method itself is inspected
    )


def _code_of(function: Any) -> Any:
    """The object that has the source: the undecorated function, or the class of a callable."""
    while isinstance(function, functools.partial):
        function = function.func
    function = inspect.unwrap(function)
    return function if hasattr(function, "__qualname__") else type(function)


def _name_of(function: ModelFunction) -> str:
    """`Agent.reply`, without the function that it was defined in; `lambda` for a lambda."""
    qualname = str(_code_of(function).__qualname__)
    return qualname.rpartition("<locals>.")[2].strip("<>")


def _source_sha256(code: Any) -> str | None:
    try:
        source = inspect.getsource(code)
    except (OSError, TypeError):
        return None
    return hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()


def _type_name(value: object) -> str:
    return "None" if value is None else f"a {type(value).__name__}"
