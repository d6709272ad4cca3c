"""A picture in the terminal: by its graphics, or by half blocks."""

import os

from PIL import Image
from textual.app import ComposeResult
from textual.containers import Container
from textual.widget import Widget
from textual.widgets import Static

from proactive_agent.terminal.console import safe
from proactive_agent.terminal.picture import silence_library
from proactive_agent.views.tui.blocks import BlocksImage


def _graphics_widget() -> type[Widget] | None:
    """What draws pictures by this terminal's graphics; None where it has none.

    Asks the terminal, so that it must come before the browser begins to read from it.
    """
    silence_library()
    try:
        from textual_image.renderable import Image as Best
        from textual_image.renderable import SixelImage, TGPImage
        from textual_image.widget import Image as Drawn
    except Exception:  # not installed, or the terminal does not tell its size
        return None
    # The widget has a class of its own for Sixel only; what it draws with tells them all apart.
    return Drawn if Best in (SixelImage, TGPImage) else None


Graphics = _graphics_widget()


def trusts_graphics() -> bool:
    """Whether graphics are taken to begin with: tmux has them, whatever terminal it runs in."""
    return Graphics is not None and not os.environ.get("TMUX")


class PictureView(Container):
    """One picture as large as it fits, or a text that says why there is none."""

    # Kitty's graphics number columns and rows by 297 signs; beyond them the library raises.
    DEFAULT_CSS = """
    PictureView { align: center middle; }
    PictureView > * { width: auto; height: auto; display: none; max-width: 297; max-height: 297; }
    PictureView > Static { max-width: 100%; }
    """

    def __init__(self, *, graphics: bool) -> None:
        super().__init__()
        self._graphics = graphics
        self._reason = Static("", markup=False)
        self._blocks = BlocksImage()
        self._drawn = Graphics() if Graphics is not None else None
        self._picture: Image.Image | str = ""

    @property
    def graphics(self) -> bool:
        """Whether the terminal's graphics are used."""
        return self._graphics

    @graphics.setter
    def graphics(self, graphics: bool) -> None:
        self._graphics = graphics and Graphics is not None
        self.show(self._picture)

    @property
    def shown(self) -> Image.Image | str:
        """What is there to be seen."""
        return self._picture

    def compose(self) -> ComposeResult:
        yield self._reason
        yield self._blocks
        if self._drawn is not None:
            yield self._drawn

    def show(self, picture: Image.Image | str) -> None:
        """Another picture, or why there is none."""
        self._picture = picture
        shown: Widget = self._reason
        if isinstance(picture, str):
            self._reason.update(safe(picture, "dim"))
        elif self._graphics and self._drawn is not None:
            shown = self._drawn
            self._drawn.image = picture  # type: ignore[attr-defined]
        else:
            shown = self._blocks
            self._blocks.image = picture
        for child in self.children:
            child.display = child is shown
