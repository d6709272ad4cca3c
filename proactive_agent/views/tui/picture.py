"""Draws a picture in the terminal interface, by the terminal's graphics or by half blocks.

Half blocks show two pixels per cell on any terminal with colours. The half-cell widget of
`textual_image` does not replace ours: it draws very narrow pictures with no columns, fails if the
terminal reports a size of zero, and uses a function that Pillow 14 removes.
"""

from PIL import Image
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.app import ComposeResult
from textual.containers import Container
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Static

from proactive_agent.terminal.console import announces_truly, quiet_textual_image, safe


def _graphics_widget() -> type[Widget] | None:
    """Returns the widget that draws by this terminal's graphics, or None if it has none.

    The terminal is asked, so this must run before the interface starts to read from it.
    """
    quiet_textual_image()
    try:
        from textual_image.renderable import Image as Best
        from textual_image.renderable import SixelImage, TGPImage
        from textual_image.widget import Image as Drawn
    except Exception:  # It is not installed, or the terminal reports a size of zero.
        return None
    # `Drawn` is the same class for Kitty and half cells, so the renderable decides.
    return Drawn if Best in (SixelImage, TGPImage) else None


Graphics = _graphics_widget()

UPPER_HALF = "▀"
"""The foreground colours its upper pixel, the background its lower pixel."""


def trusts_graphics() -> bool:
    """Whether to start with graphics."""
    return Graphics is not None and announces_truly()


class PictureView(Container):
    """One picture as large as it fits, or the reason why there is none."""

    # Kitty's protocol can number 297 columns and rows; beyond that the library raises.
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
        """The picture shown, or the reason for none."""
        return self._picture

    def compose(self) -> ComposeResult:
        yield self._reason
        yield self._blocks
        if self._drawn is not None:
            yield self._drawn

    def show(self, picture: Image.Image | str) -> None:
        """Shows a picture, or the reason why there is none."""
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


class BlocksImage(Widget):
    """Draws a picture in half blocks, as large as the container allows, keeping its proportions."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._image: Image.Image | None = None
        self._rows: list[Strip] = []
        self._drawn_for = Size()

    @property
    def image(self) -> Image.Image | None:
        """The picture."""
        return self._image

    @image.setter
    def image(self, image: Image.Image | None) -> None:
        self._image = image
        self._drawn_for = Size()
        self.refresh(layout=True)

    def get_content_width(self, container: Size, viewport: Size) -> int:
        return self._fitting(container).width

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return self._fitting(container).height

    def render_line(self, y: int) -> Strip:
        if self._drawn_for != self.size:
            self._rows = self._drawn(self.size)
            self._drawn_for = self.size
        return self._rows[y] if y < len(self._rows) else Strip.blank(self.size.width, Style())

    def _fitting(self, room: Size) -> Size:
        """Returns the size of the picture in cells; a cell is two pixels high."""
        if self._image is None or not room:
            return Size()
        width, height = self._image.size
        scale = min(room.width / width, 2 * room.height / height)
        return Size(max(1, round(width * scale)), max(1, round(height * scale / 2)))

    def _drawn(self, size: Size) -> list[Strip]:
        if self._image is None or not size:
            return []
        small = self._image.resize((size.width, 2 * size.height), Image.Resampling.LANCZOS)
        pixels = small.convert("RGB").tobytes()
        row = 3 * size.width
        return [
            Strip(
                [
                    _cell(pixels[at : at + 3], pixels[at + row : at + row + 3])
                    for at in range(2 * row * y, 2 * row * y + row, 3)
                ],
                size.width,
            )
            for y in range(size.height)
        ]


def _cell(upper: bytes, lower: bytes) -> Segment:
    return Segment(UPPER_HALF, Style(color=Color.from_rgb(*upper), bgcolor=Color.from_rgb(*lower)))
