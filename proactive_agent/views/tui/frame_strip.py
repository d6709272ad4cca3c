"""Draws a sample's frames as one line: seen frames, the current one, the one that shows enough."""

from collections.abc import Collection

from rich.text import Text

from proactive_agent.scenarios import ImageRef
from proactive_agent.views.tui.frames import SampleFrames

NOT_SEEN, SEEN, ENOUGH = "·", "•", "★"
CELL = 2
"""Columns of a frame other than the current one."""


def frame_strip(
    sample: SampleFrames, current: ImageRef, seen: Collection[ImageRef], width: int
) -> Text:
    """Returns at most `width` columns; of many frames those around `current`."""
    frames = sample.frames
    if current not in frames:
        return Text("The current frame is not one of the sample's frames.", "dim")
    at = frames.index(current)
    ring = "ring " if sample.is_ring else ""
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
            strip.append_text(_mark(frames[index], sample, seen)).append(" ")
    strip.append("…" if last < len(frames) else "")
    strip.append(caption, "dim")
    if current == sample.reference:
        strip.append(f" {ENOUGH}", "bold green")
    strip.truncate(width)
    return strip


def _mark(frame: ImageRef, sample: SampleFrames, seen: Collection[ImageRef]) -> Text:
    if frame == sample.reference:
        return Text(ENOUGH, "bold green")
    return Text(SEEN, "cyan") if frame in seen else Text(NOT_SEEN, "dim")
