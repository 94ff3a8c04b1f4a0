"""What the columns of a study of numbers have, and how values are read into them."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from tokkit.errors import CorpusError
from tokkit.studies.numbers.problems import OPERATIONS


class Column(NamedTuple):
    """What a column has.

    Attributes:
        read: Makes a value of what a file has in its place.
        default: What rows have where a file does not have the column, or has nothing there.
            A column without a default, which is an `Ellipsis`, must be there.
    """

    read: Callable[[Any], Any]
    default: Any = ...


def _integer(value: Any) -> int:
    """Read an integer of any size: ``"12"``, 12, or ``"12.0"`` as other tools leave it."""
    if isinstance(value, str):
        value = value.strip()
        head, point, tail = value.partition(".")
        try:
            return int(head if point and not tail.strip("0") else value)
        except ValueError:
            raise ValueError(f"{value[:40]!r} is no integer that can be read") from None
    if int(value) != value:
        raise ValueError(f"{value!r} is not an integer")
    return int(value)


def _operand(value: Any) -> int:
    number = _integer(value)
    if number < 0:
        raise ValueError(f"{number} is negative")
    return number


def _boolean(value: Any) -> bool:
    if str(value) in _BOOLEANS:
        return _BOOLEANS[str(value)]
    raise ValueError(f"{value!r} is neither True nor False")


def _operation(value: Any) -> str:
    if value in OPERATIONS:
        return str(value)
    raise ValueError(f"{value!r} is not one of {', '.join(OPERATIONS)}")


def _json(value: Any) -> str:
    """Keep JSON as text, whether a file has it as a text or as what it says."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _messages(value: Any) -> str:
    """Read a chat, whose messages are lists or as the APIs have them, and keep it as text."""
    chat = json.loads(value) if isinstance(value, str) else value
    if not isinstance(chat, list) or not chat:
        raise ValueError(f"{value!r} is not a list of messages")
    messages = [_message(each) for each in chat]
    return json.dumps(messages, ensure_ascii=False)


def _message(value: Any) -> tuple[str, str]:
    match value:
        case [role, content] | {"role": role, "content": content}:
            if role in _ROLES and isinstance(content, str):
                return role, content
    raise ValueError(f"{value!r} is not a message: write [role, content]")


_ROLES = ("system", "user", "assistant")
_BOOLEANS = {"True": True, "False": False, "true": True, "false": False, "1": True, "0": False}

COLUMNS: Mapping[str, Column] = {
    "problem_index": Column(_integer, 0),
    "flip_problem": Column(_boolean, False),
    "flip_shots": Column(_boolean, False),
    "num1": Column(_operand),
    "num2": Column(_operand),
    "operation": Column(_operation, "+"),
    "problem_msg": Column(str, ""),
    "problem_tokens": Column(_integer, None),
    "response_repeat": Column(_integer, 0),
    "response": Column(str, None),
    "logprobs_json": Column(_json, None),
    "prompt_tokens": Column(_integer, None),
    "completion_tokens": Column(_integer, None),
    "shots": Column(str, ""),
    "model": Column(str, ""),
    "system_prompt": Column(str, ""),
    "preamble": Column(str, ""),
    "problem_number_format": Column(str, "nosep"),
    "repeat_problem_number_format": Column(str, ""),
    "answer_number_format": Column(str, ""),
    "chunk_size": Column(_integer, 3),
    "num_spaces": Column(_integer, 0),
    "num_trailing_spaces": Column(_integer, 0),
    "num_shots": Column(_integer, 0),
    "problem_rng_key": Column(_integer, None),
    "shots_rng_key": Column(_integer, None),
    "max_tokens": Column(_integer, None),
    "file": Column(str, ""),
    "key": Column(str, ""),
    "messages": Column(_messages, None),
    "prompt": Column(str, None),
}
"""All columns, in their order.

Those that are not in the published tables: `operation`; `preamble`, what the user says first;
`chunk_size`, the digits of a group; `max_tokens`, the most an answer may have; `file`, where a
row is from; `key`, the row's own name; and what is asked, as `messages` (JSON: a list of role
and content) or as `prompt`. Where neither is there it is put together from the rest.
"""


def is_missing(value: Any) -> bool:
    """Say whether there is nothing: None, or what is not a number."""
    return value is None or value != value


def read_column(column: Column, given: Sequence[Any], place: str) -> list[Any]:
    """Make values of what a file has, the default of what it does not have.

    Args:
        column: What they are to be.
        given: What the file has.
        place: What to call it in errors.

    Raises:
        CorpusError: If a value cannot be read.
    """
    values = []
    for number, value in enumerate(given):
        nothing = is_missing(value) or (value == "" and column.read is not str)
        if nothing and column.default is not ...:
            values.append(column.default)
            continue
        try:
            values.append(column.read(value))
        except (TypeError, ValueError, OverflowError) as error:
            raise CorpusError(f"{place}, row {number}: {error}") from None
    return values


def to_column(name: str, values: Sequence[Any]) -> Any:
    """Return the values as a column: exact where pandas would guess."""
    import pandas as pd

    own = COLUMNS.get(name)
    if own is not None and isinstance(own.default, bool | int):
        return pd.Series(values, dtype=type(own.default))
    return to_objects(values)


def to_objects(values: Sequence[Any]) -> Any:
    """Return the values as a column of Python objects, none of them changed."""
    import pandas as pd

    return pd.Series(values, dtype=object)
