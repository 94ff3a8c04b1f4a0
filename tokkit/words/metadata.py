"""What word counts say about themselves: how they were made, and of what."""

import json
from collections.abc import Mapping

import tokkit
from tokkit.corpus import Tally
from tokkit.patterns import NO_SCANNER, Pattern
from tokkit.unicode import LETTER, Engine, properties

# A letter that came with each version of the Unicode Character Database.
LETTERS_SINCE: Mapping[str, int] = {
    "17.0": 0x323B0,
    "16.0": 0x10D4A,
    "15.1": 0x2EBF0,
    "15.0": 0x11F04,
    "14.0": 0x10570,
    "13.0": 0x30000,
}


def unicode_version(pattern: Pattern, engine: Engine) -> str:
    """The version of Unicode whose classes cut the text, such as ``16.0``.

    Patterns that tokkit has no scanner for are followed by the `regex` library, whatever
    `engine` is.
    """
    table = properties("regex" if pattern.scanner == NO_SCANNER else engine)
    known = (version for version, letter in LETTERS_SINCE.items() if table[letter] & LETTER)
    return next(known, "before 13.0")


def describe(
    pattern: Pattern, engine: Engine, tally: Tally, skipped: Mapping[str, int]
) -> dict[str, str]:
    """The metadata of counts."""
    return {
        "tokkit": tokkit.__version__,
        "pattern": pattern.name or "",
        "regex": pattern.regex,
        "digits": pattern.digits,
        "engine": engine,
        "unicode": unicode_version(pattern, engine),
        "digest": tally.digest,
        "documents": str(tally.documents),
        "bytes": str(tally.size),
        "skipped": json.dumps(dict(sorted(skipped.items()))),
    }
