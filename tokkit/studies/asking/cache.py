"""Answers that were paid for once, by the content of what was asked."""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tokkit.studies.asking.database import Database
from tokkit.studies.asking.request import Answer, Choice, Request, TokenLogprob


class AnswerCache:
    """Answers by the digest of their request, in a SQLite file that is never left half written.

    Each answer is committed by itself: a process that is killed loses none it was given. Any
    number of threads and processes may use one file at once. Beside each answer lie the model
    and the content of the request, as JSON, for whoever wants to look into the file; a
    request's key and facts are not kept, nor is anything about who is allowed to ask.

    Args:
        path: The file, made if there is none; None: memory.

    Attributes:
        database: The file; `tokkit.studies.asking.pace` notes in it when requests were sent.

    Raises:
        UsageError: If the file is something else, or of a later version.
        JobError: If it cannot be read or written, such as when the disk is full; this goes for
            all methods.
    """

    def __init__(self, path: str | Path | None = None) -> None:
        self.database = Database(path)

    def __enter__(self) -> "AnswerCache":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def count(self) -> int:
        """Return how many answers there are."""
        [(count,)] = self.database.execute("SELECT count(*) FROM answers")
        return int(count)

    def get(self, digest: str) -> Answer | None:
        """Return the answer to what has this digest, if there is one."""
        found = self.database.execute("SELECT answer FROM answers WHERE digest = ?", (digest,))
        return _read(found[0][0]) if found else None

    def put(self, digest: str, model: str, request: Request, answer: Answer) -> None:
        """Keep an answer; an earlier one under the same digest stays.

        Args:
            digest: Of the request.
            model: What was asked.
            request: What it was asked.
            answer: What came back.

        Raises:
            ValueError: If it is an error, which is no answer to keep.
        """
        if answer.error is not None:
            raise ValueError("an error is not an answer to keep")
        row = (digest, model, _content(request), _write(answer), time.time())
        self.database.execute("INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?, ?)", row)

    def __iter__(self) -> Iterator[tuple[str, dict[str, Any], Answer]]:
        """Yield model, content of the request and answer of all, in the order of digests."""
        rows = self.database.execute(
            "SELECT model, request, answer FROM answers ORDER BY digest"
        )
        for model, request, answer in rows:
            yield model, json.loads(request), _read(answer)

    def close(self) -> None:
        """Let go of the file."""
        self.database.close()


def _content(request: Request) -> str:
    """Write what was asked."""
    return json.dumps(
        {
            "messages": [list(message) for message in request.messages],
            "prompt": request.prompt,
            "decoding": asdict(request.decoding),
        }
    )


def _write(answer: Answer) -> str:
    """Write an answer, in ASCII: texts with lone surrogates survive too."""
    return json.dumps({**vars(answer), "logprobs": answer.logprobs})


def _read(text: str) -> Answer:
    """Read what `_write` wrote."""
    content = json.loads(text)
    tokens = tuple(
        TokenLogprob(token, logprob, tuple(Choice(*each) for each in top))
        for token, logprob, top in content.pop("logprobs")
    )
    return Answer(**content, logprobs=tokens)
