"""A cache of replies on disk, so that repeating a run costs nothing."""

import asyncio
import hashlib
import json
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from proactive_agent.tools import UserError

FILE = "replies.sqlite"
_INSERT = "INSERT OR IGNORE INTO replies VALUES (?, ?)"


class ReplyCache:
    """An SQLite file in a folder. Several processes can use it at the same time.

    A key covers everything that determines a reply: the adapter and its address, the whole request
    body, the seed if replies are sampled, and the repetition of the sample.
    """

    def __init__(self, folder: Path) -> None:
        self.file = folder / FILE
        self._lock = threading.Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(self.file, timeout=30, check_same_thread=False)
            # The file can come from someone else.
            self._database.execute("PRAGMA trusted_schema=OFF")
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute(
                "CREATE TABLE IF NOT EXISTS replies (key TEXT PRIMARY KEY, reply TEXT NOT NULL)"
            )
        except (OSError, sqlite3.Error) as error:
            raise UserError(f"cannot open the reply cache {self.file}: {error}") from None

    async def get(self, key: str) -> dict[str, Any] | None:
        """Returns the raw reply of an earlier request, or None."""
        return await asyncio.to_thread(self._get, key)

    async def put(self, key: str, reply: dict[str, Any]) -> None:
        """Stores a raw reply. A stored reply is never overwritten."""
        await asyncio.to_thread(self._write_all, _INSERT, [(key, json.dumps(reply))])

    async def put_all(self, replies: Mapping[str, dict[str, Any]]) -> None:
        """Stores several raw replies in one transaction, which is on the disk when it returns."""
        rows = [(key, json.dumps(reply)) for key, reply in replies.items()]
        await asyncio.to_thread(self._write_all, _INSERT, rows)

    async def discard(self, key: str) -> None:
        """Removes a reply that cannot be used."""
        await asyncio.to_thread(self._write_all, "DELETE FROM replies WHERE key = ?", [(key,)])

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._database.close()

    def _get(self, key: str) -> dict[str, Any] | None:
        try:
            with self._lock:
                rows = self._database.execute("SELECT reply FROM replies WHERE key = ?", (key,))
                row = rows.fetchone()
            reply: dict[str, Any] | None = json.loads(row[0]) if row else None
        except (sqlite3.Error, ValueError, TypeError, RecursionError) as error:
            raise UserError(f"cannot read the reply cache {self.file}: {error}") from None
        return reply

    def _write_all(self, statement: str, rows: Sequence[tuple[str, ...]]) -> None:
        try:
            with self._lock, self._database:
                self._database.executemany(statement, rows)
        except sqlite3.Error as error:
            raise UserError(f"cannot write the reply cache {self.file}: {error}") from None


def cache_key(*parts: Any) -> str:
    """SHA-256 of JSON values."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
