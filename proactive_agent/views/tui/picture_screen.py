"""The full-screen view of a turn's picture, or of all frames of its sample."""

from typing import ClassVar

from PIL import Image
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Footer, Static

from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.terminal.console import safe
from proactive_agent.views.describe import image_of
from proactive_agent.views.tui.frames import FrameSource
from proactive_agent.views.tui.picture import PictureView


class PictureScreen(ModalScreen[int]):
    """Shows pictures full-screen; returns the turn whose picture was shown last."""

    DEFAULT_CSS = """
    PictureScreen { background: $background; }
    PictureScreen > .title { height: 1; padding: 0 1; }
    PictureScreen > PictureView { height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,f", "leave", "Back"),
        Binding("right,down,l,j", "turn(1)", "Next turn"),
        Binding("left,up,h,k", "turn(-1)", "Previous turn"),
        Binding("a", "sheet", "All frames"),
    ]

    def __init__(
        self, frames: FrameSource, episode: EpisodeRecord, turn: int, *, graphics: bool
    ) -> None:
        super().__init__()
        self.view = PictureView(graphics=graphics)
        self._title = Static("", classes="title", markup=False)
        self._frames, self._episode, self._turn = frames, episode, turn
        self._all = False

    def compose(self) -> ComposeResult:
        yield self._title
        yield self.view
        yield Footer()

    def on_mount(self) -> None:
        """Loads the picture of the turn."""
        self._load()

    def action_turn(self, step: int) -> None:
        """Shows another turn's picture."""
        self._turn = max(0, min(self._turn + step, len(self._episode.turns) - 1))
        self._all = False
        self._load()

    def action_sheet(self) -> None:
        """Switches between all frames and the turn's picture."""
        self._all = not self._all
        self._load()

    def action_leave(self) -> None:
        """Returns to the episode, at the turn shown."""
        self.dismiss(self._turn)

    @work(thread=True, exclusive=True)
    def _load(self) -> None:
        shown = self._episode.turns[self._turn].image
        picture = (
            self._frames.sheet(self._episode, shown) if self._all else self._frames.picture(shown)
        )
        self.call_later(self._loaded, picture)

    def _loaded(self, picture: Image.Image | str) -> None:
        turn = self._episode.turns[self._turn]
        number = f"turn {turn.index + 1} of {len(self._episode.turns)}"
        title = "frames: red first, green reference, blue current" if self._all else image_of(turn)
        self._title.update(safe(f"{number}  {title}", "bold"))
        self.view.show(picture)
