"""Makes the provider of `local:MODEL`: in this process or with workers."""

import importlib.util
import logging
from dataclasses import replace
from typing import ClassVar

from proactive_agent.providers.base import Provider, ProviderOptions
from proactive_agent.providers.gpus import free_bytes_of_gpus, visible_gpus
from proactive_agent.providers.local.aliases import resolve
from proactive_agent.providers.local.provider import Local
from proactive_agent.providers.workers.placement import copies_on_gpus
from proactive_agent.providers.workers.provider import LocalWorkers
from proactive_agent.tools.install import install_command

_log = logging.getLogger(__name__)


class LocalFactory:
    """Decides whether a local model is loaded in this process or in workers."""

    library: ClassVar[str | None] = Local.library
    extra: ClassVar[str | None] = Local.extra

    @classmethod
    def create(cls, model: str, options: ProviderOptions) -> Provider:
        """Loads a short name, a hub id or a folder. Takes seconds to minutes; raises UserError."""
        access = options.access
        if any(one is not None for one in (access.workers, access.ray, access.gpus_per_worker)):
            return LocalWorkers.create(model, options)
        copies = _copies(model, options)
        if copies > 1:
            return LocalWorkers.create(
                model, replace(options, access=replace(access, workers=copies))
            )
        return Local.create(model, options)


def _copies(model: str, options: ProviderOptions) -> int:
    """Returns the default number of copies on a machine with several GPUs."""
    gpus = len(visible_gpus()) if options.device == "auto" else 0
    if gpus < 2:
        return 1
    from proactive_agent.providers.local.weight_size import weight_bytes

    size = weight_bytes(resolve(model), options)
    copies = copies_on_gpus(size, free_bytes_of_gpus(gpus))
    name = f"local:{model}"
    shown = "unknown size" if size is None else f"{size / 2**30:.1f} GiB of weights"
    if copies == 1:
        # Warnings, because these are shown unless the caller has set up logging.
        _log.warning(
            "%s: %s, too large for one GPU, so one copy is spread over %d GPUs; --workers and "
            "--gpus-per-worker load several copies", name, shown, gpus,
        )  # fmt: skip
    elif importlib.util.find_spec("ray") is None:
        _log.warning(
            "%s: one copy is spread over %d GPUs; with Ray, each GPU would have a copy: %s",
            name, gpus, install_command("ray"),
        )  # fmt: skip
        return 1
    else:
        _log.warning(
            "%s: %s, so each of the %d GPUs gets a copy; --device %s spreads one copy",
            name, shown, gpus, "spread",
        )  # fmt: skip
    return copies
