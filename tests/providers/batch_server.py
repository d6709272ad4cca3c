"""A server with the batch APIs of OpenAI and Anthropic, which counts everything that is paid for.

It is independent of the program under test: it uses the standard library only. Results come in
reverse order. Fields of `BatchServer` choose what goes wrong.
"""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.providers import hostile_replies as replies

Body = dict[str, Any]
FAILURES = ("expired", "canceled", "refused", "broken")
"""Fates of requests that cost nothing."""
Fate = Callable[["Asked"], str]


@dataclass(frozen=True)
class Asked:
    """A request of a batch."""

    custom_id: str
    path: str
    body: Body
    batch: int
    """Number of its batch, from 0."""
    index: int
    """Number within its batch, from 0."""


@dataclass
class Batch:
    """A batch that was submitted."""

    id: str
    items: list[Asked]
    metadata: Body
    created: float = field(default_factory=time.time)
    polls: int = 0
    failure: Body | None = None
    """The error of the whole batch, if it fails in validation."""
    cancelled: bool = False


@dataclass
class BatchServer:
    """Serves on a free local port, in threads."""

    polls: int = 1
    """Number of polls of a batch before the one at which it has ended."""
    fate: Fate = lambda asked: "ok"
    """`ok`, `expired`, `canceled`, `missing`, `twice`, `torn`, `unknown`, `refused …` (HTTP
    400 with this message), `broken` (HTTP 500), or `reply …` for a reply with this text."""
    refusals: list[str] = field(default_factory=list)
    """Codes with which the next batches fail in validation, at OpenAI."""
    troubles: list[int] = field(default_factory=list)
    """HTTP statuses of the next submissions. 0 accepts the batch and sends no reply."""
    cuts: list[int] = field(default_factory=list)
    """Numbers of bytes after which the next files with results are cut off."""
    most_items: int = 10**9
    """Most requests in a batch of Anthropic."""
    has_batches: bool = True
    name: str = "batch_{}"
    """Ids of batches, with {} for the number."""
    batches: list[Batch] = field(default_factory=list)
    ordinary: list[Body] = field(default_factory=list)
    """Bodies of requests at the full price."""
    uploads: dict[str, bytes] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    port: int = 0

    @property
    def url(self) -> str:
        """The address with the version path that OpenAI's SDK expects."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def submitted(self) -> Counter[str]:
        """How often each request was submitted, by its id."""
        return Counter(one.custom_id for batch in self.batches for one in batch.items)

    @property
    def billed(self) -> int:
        """Number of requests of batches that cost money: those with a reply."""
        return sum(
            not self.fate(one).startswith(FAILURES)
            for batch in self.batches
            if batch.failure is None
            for one in batch.items
        )

    @contextmanager
    def running(self) -> Iterator["BatchServer"]:
        """Runs the server until the block ends."""
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                owner._handle(self, "GET", b"")

            def do_POST(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                owner._handle(self, "POST", self.rfile.read(length))

            def log_message(self, format: str, *args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that was killed has closed its connection."""

        with Server(("127.0.0.1", self.port), Handler) as server:
            self.port = server.server_address[1]
            self._lock = threading.Lock()
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            try:
                yield self
            finally:
                server.shutdown()
                thread.join()

    def _handle(self, request: BaseHTTPRequestHandler, method: str, content: bytes) -> None:
        with self._lock:
            status, answer, cut = self._answer(request, method, content)
        if answer is None:
            request.close_connection = True
            request.connection.close()
            return
        request.send_response(status)
        request.send_header("content-type", "application/json")
        request.send_header("content-length", str(len(answer)))
        request.end_headers()
        request.wfile.write(answer[:cut])
        if cut is not None:
            request.close_connection = True

    def _answer(
        self, request: BaseHTTPRequestHandler, method: str, content: bytes
    ) -> tuple[int, bytes | None, int | None]:
        parts = urlsplit(request.path)
        path, query = parts.path, parse_qs(parts.query)
        self.calls[f"{method} {path}"] += 1
        if not self.has_batches and ("batches" in path or "files" in path):
            return 404, b'{"error": {"message": "Not Found"}}', None
        if path == "/v1/files":
            return 200, _json(self._upload(content)), None
        if method == "POST" and path.endswith("/batches"):
            return self._submit(path, json.loads(content))
        if path.endswith("/batches"):
            found = [self._shown(one, path) for one in reversed(self.batches)]
            after = (query.get("after") or query.get("after_id") or [""])[0]
            ids = [one["id"] for one in found]
            found = found[ids.index(after) + 1 if after else 0 :]
            limit = int(query["limit"][0])
            return 200, _json({"data": found[:limit], "has_more": len(found) > limit}), None
        if path.endswith(("/content", "/results")):
            cut = self.cuts.pop(0) if self.cuts else None
            return 200, self._results(path), cut
        if "/batches/" in path and not self._has(path.rsplit("/", 1)[1]):
            return 404, b'{"error": {"message": "No such batch"}}', None
        if "/batches/" in path:
            batch = self._batch(path.rsplit("/", 1)[1])
            batch.polls += 1
            return 200, _json(self._shown(batch, path)), None
        body = json.loads(content)
        self.ordinary.append(body)
        return 200, _json(replies.reply(path, body)), None

    def _upload(self, content: bytes) -> Body:
        """Reads a multipart form, whose file has one request in each line."""
        start = content.index(b"\r\n\r\n", content.index(b"filename=")) + 4
        name = f"file-{len(self.uploads)}"
        self.uploads[name] = content[start : content.index(b"\r\n--", start)]
        return {"id": name, "object": "file", "purpose": "batch"}

    def _submit(self, path: str, body: Body) -> tuple[int, bytes | None, int | None]:
        trouble = self.troubles.pop(0) if self.troubles else 200
        if trouble not in (0, 200):
            return trouble, _json({"error": {"type": "error", "message": "trouble"}}), None
        number = len(self.batches)
        if "requests" in body:
            if len(body["requests"]) > self.most_items:
                error = {"type": "request_too_large", "message": "Request is too large."}
                return 413, _json({"type": "error", "error": error}), None
            given = [(one["custom_id"], "/v1/messages", one["params"]) for one in body["requests"]]
        else:
            lines = self.uploads[body["input_file_id"]].splitlines()
            read = [json.loads(line) for line in lines]
            given = [(one["custom_id"], one["url"], one["body"]) for one in read]
            assert {one["url"] for one in read} == {body["endpoint"]}
        items = [Asked(*one, number, index) for index, one in enumerate(given)]
        assert len({one.custom_id for one in items}) == len(items)
        made = Batch(self.name.format(number), items, body.get("metadata", {}))
        if self.refusals and "requests" not in body and (code := self.refusals.pop(0)):
            made.failure = {"code": code, "message": f"told: {code}", "line": None}
        self.batches.append(made)
        return 200, None if trouble == 0 else _json(self._shown(made, path)), None

    def _batch(self, name: str) -> Batch:
        return next(one for one in self.batches if one.id == name)

    def _has(self, name: str) -> bool:
        return any(one.id == name for one in self.batches)

    def _shown(self, batch: Batch, path: str) -> Body:
        ended = batch.polls > self.polls
        count = len(batch.items)
        if "/messages/" in path:
            created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(batch.created))
            counts = {"processing": 0 if ended else count, "succeeded": count if ended else 0}
            state = "ended" if ended else "in_progress"
            return {
                "id": batch.id, "processing_status": state, "request_counts": counts,
                "created_at": created, "results_url": "http://elsewhere.invalid/results",
            }  # fmt: skip
        fates = {self.fate(one) for one in batch.items}
        status = "expired" if "expired" in fates else "cancelled" if "canceled" in fates else ""
        shown: Body = {
            "id": batch.id, "status": (status or "completed") if ended else "in_progress",
            "metadata": batch.metadata, "created_at": int(batch.created),
            "request_counts": {"total": count, "completed": count if ended else 0, "failed": 0},
        }  # fmt: skip
        if batch.failure:
            return shown | {"status": "failed", "errors": {"data": [batch.failure]}}
        if ended:
            files = {"output_file_id": f"out.{batch.id}", "error_file_id": f"err.{batch.id}"}
            return shown | files
        return shown

    def _results(self, path: str) -> bytes:
        if path.endswith("/results"):
            batch, wanted = self._batch(path.split("/")[-2]), None
        else:
            kind, _, name = path.split("/")[-2].partition(".")
            batch, wanted = self._batch(name), kind == "out"
        lines: list[bytes] = []
        for one in reversed(batch.items):
            fate = self.fate(one)
            good = not fate.startswith(FAILURES)
            if fate == "missing" or (wanted is not None and good is not wanted):
                continue
            line = _line(one, fate, anthropic=wanted is None)
            if fate == "torn":
                line = line[: len(line) // 2]
            lines += [line] * (2 if fate == "twice" else 1)
        return b"\n".join(lines)


def _line(one: Asked, fate: str, *, anthropic: bool) -> bytes:
    text = fate.removeprefix("reply ") if fate.startswith("reply ") else ""
    reply = replies.reply(one.path, one.body, **({"calls": 0, "text": text} if text else {}))
    name = "nobody" if fate == "unknown" else one.custom_id
    told, fate = fate, fate.partition(" ")[0]
    statuses = {"refused": 400, "broken": 500}
    error = {"type": "invalid_request_error" if fate == "refused" else "api_error"}
    error["message"] = f"the request is {told}"
    if anthropic:
        result: Body = {"type": "succeeded", "message": reply}
        if fate in statuses:
            result = {"type": "errored", "error": {"type": "error", "error": error}}
        elif fate in ("expired", "canceled"):
            result = {"type": fate}
        return _json({"custom_id": name, "result": result})
    response: Body | None = {"status_code": 200, "request_id": "r", "body": reply}
    lost = None
    if fate in statuses:
        response = {"status_code": statuses[fate], "body": {"error": error}}
    elif fate in ("expired", "canceled"):
        code = "batch_expired" if fate == "expired" else "batch_cancelled"
        response, lost = None, {"code": code, "message": f"the request is {fate}"}
    return _json({"id": "batch_req", "custom_id": name, "response": response, "error": lost})


def _json(value: Any) -> bytes:
    # Not escaped: U+2028 in a text must not end a line.
    return json.dumps(value, ensure_ascii=False).encode()
