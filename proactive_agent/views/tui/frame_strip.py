"""A sample's frames in a line: those seen, the present one, the one that shows enough."""

from collections.abc import Collection

from rich.text import Text

from proactive_agent.scenarios import ImageRef
from proactive_agent.views.tui.frames import Sequence

NOT_SEEN, SEEN, ENOUGH = "·", "•", "★"
CELL = 2
"""Columns of a frame that is not the present one."""


def frame_strip(
    sequence: Sequence, present: ImageRef, seen: Collection[ImageRef], width: int
) -> Text:
    """One line, no longer than `width`; of many frames those around the present one."""
    frames = sequence.frames
    if present not in frames:
        return Text("The present frame is none of the sample's.", "dim")
    at = frames.index(present)
    ring = "ring " if sequence.is_ring else ""
    caption = f" {ring}{at + 1}/{len(frames)}"
    number = f"[{at + 1}]"
    room = max((width - len(caption) - len(number) - 2 * CELL) // CELL, 4)
    first = max(0, min(at - room // 2, len(frames) - 1 - room))
    last = min(len(frames), first + room + 1)
    strip = Text("… " if first else "")
    for index in range(first, last):
        if index == at:
            strip.append(number, "bold reverse").append(" ")
        else:
            strip.append_text(_mark(frames[index], sequence, seen)).append(" ")
    strip.append("…" if last < len(frames) else "")
    strip.append(caption, "dim")
    if present == sequence.reference:
        strip.append(f" {ENOUGH}", "bold green")
    strip.truncate(width)
    return strip


def _mark(frame: ImageRef, sequence: Sequence, seen: Collection[ImageRef]) -> Text:
    if frame == sequence.reference:
        return Text(ENOUGH, "bold green")
    return Text(SEEN, "cyan") if frame in seen else Text(NOT_SEEN, "dim")
