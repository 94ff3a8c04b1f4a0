"""What the commands say: results on standard output, everything else on standard error."""

import json
import logging
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Protocol

from rich.console import Console

from tokkit.progress import Progress

messages = Console(stderr=True, emoji=False, markup=False, highlight=False)
"""Notes and progress; `be_quiet` silences it. Errors go through `print_error`."""

logger = logging.getLogger("tokkit")


class _Notes(logging.Handler):
    """Shows what the library logs, such as the note that kernels are being compiled."""

    def emit(self, record: logging.LogRecord) -> None:
        note(record.getMessage())


def start() -> None:
    """Begin a command with notes shown, whatever an earlier one in this process had set."""
    messages.quiet = False
    logger.setLevel(logging.INFO)
    if not any(isinstance(handler, _Notes) for handler in logger.handlers):
        logger.addHandler(_Notes())


def be_quiet(wanted: bool) -> bool:
    """Print results and errors only."""
    if wanted:
        messages.quiet = True
    return wanted


def be_verbose(wanted: bool) -> bool:
    """Show what the library logs in detail too."""
    if wanted:
        logger.setLevel(logging.DEBUG)
    return wanted


def one_line(text: str) -> str:
    """Fold white space: a line feed and a tab between two words become one space."""
    return " ".join(text.split())


def note(text: str) -> None:
    """Tell the user something that is not a result."""
    messages.print(one_line(text), soft_wrap=True)


def print_error(text: str) -> None:
    """Say in one line on standard error why the command stops; not silenced by ``-q``."""
    console = Console(stderr=True, emoji=False, markup=False, highlight=False)
    console.print("error:", style="bold red", end=" ")
    console.print(one_line(text), soft_wrap=True)


def print_result(result: Mapping[str, object], as_json: bool) -> None:
    """Write `result` to standard output, as one JSON document or as aligned text."""
    if as_json:
        sys.stdout.write(_to_json(result) + "\n")
        return
    shown = {name: value for name, value in result.items() if value is not None}
    width = max(map(len, shown), default=0)
    for name, value in shown.items():
        sys.stdout.write(f"{name.replace('_', ' '):<{width}}  {_readable(value)}\n")


def print_stream(parts: Iterable[str], *, ends_line: bool = False) -> int:
    """Write a text as it comes, and return how many bytes it has.

    Args:
        parts: The text.
        ends_line: Whether a line feed is put after it; on a terminal it always is.
    """
    written = 0
    for part in parts:
        written += sys.stdout.buffer.write(part.encode())
        sys.stdout.buffer.flush()
    if ends_line or sys.stdout.isatty():
        sys.stdout.buffer.write(b"\n")
        sys.stdout.buffer.flush()
    return written


class Page(Protocol):
    """A result that knows how it looks, to people and as JSON."""

    def __rich__(self) -> Any: ...

    def as_json(self) -> Mapping[str, object]:
        """Everything it says, as JSON."""
        ...


def print_page(page: Page, as_json: bool) -> None:
    """Write a result which shows itself."""
    if as_json:
        print_result(page.as_json(), as_json)
    else:
        Console(emoji=False, markup=False, highlight=False).print(page, soft_wrap=True)


def print_rows(rows: Iterable[object], as_json: bool) -> None:
    """Write one JSON value per line as they come; with `as_json`, one JSON list of them."""
    before = "[" if as_json else ""
    for row in rows:
        sys.stdout.write(f"{before}{_to_json(row)}")
        before = ",\n" if as_json else "\n"
    sys.stdout.write({"[": "[]\n", ",\n": "]\n"}.get(before, before))


def count(number: int, name: str, names: str = "") -> str:
    """Write a number of things: ``"1 document"``, ``"2,000 documents"``."""
    return f"{number:,} {name if number == 1 else names or f'{name}s'}"


def _readable(value: object) -> str:
    """Write one value for people: 1234567 is ``"1,234,567"``, 3.14159 is ``"3.142"``."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value).encode("utf-8", "backslashreplace").decode()
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"


@contextmanager
def show_progress() -> Iterator[Progress]:
    """Give a function that shows how far each stage is.

    On a terminal each stage is a bar which disappears when the command ends; elsewhere it is
    one plain line when the stage begins.
    """
    if messages.is_terminal and not messages.quiet:
        with _bars() as report:
            yield report
    else:
        yield _lines()


def _lines() -> Progress:
    """Report each stage once, as a line."""
    seen: set[str] = set()

    def report(stage: str, done: int, total: int) -> None:
        if stage not in seen:
            seen.add(stage)
            note(f"{stage} …")

    return report


@contextmanager
def _bars() -> Iterator[Progress]:
    """Report each stage as a bar of its own."""
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    tasks: dict[str, Any] = {}
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Bars(*columns, TimeElapsedColumn(), console=messages, transient=True) as bars:

        def report(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=None)
            bars.update(tasks[stage], completed=done, total=total or None)

        yield report


def command_line() -> list[str]:
    """Return the command line as it was given: ``["tokkit", "compare", ...]``."""
    return ["tokkit", *sys.argv[1:]]


def close_standard_output() -> None:
    """Let nothing more reach a standard output that cannot be written to.

    What is still buffered would otherwise fail a second time, with a traceback, when the
    interpreter ends.
    """
    with suppress(OSError, ValueError):  # standard output is not a file, as in tests
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _to_json(value: object) -> str:
    """Write a value as JSON that every reader takes."""
    from tokkit.results import without_nan

    return json.dumps(without_nan(value))
