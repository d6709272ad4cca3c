"""The process of a vLLM server: finding the program, starting it, waiting for it, ending it."""

import asyncio
import contextlib
import http.client
import json
import logging
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from proactive_agent.providers.api.keys import NAMES
from proactive_agent.providers.api.server import OWN_SERVER_KEY
from proactive_agent.providers.vllm import keeper
from proactive_agent.tools import UserError
from proactive_agent.tools.reading import clean
from proactive_agent.tools.secrets import redacted, register_secret

PROGRAM = "PROACTIVE_AGENT_VLLM"
"""Environment variable with the path of the program `vllm`, for example in another environment."""
KEY = "VLLM_API_KEY"
"""Environment variable from which vLLM reads the key that requests must carry."""
HOST = "127.0.0.1"
GRACE = 15.0
"""Seconds that the server gets to end by itself."""
LINES = 40
"""Lines of the server's log that are kept, and shown if it fails."""
LONGEST_LINE = 500
"""Characters of a line that are kept."""
NOTICE = 30.0
"""Seconds between two messages while the server starts."""
INTERVAL = 0.2
"""Seconds between two checks of a starting server."""

_log = logging.getLogger(__name__)


def find_program() -> Path | None:
    """Returns the path of `vllm`, or None if it is not installed. Raises UserError.

    Looks at PROACTIVE_AGENT_VLLM, then beside this Python, then on PATH.
    """
    if named := os.environ.get(PROGRAM):
        program = Path(named).expanduser().absolute()
        if not (program.is_file() and os.access(program, os.X_OK)):
            raise UserError(f"{PROGRAM}={named}: this file does not exist or cannot be executed")
        return program
    beside = shutil.which("vllm", path=sysconfig.get_path("scripts"))
    found = beside or shutil.which("vllm")
    return Path(found).absolute() if found else None


def require_program() -> Path:
    """Returns the path of `vllm`. Raises UserError with the ways to install it."""
    if sys.platform == "win32":
        raise UserError(
            "vLLM does not run on Windows; use WSL, or openai:MODEL@http://HOST:PORT/v1"
        )
    if program := find_program():
        return program
    raise UserError(
        "the program vllm was not found: install it with `pip install vllm` (see "
        "https://docs.vllm.ai for other hardware), or set "
        f"{PROGRAM} to its path in another environment"
    )


class VllmServer:
    """One server on a free port of the loopback interface, with a random key.

    A process between this one and the server ends the server when this process ends, see
    `keeper`. The server writes no file: its log is read from a pipe.
    """

    def __init__(self, name: str, arguments: Sequence[str]) -> None:
        """Prepares a server. `name` is the model's name in messages.

        `arguments` are those of `vllm`, without host and port.
        """
        self.name = name
        self.port = _free_port()
        self.key = secrets.token_urlsafe(32)
        self.version: str | None = None
        """The version that the server reports once it is ready."""
        self.seconds: float | None = None
        """Time until the server was ready."""
        self._arguments = [*arguments, "--host", HOST, "--port", str(self.port)]
        self._lines: deque[str] = deque(maxlen=LINES)
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None
        self._started = 0.0
        self._stopping = threading.Lock()

    @property
    def address(self) -> str:
        """Base URL of the server's Chat Completions."""
        return f"http://{HOST}:{self.port}/v1"

    @property
    def ended(self) -> bool:
        """Whether the server has been started and runs no longer."""
        return self._process is not None and self._process.poll() is not None

    def start(self) -> None:
        """Starts the server without waiting for it. Raises UserError if vLLM is not installed."""
        register_secret(self.key, KEY)
        program = require_program()
        # Without the site packages, the keeper starts in some 20 milliseconds.
        keeping = [sys.executable, "-I", "-S", keeper.__file__, str(GRACE)]
        self._started = time.monotonic()
        self._process = subprocess.Popen(
            [*keeping, str(program), *self._arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=_environment(os.environ, self.key),
            start_new_session=True,  # Ctrl-C in the terminal reaches only this process.
        )
        self._reader = threading.Thread(target=self._read, name="vllm log", daemon=True)
        self._reader.start()

    async def ready(self, patience: float) -> None:
        """Waits until the server answers. Raises UserError if it ends or takes too long.

        `patience` is the longest time since the start, in seconds. A server that takes longer is
        stopped.
        """
        notice = NOTICE
        while self.version is None:
            if self.ended:
                raise UserError(f"{self.name}: {self.failure()}")
            passed = time.monotonic() - self._started
            if passed > patience:
                await asyncio.to_thread(self.stop)
                raise UserError(
                    f"{self.name}: the vLLM server was not ready after {patience:g} s; "
                    f"raise this limit with --start-timeout SECONDS.{self._shown_log()}"
                )
            if passed > notice:
                last = self._lines[-1] if self._lines else "no log yet"
                # A warning, because these are shown unless the caller has set up logging.
                _log.warning("%s: starting for %.0f s: %s", self.name, passed, redacted(last))
                notice += NOTICE
            if not await asyncio.to_thread(self._is_healthy):
                await asyncio.sleep(INTERVAL)
                continue
            self.version = str((await self.ask("GET", "/version")).get("version", "unknown"))
            self.seconds = time.monotonic() - self._started
            _log.info("%s: ready after %.0f s", self.name, self.seconds)

    async def ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Asks one of the server's own routes. Returns {} if it has no such route."""
        return await asyncio.to_thread(self._ask, method, path, body)

    def failure(self) -> str:
        """Describes the end of the server, with the last lines of its log."""
        if self._reader is not None:
            self._reader.join(1.0)
        code = self._process.poll() if self._process else None
        cause = f"by signal {code - 128}" if code and code > 128 else f"with exit code {code}"
        return f"the vLLM server ended {cause}.{self._shown_log()}"

    def stop(self) -> None:
        """Ends the server and all its processes, and waits for their end."""
        with self._stopping:
            process, reader = self._process, self._reader
            if process is None or process.stdin is None or process.stdout is None:
                return
            with contextlib.suppress(OSError):
                process.stdin.close()  # The keeper ends the server now.
            try:
                process.wait(GRACE + keeper.PATIENCE + 5)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            if reader is not None:
                reader.join(1.0)
                if not reader.is_alive():
                    process.stdout.close()

    def _read(self) -> None:
        """Reads the log until its end, so that the server never waits for a reader."""
        if self._process is None or self._process.stdout is None:
            return
        for line in self._process.stdout:
            text = clean(line.decode("utf-8", "replace").rstrip())
            if text:
                self._lines.append(text[:LONGEST_LINE])
                # A server that is ready reports its load every few seconds.
                level = logging.INFO if self.version is None else logging.DEBUG
                _log.log(level, "%s: %s", self.name, self._lines[-1])

    def _shown_log(self) -> str:
        lines = "\n".join(list(self._lines))
        return f" The last lines of its log:\n{redacted(lines)}" if lines else " Its log is empty."

    def _is_healthy(self) -> bool:
        try:
            return self._exchange("GET", "/health", None)[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None) -> dict[str, Any]:
        try:
            status, content = self._exchange(method, path, body)
            found = json.loads(content) if status == 200 else {}
        except (OSError, http.client.HTTPException, ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def _exchange(
        self, method: str, path: str, body: Mapping[str, Any] | None
    ) -> tuple[int, bytes]:
        # Not urllib, which would send the request to the proxy of the environment.
        connection = http.client.HTTPConnection(HOST, self.port, timeout=30)
        try:
            headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
            connection.request(method, path, json.dumps(body) if body else None, headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


def _environment(inherited: Mapping[str, str], key: str) -> dict[str, str]:
    """The variables of the server: those of this process without the keys of other APIs."""
    left_out = {*NAMES.values(), OWN_SERVER_KEY}
    if inherited.get(PROGRAM):
        left_out.add("PYTHONPATH")  # The program belongs to another environment.
    kept = {name: value for name, value in inherited.items() if name not in left_out}
    return {"VLLM_NO_USAGE_STATS": "1", "PYTHONUNBUFFERED": "1", **kept, KEY: key}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
