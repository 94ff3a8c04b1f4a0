"""Tokenizer files: which formats there are, and the way in and out."""

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit
from urllib.request import getproxies

from tokkit.errors import FormatError, UsageError
from tokkit.tokenizer import Tokenizer


@dataclass(frozen=True)
class Format:
    """A kind of tokenizer file.

    Attributes:
        description: What it is, for listings.
        module: The module whose functions ``matches(path) -> bool``,
            ``read(path, *, pattern) -> Tokenizer`` and, if `writable`,
            ``write(tokenizer, path, *, force)`` handle it. Imported when used.
        writable: Whether `save` can write it.
    """

    description: str
    module: str
    writable: bool = True

    def function(self, name: str) -> Callable[..., Any]:
        """Return the function `name` of the module, importing it now."""
        return cast("Callable[..., Any]", getattr(import_module(self.module), name))


FORMATS: Mapping[str, Format] = {
    "hf": Format(
        "Hugging Face tokenizer.json or a folder with one", "tokkit.formats.huggingface"
    ),
    "files": Format("vocab.json and merges.txt", "tokkit.formats.files"),
    "sentencepiece": Format(
        "SentencePiece .model", "tokkit.formats.sentencepiece", writable=False
    ),
    "gguf": Format("GGUF vocabulary", "tokkit.formats.gguf"),
    "tekken": Format("mistral-common's tekken.json", "tokkit.formats.tekken", writable=False),
    "tiktoken": Format("tiktoken ranks", "tokkit.formats.tiktoken"),
}
"""Every format by its name, in the order in which `load` asks whose a path is."""


def load(path: str | Path, *, pattern: str | None = None) -> Tokenizer:
    """Load a tokenizer from any format.

    Args:
        path: A file or folder, or the id of a tokenizer on the Hugging Face Hub.
        pattern: Name or regular expression of the pre-tokenization, for formats without one
            (``.tiktoken``, ``vocab.json`` with ``merges.txt``).

    Raises:
        FormatError: If nothing is there, no format is recognised, or the file asks for
            something that tokkit would not do exactly as the foreign library does.
    """
    place = Path(path)
    if not place.exists():
        place = _download(str(path))
    try:
        for form in FORMATS.values():
            if form.function("matches")(place):
                return cast("Tokenizer", form.function("read")(place, pattern=pattern))
    except OSError as error:
        raise FormatError(f"{place}: cannot be read ({error.strerror})") from error
    raise FormatError(
        f"{place}: not a tokenizer tokkit knows; it reads "
        + ", ".join(form.description for form in FORMATS.values())
    )


def save(
    tokenizer: Tokenizer, path: str | Path, to: str = "hf", *, force: bool = False
) -> None:
    """Write a tokenizer, atomically, and check the result through the foreign library.

    Args:
        tokenizer: What to write.
        path: Where; a folder for ``"hf"`` and ``"files"``, a file otherwise.
        to: A name of `FORMATS`.
        force: Whether to replace what is already at `path`.

    Raises:
        UsageError: If the format is unknown or not writable, or `path` exists without `force`.
        FormatError: If the format cannot say what the tokenizer does.
        CheckError: If what was written does not mean the same to the foreign library.
    """
    form = FORMATS.get(to)
    if form is None or not form.writable:
        known = ", ".join(name for name, each in FORMATS.items() if each.writable)
        raise UsageError(f"cannot write the format {to!r}: choose one of {known}")
    if Path(path).exists() and not force:
        raise UsageError(f"{path} exists: choose another place or ask for it to be replaced")
    form.function("write")(tokenizer, Path(path), force=force)


def _download(identifier: str) -> Path:
    """Fetch ``tokenizer.json`` of a Hub id; anything that fails is a `FormatError`."""
    if identifier.startswith((".", "/", "~")) or identifier.count("/") > 1:
        raise FormatError(f"{identifier}: no such file or folder")
    from huggingface_hub import constants, hf_hub_download

    is_offline = not _answers(constants.ENDPOINT)
    try:
        file = hf_hub_download(identifier, "tokenizer.json", local_files_only=is_offline)
        return Path(file)
    except Exception as error:
        raise FormatError(
            f"{identifier}: no such file or folder, and not to be had from the Hub "
            f"({type(error).__name__})"
        ) from None


def _answers(address: str) -> bool:
    """Whether a server answers; asked once, where the Hub's library tries for half a minute."""
    parts = urlsplit(address)
    if getproxies():
        return True
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 443), timeout=5):
            return True
    except OSError:
        return False
