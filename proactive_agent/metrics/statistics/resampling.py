"""The bootstrap: column sums of a table of samples, as observed and in 10,000 resamples.

What is computed of the sums with numpy is computed of the observed ones and of every resample in
one go, so that a ratio, a difference, an average over scenarios or an index like d' needs no code
of its own for its interval.
"""

import zlib
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Series = NDArray[np.float64]
"""A number as observed (first) and as it came out in each of the resamples."""

DRAWS = 10_000
LARGE = 5_000
"""Above so many samples a sum's normal limit stands in for its resamples: the bounds of an interval
move by a few hundredths of its width, and the work does not grow with the samples."""

_CELLS = 2_000_000
"""Weights held in memory at a time."""


def resample(columns: Sequence[str], rows: NDArray[np.float64], name: str) -> Mapping[str, Series]:
    """The sums of every column over samples (a row each) that are drawn with replacement.

    The same rows under the same name give the same draws.  A column with an unknown value (NaN) has
    unknown sums.
    """
    known = np.isfinite(rows).all(axis=0)
    sums = np.full((DRAWS + 1, len(columns)), np.nan)
    sums[0, known] = rows[:, known].sum(axis=0)
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    draw = _limit if len(rows) > LARGE else _resampled
    sums[1:, known] = draw(rows[:, known], rng)
    return {column: sums[:, index] for index, column in enumerate(columns)}


def flip_signs(differences: NDArray[np.float64], name: str) -> Series:
    """The mean of paired differences, and what it is where each one's sign is chance.

    That is the paired permutation test's null distribution, drawn from its 2^n equally likely ones.
    """
    count = len(differences)
    if not count:
        return np.full(DRAWS + 1, np.nan)
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    if count > LARGE:
        null = rng.standard_normal(DRAWS) * np.sqrt((differences**2).sum()) / count
        return np.concatenate([[differences.mean()], null])
    parts = [differences.mean(keepdims=True)]
    at_once = max(1, _CELLS // count)
    for start in range(0, DRAWS, at_once):
        signs = rng.integers(0, 2, (min(at_once, DRAWS - start), count), dtype=np.int8)
        parts.append((2 * signs.astype(np.float64) - 1) @ differences / count)
    return np.concatenate(parts)


def _resampled(rows: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Counts how often each row is drawn; the counts times the rows are the sums."""
    count = len(rows)
    if not count:
        return np.zeros((DRAWS, rows.shape[1]))
    parts = []
    at_once = max(1, _CELLS // count)
    for start in range(0, DRAWS, at_once):
        draws = min(at_once, DRAWS - start)
        drawn = rng.integers(0, count, (draws, count), dtype=np.int32)
        drawn += count * np.arange(draws, dtype=np.int32)[:, None]
        weights = np.bincount(drawn.ravel(), minlength=draws * count).reshape(draws, count)
        parts.append(weights.astype(np.float64) @ rows)
    return np.concatenate(parts)


def _limit(rows: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Sums drawn from the normal distribution with the mean and covariance of resampled ones."""
    count = len(rows)
    spread = rows.std(axis=0)
    scaled = (rows - rows.mean(axis=0)) / np.where(spread > 0, spread, 1)
    values, vectors = np.linalg.eigh(scaled.T @ scaled)
    root = vectors * np.sqrt(np.maximum(values, 0))
    noise = rng.standard_normal((DRAWS, rows.shape[1])) @ root.T * spread
    # No resample leaves the range of what was seen, least of all a sum of counts below zero.
    sums: NDArray[np.float64] = rows.sum(axis=0) + noise
    return np.clip(sums, count * rows.min(axis=0), count * rows.max(axis=0))
