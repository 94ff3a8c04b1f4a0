"""Groups of languages, from a table."""

import csv
from collections.abc import Iterable
from pathlib import Path

from tokkit.errors import UsageError
from tokkit.resources import resource

LANGUAGE = "language"
FAMILY = "family"


def families(languages: Iterable[str]) -> dict[str, str]:
    """Return the families of the languages that are called by a code of ISO 639.

    Example: ``de``, ``deu``, ``deu_Latn`` and ``de-AT`` are Indo-European.

    Args:
        languages: What they are called.
    """
    known = read_groups(resource("families.csv"))[FAMILY]
    codes = {each: each.replace("_", "-").partition("-")[0].lower() for each in languages}
    return {each: known[code] for each, code in codes.items() if code in known}


def read_groups(path: Path) -> dict[str, dict[str, str]]:
    """Read what groups languages are of.

    Args:
        path: A CSV file with a column ``language``, and a column per kind of group.

    Returns:
        The group of each language, by the name of the column.

    Raises:
        UsageError: If the file cannot be read, or has no such columns.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise UsageError(f"{path}: the groups cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path}: this is no CSV in UTF-8: {error}") from error
    columns = [name for name in (rows[0] if rows else {}) if name and name != LANGUAGE]
    if not rows or LANGUAGE not in rows[0] or not columns:
        raise UsageError(
            f"{path}: give a column 'language' and at least one more, such as 'family'"
        )
    return {
        name: {row[LANGUAGE]: row[name] for row in rows if row.get(name)} for name in columns
    }
