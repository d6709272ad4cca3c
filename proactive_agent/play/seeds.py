"""Seeds that depend only on their purpose, so that concurrency and order change nothing."""

import hashlib


def derive_seed(seed: int, *parts: int | str) -> int:
    """Returns a 63-bit seed for one purpose from the run's seed and the parts of its name."""
    text = "\x1f".join(str(part) for part in (seed, *parts))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
