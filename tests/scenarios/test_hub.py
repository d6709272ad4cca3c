"""The Hub's own client against a small local server."""

import hashlib
import io
import json
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from proactive_agent.scenarios import download as download_module
from proactive_agent.scenarios.hub import HubFile, HuggingFace
from proactive_agent.tools import MissingExtraError, UserError

COMMIT = "0123456789abcdef0123456789abcdef01234567"
DATA = b'{"id": 1}\n'
PICTURE = bytes(range(256)) * 100


def _archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("coco2014/1.png", PICTURE)
    return buffer.getvalue()


ARCHIVE = _archive()
FILES = {"test/coco2014_preprocessed.jsonl": DATA, "test/coco2014.zip": ARCHIVE}
ETAGS = {path: hashlib.sha256(content).hexdigest() for path, content in FILES.items()}
BLOBS = {
    path: hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    for path, content in FILES.items()
}
"""The names that Git gives to the files."""


class _Handler(BaseHTTPRequestHandler):
    """A server for the two kinds of request: the data set's listing and its files."""

    protocol_version = "HTTP/1.1"
    cut_after: ClassVar[int | None] = None
    """The next file response breaks off after this many bytes."""
    refused: ClassVar[int] = 0
    asked: ClassVar[list[tuple[str, str | None]]] = []
    """Path and range of each file response."""

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        path = self.path.partition("?")[0]
        prefix = f"/datasets/tdemin16/ProactiveBench/resolve/{COMMIT}/"
        if path.startswith("/api/datasets/tdemin16/ProactiveBench"):
            self._send(200, _listing(), {"Content-Type": "application/json"}, with_body)
        elif path.startswith(prefix) and path.removeprefix(prefix) in FILES:
            self._send_file(path.removeprefix(prefix), with_body)
        else:
            type(self).refused += 1
            self._send(404, b"", {"X-Error-Code": "EntryNotFound"}, with_body)

    def _send_file(self, path: str, with_body: bool) -> None:
        content, status = FILES[path], 200
        headers = {"ETag": f'"{ETAGS[path]}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
        asked = self.headers.get("Range")
        self.asked.append((path, asked))
        if asked:
            first, _, last = asked.removeprefix("bytes=").partition("-")
            headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
            content, status = content[int(first) : int(last) + 1], 206
        self._send(status, content, headers, with_body)

    def _send(self, status: int, body: bytes, headers: dict[str, str], with_body: bool) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if not with_body:
            return
        cut, type(self).cut_after = self.cut_after, None
        self.wfile.write(body[:cut])
        if cut is not None:
            self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Suppresses the log."""


def _listing() -> bytes:
    siblings = [
        {
            "rfilename": path,
            "size": len(content),
            "blobId": BLOBS[path],
            **({"lfs": {"sha256": ETAGS[path], "size": len(content), "pointerSize": 1}}
               if path.endswith(".zip") else {}),
        }
        for path, content in FILES.items()
    ]  # fmt: skip
    return json.dumps(
        {"id": "tdemin16/ProactiveBench", "sha": COMMIT, "siblings": siblings, "tags": []}
    ).encode()


@pytest.fixture
def endpoint() -> Iterator[str]:
    _Handler.cut_after = None
    _Handler.refused = 0
    _Handler.asked.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def hub(endpoint: str) -> HuggingFace:
    pytest.importorskip("huggingface_hub")
    return HuggingFace(endpoint)


def test_lists_size_and_etag(hub: HuggingFace) -> None:
    assert hub.files() == [
        HubFile(
            "test/coco2014_preprocessed.jsonl",
            len(DATA),
            BLOBS["test/coco2014_preprocessed.jsonl"],
        ),
        HubFile("test/coco2014.zip", len(ARCHIVE), ETAGS["test/coco2014.zip"]),
    ]


def test_reads_a_part(hub: HuggingFace) -> None:
    archive = hub.files()[1]
    assert hub.read(archive, 1000, 500) == ARCHIVE[1000:1500]
    assert _Handler.asked == [("test/coco2014.zip", "bytes=1000-1499")]


def test_asks_again_where_a_connection_broke(
    hub: HuggingFace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)
    archive = hub.files()[1]
    _Handler.cut_after = 100
    assert hub.read(archive, 1000, 500) == ARCHIVE[1000:1500]
    assert _Handler.asked == [("test/coco2014.zip", "bytes=1000-1499")] * 2


def test_downloads_a_release(
    hub: HuggingFace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download_module, "write_pack", lambda *_: None)
    monkeypatch.setattr(download_module, "PART_BYTES", 10_000)
    list(download_module.download(tmp_path, hub, scenarios=["coco"]))
    assert (tmp_path / "test/coco2014_preprocessed.jsonl").read_bytes() == DATA
    assert (tmp_path / "test/coco2014/1.png").read_bytes() == PICTURE


def test_a_file_that_is_not_there_is_told_at_once(hub: HuggingFace) -> None:
    hub.files()
    with pytest.raises(
        UserError, match=r"test/none\.zip cannot be downloaded: .*; run again to resume"
    ):
        hub.read(HubFile("test/none.zip", 1, "x"), 0, 1)
    assert _Handler.refused == 1


def test_a_hub_that_cannot_be_reached_is_told() -> None:
    pytest.importorskip("huggingface_hub")
    with pytest.raises(UserError, match="tdemin16/ProactiveBench cannot be listed: "):
        HuggingFace("http://127.0.0.1:9").files()


def test_without_the_client_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingExtraError, match=r"pip install .*\[data\]"):
        HuggingFace()
