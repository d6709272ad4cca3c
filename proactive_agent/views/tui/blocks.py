"""A picture in half blocks: two pixels in each cell, on any terminal that has colours."""

from PIL import Image
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

UPPER_HALF = "▀"
"""Its upper pixel is the colour of the letter, its lower one that of the ground."""


class BlocksImage(Widget):
    """As large as its container allows, in the picture's own proportions."""

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
        return self._rows[y] if y < len(self._rows) else Strip.blank(self.size.width)

    def _fitting(self, room: Size) -> Size:
        """Cells of the picture; each is two pixels high."""
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
