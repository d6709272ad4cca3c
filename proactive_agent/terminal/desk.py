"""The terminal as the desk of a person who plays a model.

Pictures are drawn where the terminal can, and always written to a file to be opened beside it.
"""

import asyncio
import os
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

from PIL.Image import Image

from proactive_agent.terminal.console import messages, safe
from proactive_agent.terminal.picture import show_picture


class TerminalDesk:
    """Texts and prompts go to standard error, lines come from standard input."""

    def __init__(self) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._pictures = 0
        self._unread = b""

    def show_text(self, text: str) -> None:
        """Shows text of whatever origin."""
        messages.print(safe(text), soft_wrap=True)

    def show_picture(self, picture: Image) -> None:
        """Draws a picture, writes it to a file, and says where that is."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="proactive-agent-")
        self._pictures += 1
        # The same name in each turn: a viewer that is open shows what is new.
        number = f"-{self._pictures}" if self._pictures > 1 else ""
        file = Path(self._folder.name, f"picture{number}.png")
        partial = file.with_suffix(".tmp")
        picture.save(partial, "PNG")
        partial.replace(file)
        show_picture(picture)
        messages.print(
            f"picture: {file}  {picture.width} x {picture.height}", markup=False, soft_wrap=True
        )

    async def ask(self, prompt: str) -> str | None:
        """A line from standard input; None at its end."""
        self._pictures = 0
        messages.print(prompt, end="", markup=False, soft_wrap=True)
        loop = asyncio.get_running_loop()
        line = loop.create_future()

        def answer(text: str | None) -> None:
            if not line.done():
                line.set_result(text)

        def read() -> None:
            text = self._read_line()
            with suppress(RuntimeError):  # The loop is closed: nobody waits any more.
                loop.call_soon_threadsafe(answer, text)

        # A daemon: a program that is interrupted must not wait for one more line.
        threading.Thread(target=read, name="stdin", daemon=True).start()
        text: str | None = await line
        return text

    def close(self) -> None:
        """Removes the pictures."""
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _read_line(self) -> str | None:
        # Not through `sys.stdin`: a thread that waits there holds a lock that Python's end needs.
        while b"\n" not in self._unread:
            chunk = os.read(sys.stdin.fileno(), 4096)
            if not chunk:
                break
            self._unread += chunk
        line, newline, self._unread = self._unread.partition(b"\n")
        return line.decode("utf-8", "replace") if line or newline else None
