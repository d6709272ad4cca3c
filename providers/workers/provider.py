"""The provider of a local model with workers."""

import asyncio
import os
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Any, ClassVar, Self

from proactive_agent.providers.base import Provider, ProviderError, ProviderOptions
from proactive_agent.providers.gpus import visible_gpus
from proactive_agent.providers.local.aliases import resolve
from proactive_agent.providers.local.provider import Local
from proactive_agent.providers.local.template_variables import template_variables
from proactive_agent.providers.messages import ImagePart, Reply, Request
from proactive_agent.providers.workers.connection import RayConnection, connect
from proactive_agent.providers.workers.pictures import (
    PixelStore,
    folder_and_file,
    without_pixels,
)
from proactive_agent.providers.workers.placement import plan_here, plan_on_cluster
from proactive_agent.providers.workers.pool import TRIES, WorkerDeath, WorkerPlace, WorkerPool
from proactive_agent.providers.workers.worker import LoadOrder
from proactive_agent.settings import ApiAccess, Sampling
from proactive_agent.tools import UserError
from proactive_agent.tools.cores import usable_cores
from proactive_agent.tools.counting import number_of

WORKER_DIED = "worker_died"
"""The kind of error of a request whose worker died in each of its tries."""


class LocalWorkers(Provider):
    """An open-weight model with several copies, each in a worker.

    A request goes to the worker with the fewest requests. If the worker dies, the request is sent
    again. The reply is the same, because a request carries its seed.
    """

    library: ClassVar[str | None] = Local.library
    extra: ClassVar[str | None] = Local.extra

    def __init__(
        self, name: str, connection: RayConnection, orders: Sequence[LoadOrder], gpus: int
    ) -> None:
        """`name` is the model in messages, `gpus` the number of GPUs per worker."""
        import ray

        self.name = name
        self.pool = WorkerPool(name, connection, orders, gpus)
        self.sent_again = 0
        """Requests that were sent again because a worker died."""
        self._connection = connection
        self._batch_size = orders[0].options.batch_size
        each = f"{number_of(len(orders), 'worker')} with {number_of(gpus, 'GPU')} each"
        self._played_by = f"{each}, Ray {ray.__version__}"
        self._pixels = PixelStore(ray.put)
        self._settings: dict[Sampling, dict[str, Any]] = {}
        self._last_tries = asyncio.Lock()

    @classmethod
    def create(cls, model: str, options: ProviderOptions) -> Self:
        """Starts the workers of a short name, a hub id or a folder. Raises UserError.

        Takes some ten seconds and the time to load the model.
        """
        source, name = resolve(model), f"local:{model}"
        template_variables(options.template_options)
        if options.batch_size < 1:
            raise UserError(f"the batch size must be at least 1, got {options.batch_size}")
        if source.folder:
            # Workers may have another working directory.
            folder = source.folder.absolute()
            source = source._replace(location=str(folder), folder=folder)
        access = options.access
        wanted = (access.workers, access.gpus_per_worker, options.device)
        if access.ray is None:  # before Ray is started
            plan = plan_here(*wanted, visible_gpus(), usable_cores())
            if "OMP_NUM_THREADS" in os.environ:  # the user's choice
                plan = plan._replace(threads=None)
        connection = connect(access.ray, options.is_abandoned)
        provider = None
        try:
            if access.ray is not None:
                plan = plan_on_cluster(*wanted, *connection.size())
            loading = replace(options, access=ApiAccess(), desk=None, abandoned=None)
            orders = [LoadOrder(source, loading, one, plan.threads) for one in plan.devices]
            provider = cls(name, connection, orders, plan.gpus_per_worker)
            provider.pool.load(access.start_timeout, options.is_abandoned)
        except BaseException:
            if provider is not None:
                provider.pool.end()
            connection.close()
            raise
        return provider

    @property
    def concurrency(self) -> int:
        # In each worker, one batch is generated while the next one is collected.
        return 2 * self._batch_size * len(self.pool.places)

    @property
    def max_pictures(self) -> int | None:
        return self.pool.description.max_pictures

    async def complete(self, request: Request) -> Reply:
        deaths = 0
        while True:
            # A request that kills workers must not use up the tries of others, so requests with
            # one try left are sent one at a time.
            async with self._last_tries if deaths == TRIES - 1 else nullcontext():
                try:
                    return await self._ask_least_busy(request)
                except WorkerDeath as death:
                    deaths += 1
                    reason = str(death)
            if deaths == TRIES:
                raise ProviderError(
                    WORKER_DIED, f"{TRIES} workers died with this request; the last one: {reason}"
                )
            self.sent_again += 1

    def manifest(self) -> dict[str, Any]:
        return self.pool.description.manifest | self.learnt()

    def learnt(self) -> dict[str, Any]:
        known = [place.learnt for place in self.pool.places if place.learnt]
        return {
            # A list, because a run can be resumed with other workers, and lists are joined.
            "played_by": [self._played_by],
            "thinks": any(one["thinks"] for one in known),
            "default_thinking_room": max(one["default_thinking_room"] for one in known),
            "batch_size_that_fits": min(one["batch_size_that_fits"] for one in known),
        }

    def counted(self) -> dict[str, int]:
        return {"worker_restarts": self.pool.restarts, "requests_sent_again": self.sent_again}

    def activity(self) -> list[str]:
        return [place.line for place in self.pool.places]

    def generation_settings(self, sampling: Sampling) -> dict[str, Any]:
        if sampling not in self._settings:
            self._settings[sampling] = self.pool.ask_any("generation_settings", sampling)
        return self._settings[sampling]

    async def close(self) -> None:
        # In a thread, and shielded: a second Ctrl-C must not interrupt the end.
        self.pool.stop_restarts()
        await asyncio.shield(asyncio.to_thread(self._end))

    def _end(self) -> None:
        self.pool.end()
        self._connection.close()

    async def _ask_least_busy(self, request: Request) -> Reply:
        """Sends a request once. Raises WorkerDeath, and the errors of `complete`."""
        key = request.key
        # A worker keeps the pictures that it has processed, so a conversation stays with it.
        slack = self._batch_size // 2 if len(request.pictures) > 1 else 0
        episode = (key.scenario, key.sample_id, key.repeat)
        async with self.pool.least_busy(episode, slack) as place:
            unseen = await self._unseen(place, request)
            pixels = [
                await asyncio.to_thread(self._pixels.reference, one) for one in unseen.values()
            ]
            sent = without_pixels(request, unseen)
            outcome = await self.pool.call(place, "complete", sent, list(unseen), *pixels)
            place.deaths_in_a_row = 0
            place.answered += 1
            if isinstance(outcome, Exception):
                raise outcome
            place.learnt = outcome.learnt
            reply: Reply = outcome.reply
            return reply

    async def _unseen(self, place: WorkerPlace, request: Request) -> dict[str, ImagePart]:
        """Returns the pictures whose pixels must be sent to a worker, by key."""
        unseen = {}
        for part in request.pictures:
            found = folder_and_file(part)
            if found is None or not await self.pool.sees(place, *found):
                unseen[part.key] = part
        return unseen
