"""What other people's files call the columns that recorded answers are read from."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from tokkit.errors import UsageError
from tokkit.studies.asking.recorded import COLUMNS

OTHER_NAMES: Mapping[str, Sequence[str]] = {
    "response": (
        "result",
        "completion",
        "output",
        "model_output",
        "generated_text",
        "generation",
        "prediction",
        "reply",
        "answer",
    ),
    "prompt": ("question", "input", "query"),
}
"""What is looked for where a file has no such column, in this order; ``answer`` is the last, as
it may be the true one."""
NAMES = ("key", "messages", "prompt", "num1", "num2", "operation", *COLUMNS)
"""Which columns can be named."""
_log = logging.getLogger("tokkit")
Value = TypeVar("Value")


class ColumnNames:
    """Which of a file's columns are which of tokkit's.

    Args:
        given: The column for each of `NAMES` that is called otherwise in the file.

    Raises:
        UsageError: If another name than those is given.
    """

    def __init__(self, given: Mapping[str, str]) -> None:
        for name in given:
            if name not in NAMES:
                raise UsageError(
                    f"replay: no column is {name!r}: name one of {', '.join(NAMES)}"
                )
        self._given = given
        self._told: set[str] = set()

    def check(self, names: Iterable[str]) -> None:
        """See that a file has the columns that were named.

        Raises:
            UsageError: If it does not.
        """
        known = list(names)
        for name, column in self._given.items():
            if column not in known:
                raise UsageError(
                    f"replay: no column {column!r} to take as {name}: there are "
                    f"{', '.join(map(repr, known))}"
                )

    def apply(self, row: Mapping[str, Value]) -> dict[str, Value]:
        """Return a row, or the columns of a table, by tokkit's names.

        The logger ``tokkit`` says once where answers were found that no column was named for.
        """
        chosen = {name: column for name, column in self._given.items() if column in row}
        for name, others in OTHER_NAMES.items():
            found = next((each for each in others if each in row), None)
            if name not in row and name not in chosen and found is not None:
                chosen[name] = found
                self._tell(name, found)
        rest = {name: value for name, value in row.items() if name not in chosen.values()}
        return {**rest, **{name: row[column] for name, column in chosen.items()}}

    def _tell(self, name: str, column: str) -> None:
        if name == "response" and column not in self._told:
            self._told.add(column)
            _log.info("answers are taken from the column %r", column)
