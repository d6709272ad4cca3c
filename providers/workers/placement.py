"""Decides how many workers there are, and which GPUs each of them gets."""

from collections.abc import Sequence
from typing import NamedTuple

from proactive_agent.tools import UserError
from proactive_agent.tools.counting import number_of

SHARE = 0.7
"""Share of a GPU's free memory that the weights of a copy may take. The rest is for pictures,
activations and the key-value cache of a batch."""
WITHOUT_GPUS = ("cpu", "mps")


class WorkerPlan(NamedTuple):
    """The workers of a model."""

    gpus_per_worker: int
    devices: tuple[str | None, ...]
    """The value of CUDA_VISIBLE_DEVICES for each worker; None if Ray sets it."""
    threads: int | None
    """Threads of PyTorch in each worker; None for Ray's choice."""


def copies_on_gpus(weight_bytes: int | None, free_bytes: Sequence[int]) -> int:
    """Returns the number of copies of a model with one copy per GPU; 1 if it must be spread.

    `weight_bytes` is None if the size is unknown. `free_bytes` has the free memory of each GPU.
    """
    if weight_bytes is None or not free_bytes:
        return 1
    return len(free_bytes) if weight_bytes <= SHARE * min(free_bytes) else 1


def plan_here(
    workers: int | None, gpus_per_worker: int | None, device: str, gpus: Sequence[str], cpus: int
) -> WorkerPlan:
    """Plans the workers on this machine. Raises UserError if it is too small for them.

    `gpus` are entries of CUDA_VISIBLE_DEVICES, and `cpus` is the number of usable cores. The
    workers of several models share both.
    """
    each = _gpus_per_worker(gpus_per_worker, device, has_gpus=bool(gpus))
    if workers is None:
        workers = max(1, len(gpus) // each) if each else 1
    if workers * each > len(gpus):
        raise UserError(
            f"{number_of(workers, 'worker')} with {number_of(each, 'GPU')} each: "
            f"{number_of(workers * each, 'GPU')} needed, but this machine has {len(gpus)}; set "
            "other values of --workers and --gpus-per-worker"
        )
    if not each and workers > cpus:
        raise UserError(
            f"--workers {workers}: without GPUs, each worker needs a CPU core, but this process "
            f"may use {cpus}; use at most --workers {cpus}"
        )
    devices = tuple(",".join(gpus[i * each : (i + 1) * each]) for i in range(workers))
    return WorkerPlan(each, devices, max(1, cpus // workers))


def plan_on_cluster(
    workers: int | None, gpus_per_worker: int | None, device: str, gpus: int, machines: int
) -> WorkerPlan:
    """Plans the workers on a cluster with these numbers of GPUs and machines.

    A cluster that grows on demand can give more workers than it has GPUs now. Raises UserError.
    """
    each = _gpus_per_worker(gpus_per_worker, device, has_gpus=gpus > 0)
    if workers is None:
        workers = max(1, gpus // each if each else machines)
    return WorkerPlan(each, (None if each else "",) * workers, None)


def _gpus_per_worker(given: int | None, device: str, *, has_gpus: bool) -> int:
    if device.startswith("cuda:"):
        raise UserError(
            f"--device {device} names one GPU, but each worker gets GPUs of its own; drop it, or "
            "select GPUs with the environment variable CUDA_VISIBLE_DEVICES"
        )
    if device not in WITHOUT_GPUS:
        return int(has_gpus) if given is None else given
    if given:
        raise UserError(f"--device {device} uses no GPU; drop --gpus-per-worker {given}")
    return 0
