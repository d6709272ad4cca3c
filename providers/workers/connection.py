"""The connection to Ray: to a cluster, or to Ray on this machine, which the program starts.

Ray on this machine listens on the loopback interface only and asks for a random token. It has no
dashboard and reports no usage. It ends with this process, however that ends, and its folder for
temporary files is deleted (see `KeptProcess`).
"""

import contextlib
import logging
import os
import re
import secrets
import site
import socket
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from proactive_agent.disk.regular_file import read_regular_text
from proactive_agent.providers.kept_process import KeptProcess, environment_without_keys
from proactive_agent.providers.workers.address import AUTO, cluster_name, host_and_port
from proactive_agent.providers.workers.worker import program_root
from proactive_agent.tools import MissingExtraError, UserError
from proactive_agent.tools.secrets import register_secret

HOST = "127.0.0.1"
START_SECONDS = 300.0
"""The longest time that Ray on this machine may take to start."""
STARTS = 3
"""Attempts to start Ray on a busy machine."""
SLOW = "timed out during startup"
"""A part of the message with which Ray gives up because the machine is busy."""
TELLING = re.compile(r"\[exit code=| [EFC] \d+ \d+\] ")
"""Found in the lines of its log that explain the end of Ray: the process that ended, and errors.
Most other lines report its state."""
NONE_FOUND = "Could not find any running Ray instance"
"""A part of the message of Ray for `auto` if there is no cluster."""
CONNECT_SECONDS = 10.0
"""The longest time until the address of a cluster answers."""
INIT_SECONDS = 120.0
"""The longest time until this process is connected to Ray."""
END_SECONDS = 20.0
"""The longest time until this process is disconnected from Ray."""
INTERVAL = 0.1
"""Seconds between two checks of a starting Ray."""
GRACE = 0.0 if sys.platform == "linux" else 10.0
"""Seconds that Ray gets to end by itself. On Linux its processes can be ended without it."""
OBJECT_STORE_BYTES = 200 * 2**20
"""Memory for pictures and large requests on this machine. Most pictures travel as paths."""
LONGEST_FOLDER = 30
"""Characters of a temporary folder. Ray's sockets in it have long names, and the limit is 107."""
TOKEN = "RAY_AUTH_TOKEN"  # noqa: S105
"""Environment variable from which Ray reads the token that connections must carry."""

_log = logging.getLogger(__name__)


class RayConnection:
    """One use of Ray by a model. All models of this process share the connection."""

    def __init__(self, address: str | None) -> None:
        self.address = address
        """The address of a cluster; None for Ray on this machine."""

    @property
    def is_cluster(self) -> bool:
        """Whether the workers may be on other machines."""
        return self.address is not None

    def size(self) -> tuple[int, int]:
        """The numbers of GPUs and of machines that Ray has now."""
        ray = _import_ray()
        machines = sum(1 for node in ray.nodes() if node["Alive"])
        return int(ray.cluster_resources().get("GPU", 0)), max(1, machines)

    def failure(self) -> str:
        """Describes the end of Ray on this machine; empty while it runs, and for a cluster."""
        return "" if self.is_cluster else _shared.failure()

    def close(self) -> None:
        """Ends this use. When no use is left, disconnects and ends Ray on this machine."""
        _shared.leave(self)


def connect(address: str | None, abandoned: Callable[[], bool]) -> RayConnection:
    """Connects to a cluster, or starts Ray on this machine if `address` is None.

    Raises UserError if Ray does not start or answer, and MissingExtraError without the library.
    `abandoned` returns whether nothing waits for the connection any more.
    """
    if address is not None:
        host_and_port(address)
    try:
        _import_ray()
    except ModuleNotFoundError:
        raise MissingExtraError("ray", "--workers" if address is None else "--ray") from None
    connection = RayConnection(address)
    _shared.join(connection, abandoned)
    return connection


class _Shared:
    """The connection of this process, with the models that use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users: set[RayConnection] = set()
        self._address: str | None = None
        self._process: KeptProcess | None = None
        self._foreign = False
        """Whether other code made the connection, and therefore ends it."""

    def join(self, connection: RayConnection, abandoned: Callable[[], bool]) -> None:
        ray = _import_ray()
        with self._lock:
            if self._users and not ray.is_initialized():
                raise UserError("the connection to Ray was closed by other code of this process")
            if self._users and connection.address != self._address:
                raise UserError(
                    f"this process uses {_named(self._address)}, and cannot use "
                    f"{_named(connection.address)} at the same time"
                )
            if not self._users:
                self._open(connection.address, abandoned)
                self._address = connection.address
            self._users.add(connection)

    def leave(self, connection: RayConnection) -> None:
        with self._lock:
            if connection in self._users:
                self._users.remove(connection)
                if not self._users:
                    self._close()

    def failure(self) -> str:
        process = self._process
        return process.failure() if process is not None and process.ended else ""

    def _open(self, address: str | None, abandoned: Callable[[], bool]) -> None:
        self._foreign = _import_ray().is_initialized()
        if self._foreign:
            return
        if address is not None:
            _check_reachable(address)
            try:
                _init(address, {}, abandoned)
            except UserError:
                raise
            except Exception as error:  # Ray raises many types.
                raise UserError(_why_unconnected(address, error)) from None
            return
        try:
            self._start(abandoned)
        except BaseException:
            self._close()
            raise

    def _start(self, abandoned: Callable[[], bool]) -> None:
        """Starts Ray on this machine and connects to it. Raises UserError."""
        # A warning, because these are shown unless the caller has set up logging.
        _log.warning("starting Ray on this machine, which takes some ten seconds")
        for left in reversed(range(STARTS)):
            folder = _short_temporary_folder()
            self._process = KeptProcess("Ray", "Ray")
            self._process.level = logging.DEBUG
            self._process.start(_command(folder), _environment(), grace=GRACE, folder=folder)
            if self._is_ready(folder / "ray_current_cluster", abandoned):
                self._process.keep_only(TELLING)
                return
            # On a busy machine, Ray can give up after 30 seconds.
            if not left or SLOW not in self._process.shown_log():
                raise UserError(f"Ray does not start: {self._process.failure()}")
            self._process.stop()

    def _is_ready(self, file: Path, abandoned: Callable[[], bool]) -> bool:
        """Connects to Ray, which writes its address into a file. Returns False if it ends.

        Raises UserError if it takes too long.
        """
        process = self._process
        deadline = time.monotonic() + START_SECONDS
        reason = ""
        while process is not None and not process.ended:
            if abandoned():
                raise UserError("the start of Ray was interrupted")
            if time.monotonic() > deadline:
                log = process.shown_log()
                raise UserError(f"Ray was not ready after {START_SECONDS:g} s{reason}.{log}")
            with contextlib.suppress(OSError):
                if address := read_regular_text(file).strip():
                    try:
                        _init(address, {"RAY_AUTH_MODE": "token", TOKEN: _token()}, abandoned)
                        return True
                    except UserError:
                        raise
                    except Exception as error:  # It may not be ready yet.
                        reason = f" ({error})"
            time.sleep(INTERVAL)
        return False

    def _close(self) -> None:
        if not self._foreign:
            # In a thread, because it takes minutes if Ray does not answer.
            thread = threading.Thread(target=_disconnect, name="end of Ray", daemon=True)
            thread.start()
            thread.join(END_SECONDS)
        process, self._process = self._process, None
        if process is not None:
            process.stop()


def _disconnect() -> None:
    with contextlib.suppress(Exception):
        _import_ray().shutdown()


_shared = _Shared()
_process_token: list[str] = []


def _token() -> str:
    # Ray reads the token once per process.
    if not _process_token:
        _process_token.append(secrets.token_hex(32))
        register_secret(_process_token[0], TOKEN)
    return _process_token[0]


def _named(address: str | None) -> str:
    return "Ray on this machine" if address is None else cluster_name(address)


def _why_unconnected(address: str, error: Exception) -> str:
    """Explains an error of Ray. Its advice for `auto` names an option that is not ours."""
    reason = str(error).partition("\n")[0] or type(error).__name__
    if address == AUTO and NONE_FOUND in reason:
        return (
            "--ray auto: no Ray cluster runs on this machine; start one with `ray start --head`, "
            "name another one with --ray HOST:PORT, or use --workers N"
        )
    return f"--ray {address}: no connection to a Ray cluster ({reason})"


def _import_ray() -> Any:
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    import ray

    return ray


_QUIET: Mapping[str, str] = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # Ray would start workers with `uv run` in a copy of the working directory.
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    # Ray would print a stack trace when it gets SIGTERM.
    "RAY_DISABLE_FAILURE_SIGNAL_HANDLER": "1",
    # Ray would print the deaths of workers on the standard output. They are logged here.
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",
}
"""Variables that Ray reads when it is imported."""


def _command(folder: Path) -> list[str]:
    return [
        sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block",
        "--port=0", f"--node-ip-address={HOST}", f"--temp-dir={folder}",
        "--num-cpus=0", "--num-gpus=0", f"--object-store-memory={OBJECT_STORE_BYTES}",
        "--include-dashboard=false", "--disable-usage-stats", "--include-log-monitor=false",
        "--no-monitor",
    ]  # fmt: skip


def _environment() -> dict[str, str]:
    inherited = environment_without_keys(os.environ)
    # An inherited address of a cluster must not redirect Ray on this machine.
    kept = {name: value for name, value in inherited.items() if name != "RAY_ADDRESS"}
    return {
        **kept,
        **_QUIET,
        **python_path(kept.get("PYTHONPATH")),
        # Without it, Ray listens on all interfaces.
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        # By default, Ray gives workers a low priority, although they do most of the work.
        "RAY_worker_niceness": "0",
        "RAY_AUTH_MODE": "token",
        TOKEN: _token(),
        "PYTHONUNBUFFERED": "1",
    }


def python_path(others: str | None) -> dict[str, str]:
    """The PYTHONPATH with which another process imports the same files of this program.

    Empty if it is installed, because its folder is then searched anyway. `others` are further
    folders.
    """
    root = program_root()
    installed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    installed.update([site.getusersitepackages()], site.getsitepackages())
    if root in {Path(folder).resolve() for folder in installed if folder}:
        return {}
    return {"PYTHONPATH": os.pathsep.join(filter(None, (str(root), others)))}


def _check_reachable(address: str) -> None:
    """Raises UserError if nothing listens at the address, for which Ray would wait for minutes."""
    place = host_and_port(address)
    if place is None:
        return
    try:
        socket.create_connection(place, timeout=CONNECT_SECONDS).close()
    except OSError as error:
        raise UserError(
            f"--ray {address}: nothing answers at this address ({error}); is the cluster started?"
        ) from None


def _init(address: str, variables: Mapping[str, str], abandoned: Callable[[], bool]) -> None:
    """Connects this process to Ray. Raises the errors of Ray, and UserError if it takes too long.

    A thread connects, because the connection cannot be interrupted.
    """
    ended: list[BaseException | None] = []

    def run() -> None:
        ray = _import_ray()
        try:
            with _variables(variables), _quiet(), _loopback(on=bool(variables)):
                ray._raylet.Config.initialize("")  # Ray has read the variables at its import.
                ray.init(address=address, log_to_driver=False, configure_logging=False)
        except BaseException as error:
            ended.append(error)
        else:
            ended.append(None)

    thread = threading.Thread(target=run, name="connection to Ray", daemon=True)
    thread.start()
    deadline = time.monotonic() + INIT_SECONDS
    while not ended:
        thread.join(INTERVAL)
        if abandoned():
            raise UserError("the connection to Ray was interrupted")
        if time.monotonic() > deadline:
            raise UserError(f"Ray at {address} did not answer within {INIT_SECONDS:g} s")
    if ended[0] is not None:
        raise ended[0]


@contextlib.contextmanager
def _variables(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Suppresses Ray's warnings, for example that only the main thread sets signal handlers."""
    logger = logging.getLogger("ray")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


@contextlib.contextmanager
def _loopback(*, on: bool) -> Iterator[None]:
    """Keeps Ray from listening on other interfaces in this process."""
    from ray._private import ray_constants

    before = getattr(ray_constants, "ENABLE_RAY_CLUSTER", None)
    if on and before is not None:
        ray_constants.ENABLE_RAY_CLUSTER = False
    try:
        yield
    finally:
        if on and before is not None:
            ray_constants.ENABLE_RAY_CLUSTER = before


def _short_temporary_folder() -> Path:
    parent = tempfile.gettempdir()
    if len(parent) > LONGEST_FOLDER:
        parent = "/tmp"  # noqa: S108
    return Path(tempfile.mkdtemp(prefix="proactive-ray-", dir=parent))
