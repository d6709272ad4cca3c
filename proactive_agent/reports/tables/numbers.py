"""Formats numbers and their confidence intervals for people."""

from proactive_agent.metrics.statistics import Estimate
from proactive_agent.reports.tables.grid import Cell

UNKNOWN = "-"


def percent(share: float | None) -> str:
    """Formats a share (0 to 1) as a percentage."""
    return UNKNOWN if share is None else f"{100 * share:.1f}"


def mean(value: float | None) -> str:
    """Formats a mean of counts."""
    return UNKNOWN if value is None else f"{value:.1f}"


def count(value: int | None) -> str:
    """Formats a count, which may be unknown."""
    return "unknown" if value is None else f"{value:,}"


def dollars(value: float | None) -> str:
    """Formats a cost in US dollars, which may be unknown."""
    return "unknown" if value is None else f"${value:,.4f}"


def percent_cell(found: Estimate) -> Cell:
    """Formats a share in per cent, with the bounds of its interval.

    Bounds are needed because the interval is asymmetric near 0 and 100.
    """
    if found.value is None:
        return Cell(UNKNOWN)
    text = percent(found.value)
    if found.low is None or found.high is None:
        return Cell(text)
    # A wide interval does not need decimals.
    digits = 0 if found.high - found.low >= 0.06 else 1
    return Cell(text, f"{100 * found.low:.{digits}f}–{100 * found.high:.{digits}f}")


def mean_cell(found: Estimate) -> Cell:
    """Formats a mean with half the width of its interval."""
    return _plus_minus(found)


def decimals_cell(found: Estimate) -> Cell:
    """Formats a number of about 1 or less, with two decimals."""
    return _plus_minus(found, digits=2)


def bounds_cell(found: Estimate) -> Cell:
    """Formats a number with two decimals and the bounds of its interval, of which one can be
    missing."""
    if found.value is None:
        return Cell(UNKNOWN)
    text = f"{found.value:.2f}"
    if found.low is None or found.high is None:
        bounds = ("≥", found.low), ("≤", found.high)
        return Cell(text, "".join(f"{sign}{b:.2f}" for sign, b in bounds if b is not None))
    return Cell(text, f"{found.low:.2f}–{found.high:.2f}")


def dollars_cell(found: Estimate) -> Cell:
    """Formats a small cost in US dollars, with four decimals."""
    return _plus_minus(found, digits=4)


def points_cell(found: Estimate, mark: str = "") -> Cell:
    """Formats a difference of shares in percentage points; `mark` follows the interval."""
    return _plus_minus(found, scale=100, sign="+", mark=mark)


def change_cell(found: Estimate, mark: str = "") -> Cell:
    """Formats a difference of means; `mark` follows the interval."""
    return _plus_minus(found, sign="+", mark=mark)


def _plus_minus(
    found: Estimate, scale: int = 1, digits: int = 1, sign: str = "", mark: str = ""
) -> Cell:
    if found.value is None:
        return Cell(UNKNOWN)
    text = f"{scale * found.value:{sign},.{digits}f}"
    if found.low is None or found.high is None:
        return Cell(text, mark)
    half = scale * (found.high - found.low) / 2
    return Cell(text, f"±{half:,.{0 if digits == 1 and half >= 10 else digits}f}{mark}")
