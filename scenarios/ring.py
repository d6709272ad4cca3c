"""Frames that form a ring: after the last comes the first."""


def shorter_way(frame: int, goal: int, length: int) -> int:
    """-1 or 1, whichever reaches the goal in fewer steps; 0 where it is reached."""
    back, ahead = (frame - goal) % length, (goal - frame) % length
    if back == 0:
        return 0
    return -1 if back < ahead else 1
