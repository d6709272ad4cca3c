"""Pictures in the terminal, where it can show them."""

from PIL import Image

from proactive_agent.terminal import console


def show_picture(picture: Image.Image) -> bool:
    """Draws a picture if the output is a terminal and the extra `view` is there; says whether."""
    if not console.is_terminal:
        return False
    try:
        from textual_image.renderable import Image as Drawn
    except ImportError:
        return False
    console.print(Drawn(picture, width=min(console.width, 120)))
    return True
