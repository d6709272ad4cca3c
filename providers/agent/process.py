"""The process of an agent. Each episode gets a fresh one; its descendants end with it."""

import asyncio
import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from proactive_agent.providers import keeper
from proactive_agent.providers.api.keys import environment
from proactive_agent.tools import UserError
from proactive_agent.tools.reading import clean

GRACE = 2.0
"""Seconds that an agent gets to end after SIGTERM."""
LONGEST_OUTPUT = 2**20
"""Bytes of the standard output that are kept, from its beginning."""
LONGEST_ERRORS = 2000
"""Bytes of the standard error that are kept, from its end."""
DRAIN = 2.0
"""Seconds to read the rest of the output after the end."""

PASSED = frozenset({
    "HOME", "LANG", "LANGUAGE", "LOGNAME", "PATH", "SHELL", "SSL_CERT_DIR", "SSL_CERT_FILE", "TERM",
    "TMPDIR", "TZ", "USER", "VIRTUAL_ENV",
})  # fmt: skip
"""Variables that every agent gets. Keys are not among them."""


def agent_environment(also: Iterable[str], directory: Path) -> dict[str, str]:
    """Returns the variables of an agent: the harmless ones, and those that `also` names.

    Raises UserError for a variable that is not set.
    """
    known = environment()
    passed = {n: v for n, v in os.environ.items() if n in PASSED or n.startswith("LC_")}
    for name in also:
        if name not in known:
            raise UserError(
                f"--agent-env {name}: this variable is set neither in the environment nor in .env"
            )
        passed[name] = known[name]
    here = f"{passed.get('NO_PROXY', passed.get('no_proxy', ''))},127.0.0.1,localhost".strip(",")
    return {**passed, "PWD": str(directory), "NO_PROXY": here, "no_proxy": here}


class AgentProcess:
    """A command with its own process group and its own empty working directory.

    When this program ends, also after `kill -9`, a keeper (see `providers/keeper.py`) ends the
    agent and its descendants, and deletes the directory.
    """

    def __init__(self, also: Sequence[str] = ()) -> None:
        """`also` names variables that the agent gets in addition to the harmless ones."""
        self.directory = Path(tempfile.mkdtemp(prefix="agent-"))
        self.exit_code: int | None = None
        self.output = b""
        """The standard output, once the agent has ended."""
        self._also = also
        self._errors = b""
        self._process: asyncio.subprocess.Process | None = None
        self._ended: asyncio.Task[None] | None = None

    async def start(self, command: Sequence[str]) -> None:
        """Starts the agent. Raises UserError for a variable that is not set."""
        variables: Mapping[str, str] = agent_environment(self._also, self.directory)
        self._process = await asyncio.create_subprocess_exec(
            *[sys.executable, "-I", "-S", keeper.__file__, keeper.LEAVE_RESULTS, str(GRACE)],
            str(self.directory),
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=self.directory,
            env=variables,
            start_new_session=True,  # Ctrl-C in the terminal reaches only this program.
        )
        self._ended = asyncio.create_task(self._follow(self._process))

    async def wait(self, seconds: float | None = None) -> bool:
        """Waits until the agent has ended. Returns whether it has, after at most `seconds`."""
        if self._ended is None:
            return True
        await asyncio.wait([self._ended], timeout=seconds)
        return self._ended.done()

    async def stop(self) -> None:
        """Ends the agent with all processes that it started, and removes its directory."""
        process, ended = self._process, self._ended
        if process is not None and ended is not None:
            if process.stdin is not None:
                process.stdin.close()  # The keeper ends the agent now.
            if not await self.wait(GRACE + keeper.PATIENCE + DRAIN):
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await self.wait(DRAIN)
            ended.cancel()
        await asyncio.to_thread(shutil.rmtree, self.directory, ignore_errors=True)

    def abandon(self) -> None:
        """Lets the keeper end the agent, without waiting for it."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def failure(self) -> str:
        """Describes how the agent ended, with the last part of its standard error."""
        code = self.exit_code or 0
        how = f"was ended by signal {code - 128}" if code > 128 else f"ended with exit code {code}"
        shown = (self._errors or self.output[-LONGEST_ERRORS:]).decode("utf-8", "replace")
        return f"the agent {how}" + (f": {clean(shown).strip()}" if shown.strip() else "")

    async def _follow(self, process: asyncio.subprocess.Process) -> None:
        readers = [
            asyncio.create_task(self._read_output(process.stdout)),
            asyncio.create_task(self._read_errors(process.stderr)),
        ]
        try:
            self.exit_code = await process.wait()
            # A process that left the group may hold the pipe open.
            await asyncio.wait(readers, timeout=DRAIN)
        finally:
            for reader in readers:
                reader.cancel()

    async def _read_output(self, stream: asyncio.StreamReader | None) -> None:
        # Everything is read, so that a full pipe never blocks the agent.
        while stream and (chunk := await stream.read(65536)):
            self.output += chunk[: LONGEST_OUTPUT - len(self.output)]

    async def _read_errors(self, stream: asyncio.StreamReader | None) -> None:
        while stream and (chunk := await stream.read(65536)):
            self._errors = (self._errors + chunk)[-LONGEST_ERRORS:]
