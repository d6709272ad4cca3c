"""The pane of one episode: its picture, its frames, its turns."""

from PIL import Image
from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static
from textual.worker import get_current_worker

from proactive_agent.records.describe import name_of
from proactive_agent.records.episode import EpisodeRecord, TurnRecord
from proactive_agent.terminal.console import safe
from proactive_agent.views.describe import outcome_of
from proactive_agent.views.tui.frames import FrameSource, SampleFrames, frame_strip, ref_of
from proactive_agent.views.tui.picture import PictureView, trusts_graphics
from proactive_agent.views.tui.turns_view import TurnsView


class EpisodePane(Vertical):
    """Shows an episode of one run, with the picture of the chosen turn."""

    DEFAULT_CSS = """
    EpisodePane > .title, EpisodePane > .strip {
        height: 1; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis;
    }
    EpisodePane > PictureView { height: 40%; }
    EpisodePane > TurnsView { height: 1fr; }
    """

    class Turned(Message):
        """The user chose another turn in this pane."""

        def __init__(self, pane: "EpisodePane") -> None:
            super().__init__()
            self.pane = pane

    def __init__(self, frames: FrameSource, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.frames = frames
        self.run_name = ""
        """The run's name; set only while two runs are compared."""
        self.picture = PictureView(graphics=trusts_graphics())
        self.turns = TurnsView()
        self._title = Static("", classes="title", markup=False)
        self._strip = Static("", classes="strip", markup=False)
        self._sample: SampleFrames | None = None

    def compose(self) -> ComposeResult:
        yield self._title
        yield self.picture
        yield self._strip
        yield self.turns

    @property
    def episode(self) -> EpisodeRecord | None:
        """The episode shown."""
        return self.turns.episode

    @property
    def turn(self) -> TurnRecord | None:
        """The chosen turn."""
        episode = self.episode
        return episode.turns[self.turns.turn] if episode and episode.turns else None

    def show(
        self, episode: EpisodeRecord | None, turn: int = 0, divergence: int | None = None
    ) -> None:
        """Shows an episode, or None if the run did not play the sample.

        `divergence` is the turn from which on another run differs.
        """
        self.turns.show(episode, turn, divergence)
        self._sample = None
        self._show_title()
        self._show_turn()

    def choose(self, turn: int) -> None:
        """Shows a turn without telling the other pane."""
        self.turns.choose(turn, quietly=True)
        self._show_turn()

    def on_turns_view_chosen(self, event: TurnsView.Chosen) -> None:
        """Shows the picture of the chosen turn."""
        event.stop()
        self._show_turn()
        self.post_message(self.Turned(self))

    def on_resize(self) -> None:
        """Adapts the strip of frames to the new width."""
        self._show_strip()

    def _show_title(self) -> None:
        title = Text("not played" if self.run_name else "no episode", "dim")
        if self.episode is not None:
            title = safe(name_of(self.episode), "bold")
            title = Text("  ").join([title, outcome_of(self.episode)])
        if self.run_name:
            title.append("  ").append_text(safe(self.run_name, "dim"))
        self._title.update(title)

    def _show_turn(self) -> None:
        self._show_strip()
        turn = self.turn
        if turn is None or self.episode is None:
            self.picture.show("")
        else:
            self._load(self.episode, turn)

    @work(thread=True, exclusive=True, group="picture")
    def _load(self, episode: EpisodeRecord, turn: TurnRecord) -> None:
        """Loads picture and frames in the background."""
        picture = self.frames.picture(turn.image)
        sample = self.frames.frames_of(episode)
        if not get_current_worker().is_cancelled:
            self.call_later(self._loaded, turn, picture, sample)

    def _loaded(self, turn: TurnRecord, picture: Image.Image | str, sample: SampleFrames) -> None:
        if turn is self.turn:
            self._sample = sample
            self.picture.show(picture)
            self._show_strip()

    def _show_strip(self) -> None:
        strip, turn = Text(), self.turn
        if self._sample is not None and turn is not None and self.episode is not None:
            seen = {ref_of(one.image) for one in self.episode.turns[: self.turns.turn]}
            width = self.size.width - 2
            strip = frame_strip(self._sample, ref_of(turn.image), seen, width)
        self._strip.update(strip)
