"""Prompts in files: texts, and chats as they are sent to models."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tokkit.corpus.problems import BadRecordError, text_of
from tokkit.corpus.sources import Source
from tokkit.corpus.streams import CorruptError, open_stream
from tokkit.errors import CorpusError, UsageError

_WRAPPERS = ("body", "params")
"""What lines of batches keep requests under."""
_CALLS = ("tool_calls", "function_call")
"""What a message may have in place of a content."""
_TOOLS = ("tools", "functions")
"""Where a request says what may be called, which is no message and has tokens too."""
_PARTS = ("text", "input_text", "output_text")


class Prompt(NamedTuple):
    """What is sent at once.

    Attributes:
        contents: Its texts; of a chat, one for each message.
        roles: Who speaks in each message; empty if it is no chat.
        names: The names that messages give their speakers.
        uncounted: How many parts are no text, such as images, and calls of tools.
    """

    contents: tuple[bytes, ...]
    roles: tuple[str, ...] = ()
    names: tuple[bytes, ...] = ()
    uncounted: int = 0


def read_prompts(
    source: Source, *, text_column: str = "text", lines: bool = False
) -> Iterator[Prompt]:
    """Read the prompts of a file.

    Args:
        source: JSON lines, one prompt in each: an object with ``"messages"`` (also as
            ``"body"`` or ``"params"`` of a line of a batch), ``"prompt"`` or a text; or text.
        text_column: The field with the text.
        lines: Whether each line of a text file is a prompt; else the whole file is one.

    Raises:
        CorpusError: If a file or a record cannot be read.
        UsageError: If it is another kind of file.
    """
    if source.kind not in ("text", "jsonl"):
        raise UsageError(f"{source.name}: give prompts as text or JSON lines")
    try:
        with open_stream(source.path, source.compression) as stream:
            if source.kind == "text" and not lines:
                yield Prompt((stream.read(),))
                return
            for number, line in enumerate(stream, 1):
                if source.kind == "text":
                    yield Prompt((line.removesuffix(b"\n"),))
                elif not line.isspace():
                    yield _record(line, text_column, f"{source.name}, line {number}")
    except CorruptError as error:
        raise CorpusError(f"{source.name} is damaged ({error}); fetch it again") from error


def _record(line: bytes, text_column: str, place: str) -> Prompt:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise CorpusError(f"{place}: not JSON ({error}); give one object per line") from error
    if not isinstance(record, Mapping):
        raise CorpusError(f"{place}: not a JSON object; give one per line")
    for name in _WRAPPERS:
        if isinstance(record.get(name), Mapping):
            record = record[name]
    try:
        if "messages" in record:
            return _chat(record)
        for name in (text_column, "prompt"):
            if name in record:
                return Prompt((text_of(record[name], name).encode(),))
    except BadRecordError as error:
        raise CorpusError(f"{place}: {error}; correct it") from error
    raise CorpusError(f"{place}: no messages, prompt or {text_column!r} (--text-column)")


def _chat(record: Mapping[str, Any]) -> Prompt:
    """Read a chat; what the system says may be apart from the messages, as Anthropic has it."""
    messages = record["messages"]
    if not isinstance(messages, list):
        raise BadRecordError("bad chat", "'messages' is not a list")
    apart = [] if record.get("system") is None else [["system", record["system"]]]
    contents, roles, names = [], [], []
    uncounted = sum(bool(record.get(name)) for name in _TOOLS)
    for message in [*apart, *messages]:
        if isinstance(message, list) and len(message) == 2:
            message = dict(zip(("role", "content"), message, strict=True))
        calls = isinstance(message, Mapping) and any(message.get(name) for name in _CALLS)
        if not isinstance(message, Mapping) or not ("content" in message or calls):
            raise BadRecordError("bad chat", "a message has no content")
        text, left_out = _content(message.get("content"))
        contents.append(text)
        roles.append(str(message.get("role", "user")))
        uncounted += left_out + calls
        if message.get("name") is not None:
            names.append(text_of(message["name"], "name").encode())
    return Prompt(tuple(contents), tuple(roles), tuple(names), uncounted)


def _content(content: Any) -> tuple[bytes, int]:
    """Return the text of a message, and how many of its parts are none."""
    if content is None:
        return b"", 0
    if not isinstance(content, list):
        return text_of(content, "content").encode(), 0
    texts = [
        text_of(part.get("text"), "content")
        for part in content
        if isinstance(part, Mapping) and part.get("type", "text") in _PARTS
    ]
    return "".join(texts).encode(), len(content) - len(texts)
