"""The process of a vLLM server: finding the program, starting it, waiting for it, ending it."""

import asyncio
import http.client
import json
import logging
import os
import secrets
import shutil
import socket
import sys
import sysconfig
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from proactive_agent.providers.kept_process import KeptProcess, environment_without_keys
from proactive_agent.tools import UserError
from proactive_agent.tools.secrets import register_secret

PROGRAM = "PROACTIVE_AGENT_VLLM"
"""Environment variable with the path of the program `vllm`, for example in another environment."""
KEY = "VLLM_API_KEY"
"""Environment variable from which vLLM reads the key that requests must carry."""
HOST = "127.0.0.1"
GRACE = 15.0
"""Seconds that the server gets to end by itself."""
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

    The server ends when this process ends, see `KeptProcess`. It writes no file.
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
        self._process = KeptProcess(name, "the vLLM server")
        self._started = 0.0

    @property
    def address(self) -> str:
        """Base URL of the server's Chat Completions."""
        return f"http://{HOST}:{self.port}/v1"

    @property
    def ended(self) -> bool:
        """Whether the server has been started and runs no longer."""
        return self._process.ended

    def start(self) -> None:
        """Starts the server without waiting for it. Raises UserError if vLLM is not installed."""
        register_secret(self.key, KEY)
        program = require_program()
        self._started = time.monotonic()
        command = [str(program), *self._arguments]
        self._process.start(command, _environment(os.environ, self.key), grace=GRACE)

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
                    f"raise this limit with --start-timeout SECONDS.{self._process.shown_log()}"
                )
            if passed > notice:
                last = self._process.last_line or "no log yet"
                # A warning, because these are shown unless the caller has set up logging.
                _log.warning("%s: starting for %.0f s: %s", self.name, passed, last)
                notice += NOTICE
            if not await asyncio.to_thread(self._is_healthy):
                await asyncio.sleep(INTERVAL)
                continue
            self.version = str((await self.ask("GET", "/version")).get("version", "unknown"))
            self.seconds = time.monotonic() - self._started
            # A server that is ready reports its load every few seconds.
            self._process.level = logging.DEBUG
            _log.info("%s: ready after %.0f s", self.name, self.seconds)

    async def ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Asks one of the server's own routes. Returns {} if it has no such route."""
        return await asyncio.to_thread(self._ask, method, path, body)

    def failure(self) -> str:
        """Describes the end of the server, with the last lines of its log."""
        return self._process.failure()

    def stop(self) -> None:
        """Ends the server and all its processes, and waits for their end."""
        self._process.stop()

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
    """The variables of the server."""
    kept = environment_without_keys(inherited)
    if kept.get(PROGRAM):
        kept.pop("PYTHONPATH", None)  # The program belongs to another environment.
    return {"VLLM_NO_USAGE_STATS": "1", "PYTHONUNBUFFERED": "1", **kept, KEY: key}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
