"""Pictures in the terminal, where it can show them."""

import logging

from PIL import Image

from proactive_agent.terminal.console import console


def show_picture(picture: Image.Image) -> bool:
    """Draws a picture if the output is a terminal and the extra `view` is there; says whether."""
    if not console.is_terminal:
        return False
    silence_library()
    try:
        from textual_image.renderable import Image as Drawn
    except ImportError:
        return False
    try:
        console.print(Drawn(picture, width=min(console.width, 120)))
    except Exception:  # Some terminals do not tell their size; the library divides by it.
        return False
    return True


def silence_library() -> None:
    """What draws pictures logs a traceback where a terminal does not tell its size."""
    logging.getLogger("textual_image").setLevel(logging.ERROR)
