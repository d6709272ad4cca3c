"""The NVIDIA GPUs of this machine, found without PyTorch."""

import json
import os
import shutil
import subprocess
import sys

_FREE = "import json, torch as t; print(json.dumps([t.cuda.mem_get_info(i)[0] for i in range(%d)]))"


def visible_gpus() -> list[str]:
    """The GPUs that CUDA would find, as entries of CUDA_VISIBLE_DEVICES."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        # CUDA ignores every entry from the first invalid one on.
        entries = [entry.strip() for entry in visible.split(",")]
        valid = next((i for i, entry in enumerate(entries) if entry in ("", "-1")), len(entries))
        return entries[:valid]
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    try:
        listed = subprocess.run(
            [program, "-L"], capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    lines = [line for line in listed.stdout.splitlines() if line.startswith("GPU ")]
    return [str(number) for number in range(len(lines))]


def free_bytes_of_gpus(count: int) -> list[int]:
    """Free memory of the first GPUs, in bytes. Empty if it cannot be found out.

    PyTorch is asked in another process, because the question occupies memory of each GPU.
    """
    try:
        asked = subprocess.run(
            [sys.executable, "-c", _FREE % count], capture_output=True, text=True, timeout=300,
            check=True,
        )  # fmt: skip
        free = json.loads(asked.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return []
    return [int(one) for one in free]
