"""A program with the command line and the routes of vLLM that misbehaves on demand.

    FAKE_VLLM='{"after": 3}' python fake_vllm.py serve MODEL --port=8000

It is a real server in a process, with a child process, as vLLM has. It uses the standard library
only. FAKE_VLLM is a JSON object; see `Behaviour`.
"""

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Behaviour:
    """How the program behaves."""

    healthy_after: int = 0
    """Number of requests to `/health` that fail first; -1 lets all fail."""
    fails: str = ""
    """The program writes this and ends with exit code 3."""
    dies_at: int = 0
    """The chat request, counted from 1, at which the program ends without a reply; 0 for none."""
    stubborn: bool = False
    """Whether the program and its child ignore SIGTERM."""
    takes_tools: bool = True
    """Whether the chat template shows tools."""
    reply: str = "A"
    """The text of every reply."""
    record: str = ""
    """File to which the process ids, the arguments, the key, and the requests are written."""


def main() -> None:
    """Runs the server until it is killed."""
    behaviour = Behaviour(**json.loads(os.environ.get("FAKE_VLLM", "{}")))
    print(f"INFO fake vLLM {' '.join(sys.argv[1:])}", flush=True)
    if behaviour.fails:
        print(behaviour.fails, flush=True)
        sys.exit(3)
    ignore = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    if behaviour.stubborn:
        import signal

        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # In its own session, as a process that escapes the group of the server.
    code = (ignore if behaviour.stubborn else "") + "import time\nwhile True: time.sleep(60)"
    child = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    port = int(sys.argv[sys.argv.index("--port") + 1])
    server = FakeEngine(("127.0.0.1", port), behaviour)
    server.note(
        pids=[os.getpid(), child.pid],
        arguments=sys.argv[1:],
        key=os.environ.get("VLLM_API_KEY"),
        others=sorted(name for name in os.environ if name.endswith("_API_KEY")),
    )
    server.serve_forever()


class FakeEngine(ThreadingHTTPServer):
    """The server, with the number of requests that it has had."""

    def __init__(self, address: tuple[str, int], behaviour: Behaviour) -> None:
        super().__init__(address, _Routes)
        self.behaviour = behaviour
        self.health = 0
        self.chats = 0
        self.lock = threading.Lock()

    def note(self, **facts: Any) -> None:
        """Appends facts to the record."""
        if self.behaviour.record:
            with self.lock, Path(self.behaviour.record).open("a", encoding="utf-8") as file:
                file.write(json.dumps(facts) + "\n")


class _Routes(BaseHTTPRequestHandler):
    server: FakeEngine
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/version":
            self._send(200, {"version": "0.99.0"})
            return
        self.server.health += 1
        late = self.server.behaviour.healthy_after
        self._send(503 if late < 0 or self.server.health <= late else 200, {})

    def do_POST(self) -> None:
        size = int(self.headers["Content-Length"])
        body = json.loads(self.rfile.read(size))
        behaviour = self.server.behaviour
        if self.path == "/tokenize":
            shown = bool(body.get("tools")) and behaviour.takes_tools
            self._send(200, {"tokens": [1, 2, 3] if shown else [1]})
            return
        if self.headers["Authorization"] != f"Bearer {os.environ['VLLM_API_KEY']}":
            self._send(401, {"error": "Unauthorized"})
            return
        with self.server.lock:
            self.server.chats += 1
            number = self.server.chats
        self.server.note(body=body)
        if number == behaviour.dies_at:
            print("ERROR the engine core died", flush=True)
            os._exit(1)
        while behaviour.dies_at and number > behaviour.dies_at:
            time.sleep(1)  # A request at the moment of the end gets no reply.
        message = {"role": "assistant", "content": behaviour.reply}
        self._send(
            200,
            {
                "model": body["model"],
                "choices": [{"message": message, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 5, "completion_tokens": 1},
            },
        )

    def _send(self, status: int, value: object) -> None:
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Writes nothing."""


if __name__ == "__main__":
    main()
