"""Chooses growing crops that first miss an object and finally contain it.

All values are whole pixels. The protocol computes steps in floating point, which is exact for
whole numbers.
"""

import random
from math import ceil
from typing import NamedTuple

LARGEST_OVERLAP = 0.1
"""Maximum share of the object's box in the first crop."""
SMALLEST_CROP = 32
"""Minimum side of the first crop, in pixels."""
GRANULARITIES = (3, 4, 5)

_ZOOM_SHARE = 0.3
"""Share of the object's width and height in the first crop; 0.09 of its area."""


class Span(NamedTuple):
    """A range of pixels along one axis. The end is exclusive."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """Length in pixels."""
        return self.end - self.start

    def mirrored(self, length: int) -> "Span":
        """Returns the span as seen from the other end of an axis of `length` pixels."""
        return Span(length - self.end, length - self.start)


class Growth(NamedTuple):
    """The first range of a crop along one axis, and its growth per frame, in pixels."""

    first: Span
    step: int


def toward_start(length: int, thing: Span, granularity: int, rng: random.Random) -> Growth | None:
    """Returns a range whose start moves past the start of the object in `granularity - 1` steps.

    The first range contains at most a tenth of the object. Returns None if there is no room.
    """
    moves = granularity - 1
    lowest = thing.end - int(LARGEST_OVERLAP * thing.length)
    highest = length - SMALLEST_CROP
    room = highest - lowest + 1
    # A first crop that begins near the object is large. Only in large ones can the condition
    # `clear` show the object, in a picture of the same size.
    any_start = rng.randrange(max(room // 4, 1))
    for number in range(room):
        start = lowest + (any_start + number) % room
        fewest, most = max(1, ceil((start - thing.start) / moves)), start // moves
        if fewest <= most:
            nearest = max(start + SMALLEST_CROP, thing.end, (length + start) // 2)
            end = rng.randint(nearest, length)
            return Growth(Span(start, end), rng.randint(fewest, most))
    return None


def toward_end(length: int, thing: Span, granularity: int, rng: random.Random) -> Growth | None:
    """Like `toward_start`, but the end of the range moves up."""
    growth = toward_start(length, thing.mirrored(length), granularity, rng)
    return growth and Growth(growth.first.mirrored(length), growth.step)


def around(length: int, thing: Span, granularity: int, rng: random.Random) -> Growth | None:
    """Returns a range inside the object that grows past both of its ends in `granularity` steps.

    The first range contains at most 0.3 of the object. Returns None if the object is too small.
    """
    share = _ZOOM_SHARE * thing.length
    if share - 2 * granularity < SMALLEST_CROP:
        return None
    before = rng.randint(0, min(thing.start, thing.length // 2))
    after = rng.randint(0, min(length - thing.end, thing.length // 2))
    last = Span(thing.start - before, thing.end + after)
    step = ceil((last.length - share) / (2 * granularity))
    grown = granularity * step
    return Growth(Span(last.start + grown, last.end - grown), step)


def beside(length: int, thing: Span, rng: random.Random) -> Span:
    """Returns a constant range that contains the object."""
    start = rng.randint(0, min(thing.start // 2, max(length - SMALLEST_CROP, 0)))
    nearest = max((length + thing.end) // 2, min(start + SMALLEST_CROP, length))
    return Span(start, rng.randint(nearest, length))
