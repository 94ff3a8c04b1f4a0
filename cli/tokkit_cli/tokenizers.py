"""Several tokenizers on one command line: what each is called, and how it is loaded."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tokkit.errors import FormatError, UsageError

if TYPE_CHECKING:
    from tokkit.tokenizer import Tokenizer

TOKENIZER_HELP = (
    "A tokenizer file or folder, or a hub id; FILE@PATTERN if the file does not say how it "
    "cuts text; NAME=TOKENIZER gives it a name."
)

TokenizerNames = Annotated[
    list[str], typer.Argument(metavar="TOKENIZER...", help=TOKENIZER_HELP)
]


def load_tokenizers(names: Sequence[str], pattern: str | None = None) -> "dict[str, Tokenizer]":
    """Load tokenizers under the names that `short_names` gives them.

    Args:
        names: What `load_tokenizer` takes.
        pattern: The pattern of a file that does not say its own; of several tokenizers it is
            for those of which nothing else is known.

    Raises:
        FormatError: If one cannot be loaded.
        UsageError: If two are given the same name.
    """
    shown = short_names(names)
    if len(names) == 1:
        return {shown[0]: load_tokenizer(names[0], pattern)}
    loaded = {}
    for name, given in zip(shown, names, strict=True):
        try:
            loaded[name] = load_tokenizer(given)
        except FormatError:
            if pattern is None:
                raise
            loaded[name] = load_tokenizer(given, pattern)
    return loaded


def load_tokenizer(name: str, pattern: str | None = None) -> "Tokenizer":
    """Load what a command line calls a tokenizer.

    Args:
        name: A path or hub id, perhaps after ``NAME=``; a file that does not say how it cuts
            text may be followed by ``@`` and a pattern: ``cl100k_base.tiktoken@cl100k``.
        pattern: The pattern of a file that does not say its own, if `name` has none.

    Raises:
        FormatError: If it cannot be loaded, or says how it cuts text and is given a pattern.
    """
    from tokkit import load

    _, given = _split_name(name)
    path, _, own = given.rpartition("@")
    if own and path and not Path(given).exists():
        return load(path, pattern=own)
    return load(given, pattern=pattern)


def short_names(names: Sequence[str]) -> list[str]:
    """Call each tokenizer by its name, or as much of the end of its path as tells it apart.

    Example: ``a/gpt2/tokenizer.json`` and ``b/tokenizer.json`` are ``gpt2`` and ``b``;
    ``x/r50k_base.tiktoken@gpt2`` is ``r50k_base``; ``old=a/tokenizer.json`` is ``old``.

    Raises:
        UsageError: If two are given the same name.
    """
    parts = [_parts(name) for name in names]
    taken = [1] * len(names)
    while True:
        shown = ["/".join(part[-count:]) for part, count in zip(parts, taken, strict=True)]
        longer = [
            place
            for place, name in enumerate(shown)
            if shown.count(name) > 1 and taken[place] < len(parts[place])
        ]
        if not longer:
            break
        for place in longer:
            taken[place] += 1
    for place, name in enumerate(shown):
        if shown.count(name) > 1 and _split_name(names[place])[0]:
            raise UsageError(f"two tokenizers are called {name!r}: name one, as in other=PATH")
    return [
        name if shown.count(name) == 1 else f"{name} ({shown[:place].count(name) + 1})"
        for place, name in enumerate(shown)
    ]


def _split_name(given: str) -> tuple[str, str]:
    """Return the name before ``=``, empty if there is none, and the rest."""
    name, equals, path = given.partition("=")
    if not equals or Path(given).exists() or "/" in name:
        return "", given
    return name, path


def _parts(given: str) -> list[str]:
    """Split a path, without what all tokenizers of its kind are called."""
    own, name = _split_name(given)
    if own:
        return [own]
    path = Path(name)
    if not path.exists() and "@" in name:
        path = Path(name.rpartition("@")[0])
    parts = list((path.resolve() if path.exists() else path).parts)
    if len(parts) > 1 and parts[-1].startswith(("tokenizer.", "vocab.json", "merges.txt")):
        return parts[:-1]
    if path.is_file():
        parts[-1] = path.stem
    return parts
