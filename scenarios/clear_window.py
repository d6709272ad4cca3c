"""The window of a COCO picture that shows the object in the size of the first crop.

A model must not recognise the condition `clear` by the size of the picture. A window of the picture
that holds the object is therefore scaled to the size of the first crop. Some first crops are too
small or too narrow for that; `fits` tells.
"""

MARGIN = 0.25
"""Share of the hidden part by which the window reaches into the first crop, where the object may
begin."""

MOST_STRETCH = 2.0
"""Largest factor by which the proportions of the window may change."""

SMALLEST = 96
"""Least length of the first crop's shorter edge, in pixels."""

Box = tuple[float, float, float, float]
"""(left, upper, right, lower) in pixels."""


def clear_window(first: Box, last: Box, *, zoom: bool) -> Box:
    """Returns a window of the last crop that holds the object, as near as possible to the
    proportions of the first crop.

    The last crop holds all of the object and the first one little of it, so the object is in the
    part that is added. A zoom adds on all sides.
    """
    left, right = _added(first[0], first[2], last[0], last[2], zoom)
    upper, lower = _added(first[1], first[3], last[1], last[3], zoom)
    proportions = (first[2] - first[0]) / (first[3] - first[1])
    width, height = right - left, lower - upper
    left, right = _widened(left, right, height * proportions, last[0], last[2])
    upper, lower = _widened(upper, lower, width / proportions, last[1], last[3])
    return left, upper, right, lower


def fits(window: Box, first: Box) -> bool:
    """Returns whether the window is still recognisable in the size of the first crop."""
    width, height = first[2] - first[0], first[3] - first[1]
    stretch = (window[2] - window[0]) / width / ((window[3] - window[1]) / height)
    return min(width, height) >= SMALLEST and 1 / MOST_STRETCH <= stretch <= MOST_STRETCH


def _added(start: float, end: float, low: float, high: float, zoom: bool) -> tuple[float, float]:
    """Returns the part of an axis in which the object is, given the first and the last range."""
    before, after = start - low, high - end
    if zoom or before == after == 0:
        return low, high
    if before >= after:
        return low, min(start + MARGIN * before, high)
    return max(end - MARGIN * after, low), high


def _widened(
    start: float, end: float, length: float, low: float, high: float
) -> tuple[float, float]:
    """Returns a range of at least this length around another one, within bounds."""
    length = min(max(length, end - start), high - low)
    start = min(max((start + end - length) / 2, low), high - length)
    return start, start + length
