"""Real servers of other projects, run locally: `transformers serve` and the litellm proxy."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import CACHE

PROXY_KEY = "sk-key-of-the-proxy"
MODEL = "tiny"
START_SECONDS = 180.0
PROXY = ("litellm[proxy]>=1.80",)


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
    program = _proxy_environment() / "bin" / "litellm"
    command = [str(program), "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    settings = {"LITELLM_MASTER_KEY": PROXY_KEY, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    with _running(command, port, "/health/liveliness", folder / "proxy.log", **settings):
        yield f"http://127.0.0.1:{port}"


def _proxy_environment() -> Path:
    """A virtual environment for the proxy, made once, because it needs other library versions."""
    folder = CACHE / "litellm-proxy"
    ready = folder / "ready"
    if not ready.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", *PROXY]
        done = subprocess.run(pip, capture_output=True, text=True, timeout=900, check=False)
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["pip says nothing"])[-1]
            pytest.skip(f"the litellm proxy cannot be installed: {reason}")
        ready.touch()
    return folder


@contextmanager
def _running(
    command: Sequence[str], port: int, path: str, log: Path, **settings: str
) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env={**os.environ, **settings}
        )
        try:
            _wait_until_ready(process, f"http://127.0.0.1:{port}{path}", log)
            yield
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
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
    raise AssertionError(f"{url} does not answer:\n{log.read_text()[-4000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
