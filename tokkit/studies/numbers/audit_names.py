"""Several tokenizers, each with a short name."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from tokkit.errors import FormatError, UsageError
from tokkit.formats import FORMATS, load
from tokkit.tokenizer import Tokenizer

_USUAL = frozenset(("tokenizer.json", "tokenizer.model", "vocab.json", "merges.txt"))
"""Names of files that say less than the name of their folder."""


def load_named(given: Sequence[str], pattern: str | None) -> dict[str, Tokenizer]:
    """Load tokenizers, under names.

    Args:
        given: Paths or Hub ids, or ``NAME=`` before one.
        pattern: How a file cuts text that does not say so; of several tokenizers, it is for
            those of which nothing else is known.

    Returns:
        The tokenizers by the name given, or else the end of their path; by all of it where
        that is not theirs alone.

    Raises:
        UsageError: If two have the same name.
        FormatError: If one cannot be loaded.
    """
    pairs = [_parse(each) for each in given]
    short = [name or _shorten(path) for name, path in pairs]
    loaded: dict[str, Tokenizer] = {}
    for (name, path), end in zip(pairs, short, strict=True):
        key = name or (end if short.count(end) == 1 else path)
        if key in loaded:
            raise UsageError(
                f"two tokenizers are called {key!r}: name them, as in other={path}"
            )
        needs = pattern is not None and (len(given) == 1 or _needs_pattern(path))
        loaded[key] = load(path, pattern=pattern if needs else None)
    return loaded


def _parse(given: str) -> tuple[str, str]:
    """Return the name, empty if there is none, and the path."""
    name, equals, path = given.partition("=")
    if not equals or Path(given).exists() or "/" in name:
        return "", given
    return name, path


def _shorten(path: str) -> str:
    """The end of a path: ``models/llama2/tokenizer.model`` is ``llama2``."""
    place = Path(path)
    if place.name in _USUAL and place.parent.name:
        return place.parent.name
    return place.stem if place.suffix in (".tiktoken", ".json", ".model") else place.name


def _needs_pattern(path: str) -> bool:
    """Say whether it is not known how a file cuts text."""
    place = Path(path)
    forms: Iterable[str] = FORMATS if place.exists() else ()
    kind = next((name for name in forms if FORMATS[name].function("matches")(place)), "")
    if kind != "tiktoken":
        return kind == "files"
    try:
        load(path)
    except FormatError:
        return True
    return False
