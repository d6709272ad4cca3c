"""Seeds that depend on what they are for, never on the order in which things happen."""

import hashlib


def derive_seed(seed: int, *parts: int | str) -> int:
    """A 63-bit seed for one purpose, from the run's seed and the names of the purpose."""
    text = "\x1f".join(str(part) for part in (seed, *parts))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
