"""A loopback server with Chat Completions, behind which a script asks once and then answers."""

import base64
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@contextmanager
def fake_chat() -> Iterator[tuple[str, list[list[bytes]]]]:
    """Yields the base URL, and the pictures of each request."""
    seen: list[list[bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            whole = _completion(body, seen)
            answer = _streamed(whole) if body.get("stream") else json.dumps(whole).encode()
            self.send_response(200)
            kind = "text/event-stream" if body.get("stream") else "application/json"
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *words: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _completion(body: dict[str, Any], seen: list[list[bytes]]) -> dict[str, Any]:
    parts = [
        part
        for message in body["messages"]
        if isinstance(message.get("content"), list)
        for part in message["content"]
    ]
    seen.append([
        base64.b64decode(part["image_url"]["url"].partition(",")[2])
        for part in parts if part["type"] == "image_url"
    ])  # fmt: skip
    first = " ".join(part.get("text", "") for part in parts)
    if len(seen[-1]) == 1:
        call = {"name": "move_object", "arguments": {"direction": "left"}}
    else:
        found = re.search(r'answer\(category: "([^"]+)"', first)
        call = {"name": "answer", "arguments": {"category": found[1] if found else ""}}
    message = {"role": "assistant", "content": f"<tool_call>{json.dumps(call)}</tool_call>"}
    return {"id": "c", "object": "chat.completion", "created": 0, "model": body["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}  # fmt: skip


def _streamed(whole: dict[str, Any]) -> bytes:
    """Returns a completion as a stream of events."""
    (choice,) = whole["choices"]
    chunks = [
        {"index": 0, "delta": choice["message"], "finish_reason": None},
        {"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]},
    ]
    events = [
        whole | {"object": "chat.completion.chunk", "choices": [chunk], "usage": None}
        for chunk in chunks
    ]
    events.append(whole | {"object": "chat.completion.chunk", "choices": []})
    return "".join(f"data: {one}\n\n" for one in [*map(json.dumps, events), "[DONE]"]).encode()
