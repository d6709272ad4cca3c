"""The number of CPU cores."""

import os


def usable_cores() -> int:
    """Returns the number of cores that this process may use.

    With Slurm or `taskset`, these can be fewer than the machine has. Where the system does not
    report it, it is the number of cores of the machine.
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
