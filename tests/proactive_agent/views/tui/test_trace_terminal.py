"""`trace` in a real terminal: the browser with the extra `view`, a list and a hint without it."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from proactive_agent.scenarios.dataset import EMBEDDED
from proactive_agent.tools.install import install_command
from tests.proactive_agent.run_folders import write_run
from tests.proactive_agent.written_records import episode, turn

needs_view = pytest.mark.skipif(
    find_spec("textual") is None, reason="needs the extra `view`: textual, textual_image"
)
ALTERNATE_SCREEN = b"\x1b[?1049h"
BACK = b"\x1b[?1049l"
PROGRAM = "from proactive_agent.cli.app import cli; cli()"


@pytest.fixture
def run(tmp_path: Path) -> str:
    return str(write_run(tmp_path / "run", [episode("right"), episode("wrong", sample_id=1)]).path)


class Terminal:
    """Runs a program in a terminal with cells of 10 x 20 pixels."""

    def __init__(
        self,
        *arguments: str,
        before: str = "",
        stdout: int | None = None,
        answers: bytes = b"",
        tmux: str = "",
        size: tuple[int, int] = (100, 30),
    ) -> None:
        """`answers` are the terminal's replies to queries about its graphics, sent in advance."""
        self._ours, theirs = pty.openpty()
        columns, rows = size
        shape = struct.pack("HHHH", rows, columns, 10 * columns, 20 * rows)
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, shape)
        os.write(self._ours, answers)
        self._program = subprocess.Popen(
            [sys.executable, "-c", f"{before}{PROGRAM}", *arguments],
            stdin=theirs, stdout=theirs if stdout is None else stdout, stderr=theirs,
            env={**os.environ, "TERM": "xterm-256color", "TMUX": tmux}, start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        self.shown = b""

    def press(self, key: bytes) -> None:
        os.write(self._ours, key)

    def until(self, text: bytes) -> None:
        """Reads until the program writes a text."""
        end = time.monotonic() + 60
        while text not in self.shown:
            if time.monotonic() > end or not self._read():
                # Without its terminal it would run forever.
                self._program.kill()
                raise AssertionError(self.shown[-2000:])

    def end(self) -> int:
        """Reads until the program ends; returns its exit code."""
        while self._read():
            pass
        os.close(self._ours)
        return self._program.wait(timeout=60)

    def _read(self) -> bool:
        if not select.select([self._ours], [], [], 60)[0]:
            return False
        try:
            found = os.read(self._ours, 65536)
        except OSError:  # the other side is closed
            return False
        self.shown += found
        return bool(found)


@needs_view
@pytest.mark.parametrize("key", [b"q", b"\x03"], ids=["q", "Ctrl-C"])
def test_the_browser_opens_and_is_left_by_a_key(run: str, key: bytes) -> None:
    terminal = Terminal("trace", run)
    terminal.until(ALTERNATE_SCREEN)
    terminal.until(b"rod:1")
    terminal.press(key)
    assert terminal.end() == 0


@needs_view
def test_the_browser_works_without_colours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    terminal = Terminal("trace", run_of_a_picture(tmp_path), answers=KNOWS_NEITHER)
    terminal.until(BLOCKS)
    terminal.press(b"q")
    assert terminal.end() == 0


@needs_view
@pytest.mark.parametrize(("key", "shown"), [(b"\r", b"Nothing failed"), (b"q", b"Which run?")])
def test_without_a_run_the_user_picks_one(tmp_path: Path, key: bytes, shown: bytes) -> None:
    write_run(tmp_path / "one", [episode("right")])
    terminal = Terminal("why", "--out", str(tmp_path))
    terminal.until(b"Which run?")
    terminal.until(b"some-model")
    terminal.press(key)
    assert terminal.end() == 0
    assert shown in terminal.shown
    assert (b"failed" in terminal.shown) == (key == b"\r")


@needs_view
def test_judge_without_a_run_lets_the_user_pick_one(tmp_path: Path) -> None:
    write_run(tmp_path / "one", [episode("right")])
    terminal = Terminal("judge", "--out", str(tmp_path))
    terminal.until(b"Which run?")
    terminal.press(b"\r")
    assert terminal.end() == 2
    assert b"only runs of oeg have a judge" in terminal.shown


@needs_view
def test_a_faulty_file_ends_it_with_one_line_and_exit_code_2(run: str) -> None:
    with (Path(run) / "episodes.jsonl").open("a") as stream:
        stream.write("nonsense\n")
    terminal = Terminal("trace", run)
    assert terminal.end() == 2
    after = terminal.shown.rpartition(BACK)[2]
    assert after.count(b"error: ") == 1
    assert b"line 3: " in after
    assert b"Traceback" not in terminal.shown


SIXEL, KITTY, BLOCKS = b"\x1bP0;0;0q", b",f=100,", "▀".encode()
KNOWS_SIXEL, KNOWS_NEITHER = b"\x1b[?62;4c", b"\x1b[?1;2c"
FRAME = "Realistic-Occlusion-Dataset/000000/7.webp"
KNOWS_KITTY = b"\x1b[?62c\x1b_Gi=1;OK\x1b\\"


def run_of_a_picture(results: Path) -> str:
    image = {"path": FRAME, "crop": None, "sha256": None}
    turns = [turn("right", image=image)]
    return str(write_run(results / "run", [episode(turns=turns)]).path)


@needs_view
@pytest.mark.parametrize(
    ("answers", "tmux", "drawn"),
    [
        (KNOWS_SIXEL, "", SIXEL),
        (KNOWS_KITTY, "", KITTY),
        (KNOWS_NEITHER, "", BLOCKS),
        (KNOWS_SIXEL, "/tmp/tmux,1,0", BLOCKS),
    ],
    ids=["sixel", "kitty", "neither", "tmux"],
)
def test_pictures_are_drawn_as_the_terminal_says_it_can(
    tmp_path: Path, answers: bytes, tmux: str, drawn: bytes
) -> None:
    terminal = Terminal("trace", run_of_a_picture(tmp_path), answers=answers, tmux=tmux)
    terminal.until(drawn)
    terminal.press(b"q")
    assert terminal.end() == 0
    assert [way for way in (SIXEL, KITTY, BLOCKS) if way in terminal.shown] == [drawn]


@needs_view
@pytest.mark.parametrize(("tmux", "drawn"), [("", SIXEL), ("/tmp/tmux,1,0", BLOCKS)])
def test_a_sheet_is_drawn_in_blocks_where_tmux_announces_graphics(
    tmp_path: Path, tmux: str, drawn: bytes
) -> None:
    sheet = ("data", "show", str(EMBEDDED), "--sample", "rod:0", "-o", str(tmp_path / "sheet.png"))
    terminal = Terminal(*sheet, answers=KNOWS_SIXEL, tmux=tmux)
    assert terminal.end() == 0
    assert [way for way in (SIXEL, KITTY, BLOCKS) if way in terminal.shown] == [drawn]


@needs_view
def test_in_a_vast_terminal_kitty_draws_as_large_as_it_can(tmp_path: Path) -> None:
    run = run_of_a_picture(tmp_path)
    terminal = Terminal("trace", run, answers=KNOWS_KITTY, size=(640, 140))
    terminal.until(KITTY)
    terminal.press(b"f")
    terminal.until(b",c=296,")
    terminal.press(b"qq")
    assert terminal.end() == 0


@pytest.mark.parametrize("options", [["--plain"], ["--json"], ["--turns"]])
def test_what_prints_opens_no_browser(run: str, options: list[str]) -> None:
    terminal = Terminal("trace", run, *options)
    assert terminal.end() == 0
    assert ALTERNATE_SCREEN not in terminal.shown
    assert b"rod" in terminal.shown


def test_without_the_extra_the_list_is_printed_and_the_extra_named(run: str) -> None:
    terminal = Terminal("trace", run, before="import sys; sys.modules['textual'] = None; ")
    assert terminal.end() == 0
    assert install_command("view").encode() in terminal.shown
    assert b"rod:1" in terminal.shown
    assert ALTERNATE_SCREEN not in terminal.shown


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    os.close(ends[0])


def test_into_a_pipe_the_list_is_printed_and_the_browser_mentioned(
    run: str, pipe: tuple[int, int]
) -> None:
    terminal = Terminal("trace", run, stdout=pipe[1])
    os.close(pipe[1])
    assert terminal.end() == 0
    assert b"opens a browser" in terminal.shown
    assert b"rod:1   wrong" in os.read(pipe[0], 65536)
