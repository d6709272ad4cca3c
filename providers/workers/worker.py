"""The process of one worker: it loads a copy of the model and answers requests.

This module is imported in the worker. Errors are returned instead of raised, because Ray would
wrap them in its own.
"""

import asyncio
import hashlib
import os
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from proactive_agent.disk.regular_file import read_regular
from proactive_agent.providers.base import ProviderError, ProviderOptions, StoppedError
from proactive_agent.providers.local.aliases import Source
from proactive_agent.providers.local.provider import Local
from proactive_agent.providers.messages import Reply, Request
from proactive_agent.providers.workers.pictures import FileFacts, Pixels, with_loads
from proactive_agent.settings import Sampling
from proactive_agent.tools import UserError


@dataclass(frozen=True, slots=True)
class LoadOrder:
    """The model that a worker loads, and its resources."""

    source: Source
    options: ProviderOptions
    gpus: str | None = None
    """The value of CUDA_VISIBLE_DEVICES; None if Ray sets it."""
    threads: int | None = None
    """Threads of PyTorch; None for Ray's choice."""


class Description(NamedTuple):
    """Facts about a worker that has loaded its model."""

    host: str
    process: int
    """Id of the worker's process."""
    program: str
    """Hash of the program's source files, which must be equal in all processes."""
    manifest: dict[str, Any]
    """The manifest of its provider, without the facts of `learnt`."""
    learnt: dict[str, Any]
    max_pictures: int | None


class WorkerReply(NamedTuple):
    """A reply, and the facts that the worker's model has learnt so far."""

    reply: Reply
    learnt: dict[str, Any]


class Worker:
    """One copy of a local model. Ray runs it as an actor with asynchronous methods."""

    def __init__(self) -> None:
        self._local: Local | None = None

    async def load(self, order: LoadOrder) -> Description | UserError:
        """Loads the model. Returns a UserError if it cannot be loaded."""
        return await asyncio.to_thread(self._load, order)

    async def complete(
        self, request: Request, keys: Sequence[str], *pictures: Pixels
    ) -> WorkerReply | ProviderError | UserError | StoppedError:
        """Answers a request. `pictures` are those of `keys`; the others are read from files."""
        local = self._loaded()
        try:
            reply = await local.complete(
                with_loads(request, dict(zip(keys, pictures, strict=True)))
            )
        except (ProviderError, StoppedError) as error:
            return error
        except UserError as error:
            return UserError(str(error))
        return WorkerReply(reply, local.learnt())

    async def sees(self, facts: FileFacts) -> bool:
        """Returns whether the file exists here with the same content."""
        return await asyncio.to_thread(facts.match_here)

    async def generation_settings(self, sampling: Sampling) -> dict[str, Any]:
        """Returns the settings of text generation that requests with this sampling really have."""
        return self._loaded().generation_settings(sampling)

    def _loaded(self) -> Local:
        if self._local is None:
            raise RuntimeError("the worker has loaded no model")
        return self._local

    def _load(self, order: LoadOrder) -> Description | UserError:
        if order.gpus is not None:
            os.environ["CUDA_VISIBLE_DEVICES"] = order.gpus  # before PyTorch is imported
        try:
            import torch

            from proactive_agent.providers.local.loading import load

            if order.threads is not None:
                torch.set_num_threads(order.threads)
            self._local = local = Local(
                order.source, load(order.source, order.options), order.options
            )
        except ModuleNotFoundError as error:
            return UserError(f"{error.name} is not installed in the environment of the workers")
        except UserError as error:
            # Exceptions with other arguments than their message cannot be pickled.
            return UserError(str(error))
        learnt = local.learnt()
        manifest = {k: value for k, value in local.manifest().items() if k not in learnt}
        return Description(
            socket.gethostname(),
            os.getpid(),
            program_sha256(),
            manifest,
            learnt,
            local.max_pictures,
        )


def program_root() -> Path:
    """The folder that contains the package `proactive_agent`."""
    return Path(sys.modules["proactive_agent"].__path__[0]).resolve().parent


@cache
def program_sha256() -> str:
    """Hash of the source files of the program."""
    package = program_root() / "proactive_agent"
    total = hashlib.sha256()
    for file in sorted(_sources(package)):
        total.update(f"{file.relative_to(package)}\0".encode())
        total.update(read_regular(file))
    return total.hexdigest()


def _sources(package: Path) -> list[Path]:
    # `rglob` does not follow the links of a checkout.
    return [
        Path(folder) / name
        for folder, _, names in os.walk(package, followlinks=True)
        for name in names
        if name.endswith(".py")
    ]
