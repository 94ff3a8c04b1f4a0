"""How long texts are, in everything that is counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tokkit.analysis.scripts import SPACELESS, main_script
from tokkit.tokenizer import Tokenizer

MOST_UNKNOWN = 0.1
"""With a larger share of unknown tokens a text is lost: Petrov et al. leave such pairs out."""
_LETTERS = 1 << 18
"""How many bytes of a language tell its script."""

Table = NDArray[np.int64]
"""One number per document and language, ``int64[documents, languages]``."""


@dataclass(frozen=True)
class Sizes:
    """How long texts are, before any tokenizer.

    Attributes:
        languages: What the columns are of.
        bytes: Of UTF-8, by document and language.
        characters: Code points, of each language.
        words: What white space parts, of each language.
        scripts: What each language is written in.
    """

    languages: Sequence[str]
    bytes: Table
    characters: NDArray[np.int64]
    words: NDArray[np.int64]
    scripts: Sequence[str]

    @property
    def documents(self) -> int:
        """How many there are."""
        return len(self.bytes)

    @property
    def has_words(self) -> NDArray[np.bool_]:
        """Whether words are parted by spaces, for each language."""
        return np.array([script not in SPACELESS for script in self.scripts])


class Counted(NamedTuple):
    """The tokens of one language.

    Attributes:
        tokens: Of each document, ``int64[documents]``.
        unknown: How many of all are unknown.
    """

    tokens: NDArray[np.int64]
    unknown: int


@dataclass(frozen=True)
class Counts:
    """The tokens of all languages under one tokenizer.

    Attributes:
        tokens: By document and language.
        unknown: How many are unknown, of each language.
    """

    tokens: Table
    unknown: NDArray[np.int64]

    @classmethod
    def of(cls, counted: Sequence[Counted]) -> "Counts":
        """Put languages side by side."""
        columns, unknown = zip(*counted, strict=True)
        return cls(np.stack(columns, axis=1), np.array(unknown, dtype=np.int64))

    @property
    def unknown_share(self) -> NDArray[np.float64]:
        """The share of unknown tokens, of each language."""
        share: NDArray[np.float64] = self.unknown / np.maximum(self.tokens.sum(axis=0), 1)
        return share

    @property
    def flagged(self) -> NDArray[np.bool_]:
        """Whether too many are unknown, for each language."""
        return self.unknown_share > MOST_UNKNOWN


def join(texts: Mapping[str, Sequence[bytes]]) -> dict[str, list[bytes]]:
    """Make one text of the documents of each language, with a space between two."""
    return {language: [b" ".join(documents)] for language, documents in texts.items()}


def measure(texts: Mapping[str, Sequence[bytes]]) -> Sizes:
    """Measure texts, without any tokenizer."""
    lengths = [[len(document) for document in documents] for documents in texts.values()]
    characters, words, scripts = [], [], []
    for documents in texts.values():
        decoded = [document.decode("utf-8", "replace") for document in documents]
        characters.append(sum(map(len, decoded)))
        words.append(sum(len(text.split()) for text in decoded))
        scripts.append(main_script(" ".join(decoded)[:_LETTERS]))
    return Sizes(
        tuple(texts),
        np.array(lengths, dtype=np.int64).T,
        np.array(characters, dtype=np.int64),
        np.array(words, dtype=np.int64),
        tuple(scripts),
    )


def count(tokenizer: Tokenizer, documents: Sequence[bytes]) -> Counted:
    """Count the tokens of documents; special tokens in them are text."""
    ids = tokenizer.encode_batch(documents, parse_specials=False)
    unknown = unknown_id(tokenizer)
    lost = 0 if unknown is None else sum(int((each == unknown).sum()) for each in ids)
    return Counted(np.array([len(each) for each in ids], dtype=np.int64), lost)


def unknown_id(tokenizer: Tokenizer) -> int | None:
    """Return the id of what has no token; None if a tokenizer has a token for everything."""
    for name in ("unk_id", "unknown_id"):
        found = getattr(tokenizer.segmenter, name, None)
        if found is not None:
            return int(found)
    return None
