"""The workers of one model: starts them, chooses one per request, and replaces dead ones."""

import asyncio
import logging
import textwrap
import time
import zlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from proactive_agent.providers.base import StoppedError
from proactive_agent.providers.workers.connection import RayConnection, python_path
from proactive_agent.providers.workers.pictures import FileFacts
from proactive_agent.providers.workers.worker import (
    Description,
    LoadOrder,
    Worker,
    program_sha256,
)
from proactive_agent.tools import UserError
from proactive_agent.tools.counting import number_of

TRIES = 3
"""Tries of a request whose workers die, and of a worker that dies without a reply."""
NOTICE = 30.0
"""Seconds between two messages while workers load."""
INTERVAL = 0.2
"""Seconds between two checks of loading workers."""
RESTART_DELAY = 2.0
"""Seconds until another worker is started."""
ALIVE_INTERVAL = 1.0
"""Seconds between two checks whether Ray on this machine still runs."""
GUESSES = "Some common causes"
"""The beginning of Ray's guesses why a worker has died."""
LONGEST_REASON = 500
"""Characters of an error of Ray that a message shows."""
CALLS = 100_000
"""Requests that Ray passes to a worker at the same time: all of them."""

_log = logging.getLogger(__name__)


class WorkerDeath(Exception):  # noqa: N818
    """A worker died before it answered a call."""


class WorkerPlace:
    """A slot of the pool: its current worker and its counts."""

    def __init__(self, number: int, order: LoadOrder) -> None:
        self.number = number
        self.order = order
        self.actor: Any = None
        """Ray's handle of the worker; None if there is none."""
        self.description: Description | None = None
        self.learnt: dict[str, Any] = {}
        self.ready = False
        self.given_up = False
        self.in_flight = 0
        self.answered = 0
        self.deaths_in_a_row = 0
        """Workers of this slot that died since its last reply."""
        self.sees: dict[Path, bool] = {}
        """Whether the worker sees the files of a folder."""
        self._began = 0.0
        """When the current worker had loaded the model."""
        self._earlier = 0
        """Replies of the earlier workers of this slot."""

    @property
    def name(self) -> str:
        """The name of the worker in messages, with its host and process id."""
        if self.description is None:
            return f"worker {self.number}"
        return f"worker {self.number} ({self.description.host}, {self.description.process})"

    @property
    def line(self) -> str:
        """A line about the worker: its state, its replies, and the requests in flight."""
        state = "given up, " if self.given_up else "" if self.ready else "loading, "
        rate = ""
        if self.ready:
            seconds = max(1e-3, time.monotonic() - self._began)
            rate = f" ({(self.answered - self._earlier) / seconds:.1f}/s)"
        replies = "reply" if self.answered == 1 else "replies"
        numbers = f"{self.answered:,} {replies}{rate}, {self.in_flight} in flight"
        return f"{self.name}: {state}{numbers}"

    def begin(self) -> None:
        """Lets requests go to the current worker, which has loaded the model."""
        self.ready = True
        self._began, self._earlier = time.monotonic(), self.answered


class WorkerPool:
    """Several workers with equal models."""

    def __init__(
        self,
        name: str,
        connection: RayConnection,
        orders: Sequence[LoadOrder],
        gpus_per_worker: int,
    ) -> None:
        """`name` is the model in messages. `orders` has one entry per worker."""
        self.name = name
        self.places = [WorkerPlace(number, order) for number, order in enumerate(orders, 1)]
        self.restarts = 0
        """Number of workers that were started to replace a dead one."""
        self._connection = connection
        self._gpus = gpus_per_worker
        self._changed = asyncio.Condition()
        self._restarting: set[asyncio.Task[None]] = set()
        self._closed = False
        self._failure = ""
        """Why Ray on this machine has ended; empty while it runs."""

    @property
    def description(self) -> Description:
        """The facts in which all workers agree."""
        return next(place.description for place in self.places if place.description)

    def load(self, patience: float, abandoned: Callable[[], bool]) -> None:
        """Starts all workers and waits until each has loaded the model.

        Takes `patience` seconds at most. Raises UserError if a worker cannot load the model.
        """
        import ray

        waiting = {self._start(place): place for place in self.places}
        started = time.monotonic()
        notice = NOTICE
        while waiting:
            done, _ = ray.wait(list(waiting), timeout=INTERVAL)
            for reference in done:
                place = waiting.pop(reference)
                try:
                    outcome = ray.get(reference)
                except Exception as error:
                    raise UserError(
                        f"{self.name}: {place.name} died while it loaded the model: "
                        f"{_reason(error)}"
                    ) from None
                self._loaded(place, outcome)
            passed = time.monotonic() - started
            if abandoned():
                raise UserError(f"{self.name}: loading was interrupted")
            if waiting and passed > patience:
                raise UserError(
                    f"{self.name}: {len(waiting)} of {len(self.places)} workers were not ready "
                    f"after {patience:g} s{self._free()}; raise this limit with --start-timeout "
                    "SECONDS, or use fewer --workers"
                )
            if waiting and passed > notice:
                notice += NOTICE
                # A warning, because these are shown unless the caller has set up logging.
                _log.warning(
                    "%s: waiting for %d of %d workers for %.0f s%s",
                    self.name, len(waiting), len(self.places), passed, self._free(),
                )  # fmt: skip

    @asynccontextmanager
    async def least_busy(
        self, episode: object = None, slack: int = 0
    ) -> AsyncIterator[WorkerPlace]:
        """Waits for a worker, chooses the one with the fewest requests, and counts one more.

        Workers with up to `slack` more requests count as equal, so that the requests of an
        `episode` mostly go to the same worker. Raises StoppedError if no worker is left.
        """
        async with self._changed:
            await self._changed.wait_for(
                lambda: any(p.ready for p in self.places) or all(p.given_up for p in self.places)
            )
        if self._failure:
            raise StoppedError(f"{self.name}: {self._failure}")
        ready = [place for place in self.places if place.ready]
        if not ready:
            raise StoppedError(
                f"{self.name}: each worker has died {TRIES} times in a row without a reply; "
                "log.txt has the reasons"
            )
        place = chosen(ready, episode, slack)
        place.in_flight += 1
        try:
            yield place
        finally:
            place.in_flight -= 1

    async def call(self, place: WorkerPlace, method: str, *arguments: Any) -> Any:
        """Calls a method of a worker. Raises WorkerDeath, and starts another worker then."""
        from ray.exceptions import RayError, RayTaskError

        actor = place.actor
        if actor is None:
            raise WorkerDeath("it died before the request was sent")
        try:
            return await getattr(actor, method).remote(*arguments)
        except RayTaskError:
            raise  # The worker raised, so the program has a fault.
        except RayError as error:
            reason = _reason(error)
            self._replace(place, actor, reason)
            raise WorkerDeath(reason) from error

    def ask_any(self, method: str, *arguments: Any) -> Any:
        """Calls a method of any worker and waits for the result. Raises UserError."""
        import ray

        reason = "all are being started again"
        for place in self.places:
            if place.ready and place.actor is not None:
                try:
                    return ray.get(getattr(place.actor, method).remote(*arguments), timeout=NOTICE)
                except ray.exceptions.RayError as error:
                    reason = _reason(error)
        raise UserError(f"{self.name}: no worker answers: {reason}")

    async def sees(self, place: WorkerPlace, folder: Path, file: Path) -> bool:
        """Returns whether a worker sees the files of a folder, by comparing its first file."""
        if folder not in place.sees:
            try:
                facts = await asyncio.to_thread(FileFacts.of, file)
            except OSError:
                return True  # The worker reports the same error as a provider without workers.
            place.sees[folder] = await self.call(place, "sees", facts)
            if not place.sees[folder]:
                _log.info("%s does not see %s, so pictures are sent to it", place.name, folder)
        return place.sees[folder]

    def stop_restarts(self) -> None:
        """Starts no further workers."""
        self._closed = True
        for task in self._restarting:
            task.cancel()

    def end(self) -> None:
        """Ends all workers."""
        self._closed = True
        for place in self.places:
            self._end(place)
            _log.info("%s: %s gave %d replies", self.name, place.name, place.answered)

    def _replace(self, place: WorkerPlace, actor: Any, reason: str) -> None:
        """Replaces a dead worker. Its death may be reported twice."""
        if self._closed or place.actor is not actor:
            return
        # A warning, because it costs time.
        _log.warning("%s: %s died: %s", self.name, place.name, reason)
        self._end(place)
        task = asyncio.get_running_loop().create_task(self._restart(place))
        self._restarting.add(task)
        task.add_done_callback(self._restarting.discard)

    async def _restart(self, place: WorkerPlace) -> None:
        while not place.ready:
            place.deaths_in_a_row += 1
            if place.deaths_in_a_row >= TRIES:
                place.given_up = True
                _log.warning("%s: %s is not started again", self.name, place.name)
                break
            self.restarts += 1
            # If the worker died because Ray has ended, this is known a little later.
            await asyncio.sleep(RESTART_DELAY)
            if self._has_ended():
                break
            try:
                self._loaded(place, await self._outcome(self._start(place)))
            except StoppedError:
                break
            except Exception as error:
                reason = str(error) if isinstance(error, UserError) else _reason(error)
                _log.warning("%s: %s cannot be started again: %s", self.name, place.name, reason)
                self._end(place)
        async with self._changed:
            self._changed.notify_all()

    async def _outcome(self, reference: Any) -> Description | UserError:
        """Waits until a worker has loaded. Raises Ray's errors, and StoppedError if Ray ends."""
        loading = asyncio.ensure_future(_awaited(reference))
        while not (await asyncio.wait([loading], timeout=ALIVE_INTERVAL))[0]:
            if self._has_ended():
                loading.cancel()
                raise StoppedError(self._failure)
        return loading.result()

    def _has_ended(self) -> bool:
        """Whether Ray on this machine has ended; then all workers are given up."""
        self._failure = self._failure or self._connection.failure()
        if self._failure:
            for place in self.places:
                place.ready, place.given_up = False, True
        return bool(self._failure)

    def _start(self, place: WorkerPlace) -> Any:
        """Starts a worker. Returns the reference of the outcome of loading."""
        import ray

        options: dict[str, Any] = {"num_cpus": 0, "num_gpus": 0}
        if self._connection.is_cluster:
            variables = python_path("${PYTHONPATH}")
            options = {
                "num_cpus": 1,
                "num_gpus": self._gpus,
                "scheduling_strategy": "SPREAD",
                **({"runtime_env": {"env_vars": variables}} if variables else {}),
            }
        place.sees = {}
        remote = ray.remote(Worker).options(
            **options, max_restarts=0, max_task_retries=0, max_concurrency=CALLS
        )
        place.actor = remote.remote()
        return place.actor.load.remote(place.order)

    def _loaded(self, place: WorkerPlace, outcome: Description | UserError) -> None:
        """Keeps the outcome of loading. Raises UserError."""
        if isinstance(outcome, UserError):
            raise outcome
        place.description = outcome
        place.learnt = outcome.learnt
        if outcome.program != program_sha256():
            raise UserError(
                f"{self.name}: {place.name} has another version of proactive_agent; install the "
                "same version on all machines"
            )
        first = self.description
        if names := differences(first.manifest, outcome.manifest):
            raise UserError(
                f"{self.name}: {place.name} differs from the worker on {first.host} in "
                f"{', '.join(names)}, so replies could depend on the worker; use the same "
                "libraries and the same files of the model on all machines"
            )
        place.begin()
        _log.info("%s: %s is ready", self.name, place.name)

    def _end(self, place: WorkerPlace) -> None:
        import ray

        place.ready = False
        actor, place.actor = place.actor, None
        if actor is not None and ray.is_initialized():
            ray.kill(actor, no_restart=True)

    def _free(self) -> str:
        """Describes the free resources of a cluster."""
        import ray

        if not self._connection.is_cluster:
            return ""
        free = ray.available_resources()
        return (
            f" (free: {number_of(int(free.get('CPU', 0)), 'CPU')} and "
            f"{number_of(int(free.get('GPU', 0)), 'GPU')}; each worker needs 1 CPU and "
            f"{number_of(self._gpus, 'GPU')})"
        )


def chosen(ready: Sequence[WorkerPlace], episode: object, slack: int) -> WorkerPlace:
    """Chooses one of the workers for a request of an episode; see `least_busy`."""
    most = min(place.in_flight for place in ready) + slack
    free = [place for place in ready if place.in_flight <= most]
    if not slack:
        return free[0]
    return max(free, key=lambda place: zlib.crc32(f"{place.number} {episode}".encode()))


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Names of the facts that differ and determine replies. Names of devices may differ."""
    names = {*one, *other} - {"device"}
    return sorted(name for name in names if one.get(name) != other.get(name))


async def _awaited(reference: Any) -> Description | UserError:
    outcome: Description | UserError = await reference
    return outcome


def _reason(error: Exception) -> str:
    """Shortens an error of Ray, often several paragraphs, to one line."""
    text = str(error).partition(GUESSES)[0]
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if "exit" in line.lower() or "memory" in line.lower()]
    chosen = (telling or lines[-1:] or [type(error).__name__])[0]
    return textwrap.shorten(chosen, LONGEST_REASON, placeholder=" …")
