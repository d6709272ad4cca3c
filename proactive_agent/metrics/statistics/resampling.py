"""The bootstrap: column sums of a table of samples, as observed and in 10,000 resamples.

numpy expressions on these sums apply to the observed value and to all resamples at once. So a
ratio, a difference, an average over scenarios or an index like d' gets its interval without further
code.
"""

import zlib
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Series = NDArray[np.float64]
"""A number as observed (first element) and in each resample."""

DRAWS = 10_000
LARGE = 5_000
"""Above this number of samples, sums are drawn from their normal limit instead of by resampling.
That moves the bounds of an interval by a few hundredths of its width and bounds the work."""

_CELLS = 2_000_000
"""Most weights held in memory at once."""


def resample(columns: Sequence[str], rows: NDArray[np.float64], name: str) -> Mapping[str, Series]:
    """Returns the sums of every column over samples (one row each) drawn with replacement.

    Equal rows with an equal name give equal draws. A column with an unknown value (NaN) has
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
    """Returns the mean of paired differences, as observed and with random signs.

    Random signs give the null distribution of the paired permutation test.
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


def shuffle_labels(ours: NDArray[np.float64], theirs: NDArray[np.float64], name: str) -> Series:
    """Returns the difference of two means, as observed and under random permutations.

    Assigning the samples to the two runs at random gives the null distribution of the unpaired
    permutation test.
    """
    count, both = len(ours), np.concatenate([ours, theirs])
    if not count or not len(theirs):
        return np.full(DRAWS + 1, np.nan)
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    observed = [ours.mean() - theirs.mean()]
    if set(both) <= {0.0, 1.0}:
        right = int(both.sum())
        dealt = rng.hypergeometric(right, len(both) - right, count, DRAWS)
        return np.concatenate([observed, dealt / count - (right - dealt) / len(theirs)])
    total = both.sum()
    if len(both) > LARGE:
        spread = both.std(ddof=1) * np.sqrt(1 / count + 1 / len(theirs))
        return np.concatenate([observed, rng.standard_normal(DRAWS) * spread])
    sums = np.empty(DRAWS)
    at_once = max(1, _CELLS // len(both))
    for start in range(0, DRAWS, at_once):
        rows = np.tile(both, (min(at_once, DRAWS - start), 1))
        sums[start : start + len(rows)] = rng.permuted(rows, axis=1)[:, :count].sum(axis=1)
    return np.concatenate([observed, sums / count - (total - sums) / len(theirs)])


def _resampled(rows: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Draws how often each row occurs, and multiplies these counts by the rows."""
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
    """Draws sums from the normal distribution with the mean and covariance of resampled sums."""
    count = len(rows)
    spread = rows.std(axis=0)
    scaled = (rows - rows.mean(axis=0)) / np.where(spread > 0, spread, 1)
    values, vectors = np.linalg.eigh(scaled.T @ scaled)
    root = vectors * np.sqrt(np.maximum(values, 0))
    noise = rng.standard_normal((DRAWS, rows.shape[1])) @ root.T * spread
    # A real resample stays within the range of the rows; a sum of counts is never negative.
    sums: NDArray[np.float64] = rows.sum(axis=0) + noise
    return np.clip(sums, count * rows.min(axis=0), count * rows.max(axis=0))
