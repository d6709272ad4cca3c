"""Handmade cases for judges."""

from proactive_agent.play.judges import Case
from proactive_agent.scenarios import AcceptedAnswer
from proactive_agent.tools import Intervention

WAIT = AcceptedAnswer("Wait for a free view", Intervention("seek_video", "wait"))
REWIND = AcceptedAnswer("Go back in the video", Intervention("seek_video", "rewind"))
CAMERA = AcceptedAnswer("Look from another place", Intervention("move_camera"))


def vsod(reply: str) -> Case:
    """Returns a case about a horse behind a hedge."""
    return Case(
        "vsod",
        "Which animal, or which {thing}, is this about?",
        (WAIT, REWIND, CAMERA, AcceptedAnswer("Horse")),
        ("Deer", "Cow", "Donkey"),
        reply,
    )
