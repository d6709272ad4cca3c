"""A loopback server: a function answers each body that is posted."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@contextmanager
def answering(answer: Callable[[dict[str, Any]], dict[str, Any] | bytes]) -> Iterator[str]:
    """Yields the base URL. `answer` returns JSON, or the bytes of a stream of events."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found = answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            if isinstance(found, bytes):
                kind, content = "text/event-stream", found
            else:
                kind, content = "application/json", json.dumps(found).encode()
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *words: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
