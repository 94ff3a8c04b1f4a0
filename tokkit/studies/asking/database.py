"""The SQLite file behind a cache of answers: opened with care, used from any thread.

It is in WAL mode: what is committed survives the end of the process at any point, and several
processes may use one file at once.
"""

import sqlite3
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tokkit.errors import JobError, UsageError

APPLICATION = 0x746F6B61
"""Which program's file it is, where SQLite files say so: "toka" in ASCII."""
VERSION = 1
PATIENCE = 30.0
"""How many seconds to wait for another process that is writing."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
    digest TEXT PRIMARY KEY, model TEXT NOT NULL, request TEXT NOT NULL,
    answer TEXT NOT NULL, answered_at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS attempts (
    id INTEGER PRIMARY KEY, model TEXT NOT NULL, sent_at REAL NOT NULL,
    ended_at REAL NOT NULL, tokens INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS attempts_by_start ON attempts (model, sent_at);
CREATE INDEX IF NOT EXISTS attempts_by_end ON attempts (model, ended_at);
"""


class Database:
    """One connection that threads take turns with.

    Args:
        path: The file, made if there is none; None: memory.

    Raises:
        UsageError: If the file is something else, or of a later version.
        JobError: If it cannot be opened or written, here and in all methods.
    """

    def __init__(self, path: str | Path | None) -> None:
        self.path = None if path is None else Path(path)
        self._lock = threading.RLock()
        with self._explained():
            self._connection = sqlite3.connect(
                ":memory:" if self.path is None else self.path,
                timeout=PATIENCE,
                isolation_level=None,
                check_same_thread=False,
            )
        # Whoever forgets to close it leaves no connection behind.
        weakref.finalize(self, self._connection.close)
        try:
            self._prepare()
        except BaseException:
            self._connection.close()
            raise

    def execute(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows; what it changes is committed."""
        with self._lock, self._explained():
            return self._connection.execute(statement, values).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do all or nothing, with no other writer in between."""
        with self._lock:
            self.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    def _prepare(self) -> None:
        """Check whose file it is before anything in it is touched, and make what is absent."""
        is_empty = self._is_empty()
        self._use_wal()
        if not is_empty:
            return
        with self.transaction():
            self._is_empty()
            for statement in filter(str.strip, _SCHEMA.split(";")):
                self.execute(statement)
            self.execute(f"PRAGMA application_id = {APPLICATION}")
            self.execute(f"PRAGMA user_version = {VERSION}")

    def _is_empty(self) -> bool:
        """Whether there is nothing in the file yet; files of others are refused."""
        # One statement, so that it is all of one moment: another process may be making it.
        ((application, version, tables),) = self.execute(
            "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_master) "
            "FROM pragma_application_id, pragma_user_version"
        )
        if application != APPLICATION and (application or version or tables):
            raise self._not_ours()
        if version > VERSION:
            raise UsageError(
                f"{str(self.path)!r} was written by a later version of tokkit: use that, or "
                "name another file"
            )
        return not tables

    def _use_wal(self) -> None:
        """Switch to WAL mode, for which SQLite does not wait for others by itself."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
                self._connection.execute("PRAGMA synchronous = NORMAL")
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise self._failed(error) from error
                time.sleep(0.01)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what SQLite says into what to do about it."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            if "not a database" in str(error):
                raise self._not_ours() from error
            raise self._failed(error) from error

    def _not_ours(self) -> UsageError:
        return UsageError(
            f"{str(self.path)!r} is not a cache of answers, and is left as it is: name another "
            "file"
        )

    def _failed(self, error: sqlite3.Error) -> JobError:
        return JobError(
            f"the cache of answers {str(self.path)!r} cannot be used ({error}): see that its "
            "folder exists, can be written to and has space, then run the same again"
        )
