"""Terminal interface for a human player (provider `human`).

Pictures are drawn if the terminal can, and always written to a file that an image viewer can open.
"""

import asyncio
import os
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

from PIL.Image import Image

from proactive_agent.terminal.console import messages, safe, show_picture


class TerminalDesk:
    """Writes texts and prompts to standard error and reads lines from standard input."""

    def __init__(self) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._pictures = 0
        self._unread = b""

    def show_text(self, text: str) -> None:
        """Prints untrusted text."""
        messages.print(safe(text), soft_wrap=True)

    def show_picture(self, picture: Image) -> None:
        """Draws a picture, writes it to a file, and prints the file's path."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="proactive-agent-")
        self._pictures += 1
        # The name is the same in each turn, so that an open viewer shows the new picture.
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
        """Prints a prompt and reads a line; returns None at the end of the input."""
        self._pictures = 0
        messages.print(prompt, end="", markup=False, soft_wrap=True)
        loop = asyncio.get_running_loop()
        line = loop.create_future()

        def answer(text: str | None) -> None:
            if not line.done():
                line.set_result(text)

        def read() -> None:
            text = self._read_line()
            with suppress(RuntimeError):  # The loop is closed.
                loop.call_soon_threadsafe(answer, text)

        # A daemon thread, so that an interrupted program does not wait for one more line.
        threading.Thread(target=read, name="stdin", daemon=True).start()
        text: str | None = await line
        return text

    def close(self) -> None:
        """Deletes the picture files."""
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _read_line(self) -> str | None:
        # `sys.stdin` is not used: a thread waiting in it holds a lock that Python needs to exit.
        while b"\n" not in self._unread:
            chunk = os.read(sys.stdin.fileno(), 4096)
            if not chunk:
                break
            self._unread += chunk
        line, newline, self._unread = self._unread.partition(b"\n")
        return line.decode("utf-8", "replace") if line or newline else None
