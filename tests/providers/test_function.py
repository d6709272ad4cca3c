"""A plain Python function as a model."""

import asyncio
import functools
import hashlib
import inspect
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from proactive_agent.providers import FunctionProvider, ProviderError, Reply, Request, StoppedError
from proactive_agent.tools import ToolCall, UserError
from tests.providers.asking import ask_all, question, questions


def shout(request: Request) -> str:
    return request.text.upper()


async def shout_later(request: Request) -> str:
    await asyncio.sleep(0)
    return request.text.upper()


class Shouter:
    """An object that is called like a function."""

    def __call__(self, request: Request) -> str:
        return request.text.upper()

    async def later(self, request: Request) -> str:
        return request.text.upper()


def ask(function: Any, request: Request | None = None, **options: Any) -> Reply:
    return asyncio.run(FunctionProvider(function, **options).complete(request or question("hi")))


def broken(error: BaseException) -> Callable[[Request], str]:
    def model(request: Request) -> str:
        raise error

    return model


# Functions that can be models ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "function",
    [
        shout,
        shout_later,
        Shouter(),
        Shouter().later,
        functools.partial(shout),
        functools.partial(shout_later),
        lambda request: shout(request),
        lambda request: shout_later(request),
    ],
)
def test_each_kind_of_callable_is_a_model(function: Any) -> None:
    assert ask(function) == Reply("HI")


def test_a_reply_is_passed_on_as_it_is() -> None:
    reply = Reply(tool_calls=(ToolCall("abstain", "{}"),), finish_reason="tool_calls")
    assert ask(lambda request: reply) is reply


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (Shouter, "Shouter is a class; pass an instance"),
        ("shout", "expected `def model.request.`, got a str"),
        (None, "got None"),
    ],
)
def test_anything_else_is_no_model(function: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        FunctionProvider(function)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, r"nothing returned None \(is a `return` missing\?\)"),
        ({"text": "x"}, "nothing returned a dict; expected a Reply or a str"),
        (b"x", "nothing returned a bytes; expected a Reply or a str"),
    ],
)
def test_a_value_of_another_type_is_refused_by_name(value: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        ask(lambda request: value, name="nothing")


# Failures -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [ValueError("odd"), StopIteration("odd"), TimeoutError("odd")])
def test_an_exception_ends_the_run_with_its_traceback(error: Exception) -> None:
    with pytest.raises(UserError) as caught:
        ask(broken(error), question("hi", index=7))
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("the model function model failed at rod, sample 7,")
    assert f'File "{__file__}"' in str(caught.value)
    assert "raise error" in str(caught.value)
    assert lines[-1] == f"{type(error).__name__}: odd"


def test_the_traceback_shows_the_frames_of_the_function_alone() -> None:
    with pytest.raises(UserError) as caught:
        ask(broken(ValueError()))
    assert str(caught.value).count("  File ") == 1


async def _fail_later(request: Request) -> str:
    raise ValueError("late")


def test_an_exception_of_an_async_function_ends_the_run() -> None:
    with pytest.raises(UserError, match="ValueError: late"):
        ask(_fail_later)


@pytest.mark.parametrize(
    "error", [ProviderError("busy", "later"), StoppedError("enough"), UserError("no weights")]
)
def test_errors_with_a_meaning_of_their_own_are_passed_on(error: Exception) -> None:
    with pytest.raises(type(error)) as caught:
        ask(broken(error))
    assert caught.value is error


# Concurrency --------------------------------------------------------------------------------------


class Counted:
    """Counts how many calls run at the same time."""

    def __init__(self) -> None:
        self.most = self._now = 0
        self.threads: set[int] = set()
        self._lock = threading.Lock()

    def __call__(self, request: Request) -> str:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
            self.threads.add(threading.get_ident())
        time.sleep(0.02)
        with self._lock:
            self._now -= 1
        return "x"

    async def later(self, request: Request) -> str:
        self._now += 1
        self.most = max(self.most, self._now)
        await asyncio.sleep(0.02)
        self._now -= 1
        return "x"


def test_a_sync_function_is_called_in_one_thread_by_default() -> None:
    counted = Counted()
    provider = FunctionProvider(counted)
    asyncio.run(ask_all(provider, questions(6)))
    assert (provider.concurrency, counted.most, len(counted.threads)) == (1, 1, 1)
    assert threading.get_ident() not in counted.threads


def test_concurrency_lets_calls_of_a_sync_function_overlap() -> None:
    meet = threading.Barrier(3, timeout=20)

    def model(request: Request) -> str:
        return str(meet.wait())

    provider = FunctionProvider(model, concurrency=3)
    replies = asyncio.run(ask_all(provider, questions(3)))
    assert sorted(reply.text for reply in replies) == ["0", "1", "2"]


def test_concurrency_limits_an_async_function() -> None:
    counted = Counted()
    provider = FunctionProvider(counted.later, concurrency=2)
    asyncio.run(ask_all(provider, questions(6)))
    assert (provider.concurrency, counted.most) == (2, 2)


def test_an_async_function_is_not_limited_by_default() -> None:
    counted = Counted()
    provider = FunctionProvider(counted.later)
    asyncio.run(ask_all(provider, [question("hi", index=i) for i in range(20)]))
    assert (provider.concurrency, counted.most) == (16, 20)


def test_a_sync_function_does_not_block_the_loop() -> None:
    free = threading.Event()

    async def both() -> Reply:
        asked = asyncio.create_task(provider.complete(question("hi")))
        await asyncio.sleep(0.01)
        free.set()  # The function waits for this call; a blocked loop would never make it.
        return await asked

    provider = FunctionProvider(lambda request: "free" if free.wait(20) else "blocked")
    assert asyncio.run(both()).text == "free"


@pytest.mark.parametrize("concurrency", [0, -1])
def test_concurrency_below_one_is_wrong_input(concurrency: int) -> None:
    with pytest.raises(UserError, match="concurrency must be at least 1"):
        FunctionProvider(shout, concurrency=concurrency)


@pytest.mark.parametrize("function", [shout, shout_later])
def test_a_closed_provider_can_be_used_again(function: Any) -> None:
    provider = FunctionProvider(function, concurrency=2)

    async def use() -> list[Reply]:
        replies = await ask_all(provider, questions(5))
        await provider.close()
        return replies

    assert asyncio.run(use()) == asyncio.run(use())


# Manifest -----------------------------------------------------------------------------------------


def test_the_manifest_names_the_function_and_its_source() -> None:
    assert FunctionProvider(shout).manifest() == {
        "name": "shout",
        "function": {
            "module": __name__,
            "qualname": "shout",
            "source_sha256": hashlib.sha256(inspect.getsource(shout).encode()).hexdigest(),
        },
    }


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (Shouter(), "Shouter"),
        (Shouter().later, "Shouter.later"),
        (functools.partial(functools.partial(shout)), "shout"),
        (lambda request: "x", "lambda"),
        (functools.lru_cache(shout), "shout"),
    ],
)
def test_the_name_is_that_of_the_code(function: Any, name: str) -> None:
    assert FunctionProvider(function).name == name


def test_a_given_name_wins() -> None:
    assert FunctionProvider(shout, name="mine").manifest()["name"] == "mine"


def test_a_function_without_source_has_no_hash() -> None:
    names: dict[str, Any] = {}
    exec("def made(request): return 'x'", names)
    manifest = FunctionProvider(names["made"]).manifest()
    assert manifest["function"]["source_sha256"] is None
