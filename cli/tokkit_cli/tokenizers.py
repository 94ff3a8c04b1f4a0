"""Several tokenizers on one command line: what each is called, and how it is loaded."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tokkit.errors import FormatError

if TYPE_CHECKING:
    from tokkit.tokenizer import Tokenizer

TOKENIZER_HELP = "A tokenizer file or folder, or a hub id; FILE@PATTERN for a `.tiktoken` file."

TokenizerNames = Annotated[
    list[str], typer.Argument(metavar="TOKENIZER...", help=TOKENIZER_HELP)
]


def load_tokenizer(name: str, pattern: str | None = None) -> "Tokenizer":
    """Load what a command line calls a tokenizer.

    Args:
        name: A path or hub id; a file that does not say how it cuts text may be followed by
            ``@`` and the name of a pattern, as in ``cl100k_base.tiktoken@cl100k``.
        pattern: The pattern of files that do not say theirs, if `name` has none.

    Raises:
        FormatError: If it cannot be loaded.
    """
    from tokkit import load

    path, _, own = name.rpartition("@")
    if own and path and not Path(name).exists():
        return load(path, pattern=own)
    try:
        return load(name)
    except FormatError:
        if pattern is None:
            raise
        return load(name, pattern=pattern)


def short_names(names: Sequence[str]) -> list[str]:
    """Call each tokenizer by as much of the end of its path as tells it from the others.

    Example: ``a/gpt2/tokenizer.json`` and ``b/tokenizer.json`` are ``gpt2`` and ``b``;
    ``x/r50k_base.tiktoken@gpt2`` is ``r50k_base``.
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
    return [
        name if shown.count(name) == 1 else f"{name} ({shown[:place].count(name) + 1})"
        for place, name in enumerate(shown)
    ]


def _parts(name: str) -> list[str]:
    """Split a path, without what all tokenizers of its kind are called."""
    path = Path(name)
    if not path.exists() and "@" in name:
        path = Path(name.rpartition("@")[0])
    parts = list((path.resolve() if path.exists() else path).parts)
    if len(parts) > 1 and parts[-1].startswith(("tokenizer.", "vocab.json")):
        return parts[:-1]
    if path.is_file():
        parts[-1] = path.stem
    return parts
