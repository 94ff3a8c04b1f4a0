"""What models cost: a table that everybody can edit, and what it says of one model."""

import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from tokkit.errors import UsageError
from tokkit.resources import resource

_DATED = re.compile(r"-(\d{4}-?\d{2}-?\d{2}|latest)$")
"""How names of models end that stand for one version of it."""
_FIELDS = ("input", "output", "batch", "source", "read")


@dataclass(frozen=True)
class Price:
    """What a model costs.

    Attributes:
        model: The name it has in the table.
        input: Dollars per million tokens of prompts.
        output: Dollars per million tokens of answers.
        batch: The share of it that requests sent as a batch cost.
        source: Who says so; empty: the table does not say.
        read: When it was read; None: the table does not say.
        table: The file that says so.
    """

    model: str
    input: float
    output: float
    batch: float = 1.0
    source: str = ""
    read: date | None = None
    table: str = ""

    def cost(
        self, prompt_tokens: float, completion_tokens: float, *, batch: bool = False
    ) -> float:
        """Return what so many tokens cost, in dollars."""
        dollars = (prompt_tokens * self.input + completion_tokens * self.output) / 1e6
        return dollars * self.batch if batch else dollars


def in_dollars(amount: float) -> str:
    """Write an amount with four places behind the point, or two digits if there is less.

    Example:
        >>> in_dollars(1234.5), in_dollars(0.0000342)
        ('1,234.5000', '0.000034')
    """
    if not 0 < amount < 0.001:
        return f"{amount:,.4f}"
    return f"{amount:.{1 - math.floor(math.log10(amount))}f}"


def find_price(model: str, table: Path | None = None) -> Price | None:
    """Look up what a model costs.

    Args:
        model: Its name. If no entry has it, and it ends in a date or in ``-latest``, the name
            without that is looked up.
        table: A file whose entries go before those of the table that tokkit ships.

    Returns:
        The price; None if no table has one, which is not the same as costing nothing.

    Raises:
        UsageError: If the table cannot be read, or an entry of it is wrong.
    """
    for path in (table, resource("prices.toml")):
        prices = {} if path is None else read_prices(path)
        for name in (model, _DATED.sub("", model)):
            if name in prices:
                return prices[name]
    return None


def read_prices(path: Path) -> dict[str, Price]:
    """Read a table of prices.

    Returns:
        What each model costs, by its name, in the order of the file.

    Raises:
        UsageError: If there is none, or an entry has a wrong, missing or unknown field.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: the prices cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{path}: this is no TOML: {error}") from error
    return {name: _price(name, entry, path) for name, entry in content.items()}


def _price(name: str, entry: Any, path: Path) -> Price:
    """Check one entry of a table."""
    where = f"{path}: the price of {name!r}"
    if not isinstance(entry, Mapping):
        raise UsageError(f'{where} is no table: write ["{name}"], and input = ... below it')
    unknown = sorted(set(entry) - set(_FIELDS))
    if unknown:
        raise UsageError(
            f"{where} has a field {unknown[0]!r}: there are {', '.join(_FIELDS)} (and a name "
            "with dots is put in quotes)"
        )
    for field in ("input", "output"):
        if field not in entry:
            raise UsageError(f"{where} has no {field!r}: give dollars per million tokens")
    for field in ("input", "output", "batch"):
        value = entry.get(field, 1.0)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not (number and value >= 0 and math.isfinite(value)):
            raise UsageError(
                f"{where}: {field} = {value!r} is no amount: give a number, from 0"
            )
    read = entry.get("read")
    if not (read is None or isinstance(read, date)):
        raise UsageError(f"{where}: read = {read!r} is no day: write it as 2026-01-31")
    return Price(
        name,
        input=float(entry["input"]),
        output=float(entry["output"]),
        batch=float(entry.get("batch", 1.0)),
        source=str(entry.get("source", "")),
        read=read,
        table=str(path),
    )
