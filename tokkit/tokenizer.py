"""A tokenizer: a vocabulary and the deterministic rule that cuts bytes into its tokens."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tokkit.added import AddedTokens, Segment
from tokkit.errors import VocabularyError
from tokkit.kernels._jit import Ids
from tokkit.normalize import Normalizer
from tokkit.patterns import Pattern
from tokkit.pretokenize import Pieces, Pretokenizer, Whole
from tokkit.segment import Segmenter
from tokkit.vocab import Vocabulary, flatten

FirstSpace = Literal["keep", "strip one", "strip all"]


@dataclass(frozen=True)
class Source:
    """What a tokenizer was loaded from.

    Attributes:
        format: A name of `tokkit.formats`, such as ``"hf"``.
        path: The file.
        content: Its bytes, where writing the same format again needs them.
    """

    format: str
    path: Path
    content: bytes = field(default=b"", repr=False)


def to_bytes(text: bytes | str) -> bytes:
    """Return the bytes of `text`; lone surrogates become U+FFFD, pairs one character.

    Example: ``"a\\ud83d\\ude00"`` -> ``b"a\\xf0\\x9f\\x98\\x80"``.
    """
    if isinstance(text, bytes):
        return text
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


@dataclass(frozen=True, eq=False)
class Tokenizer:
    """A vocabulary and the rule that cuts bytes into its tokens; one class for every family.

    Attributes:
        vocab: Which bytes each id stands for.
        segmenter: Turns pieces into ids.
        pretokenizer: Cuts text into pieces.
        normalizer: Rewrites text before it is cut; None: not at all.
        added: Tokens of their own wherever they occur in text.
        pattern: What `pretokenizer` cuts by, where that is one pattern.
        source: What the tokenizer was loaded from.
        first_pretokenizer: Cuts the stretch a text begins with, where that is cut differently.
        first_space: What `decode` does with a space (or spaces) the first token begins with.
    """

    vocab: Vocabulary
    segmenter: Segmenter
    pretokenizer: Pretokenizer = field(default_factory=Whole, kw_only=True)
    normalizer: Normalizer | None = field(default=None, kw_only=True)
    added: AddedTokens = field(default_factory=AddedTokens, kw_only=True)
    pattern: Pattern | None = field(default=None, kw_only=True)
    source: Source | None = field(default=None, kw_only=True)
    first_pretokenizer: Pretokenizer | None = field(default=None, kw_only=True)
    first_space: FirstSpace = field(default="keep", kw_only=True)

    def __len__(self) -> int:
        return len(self.vocab)

    def encode(self, data: bytes | str, *, parse_specials: bool | None = None) -> Ids:
        """Return the ids of `data`, ``int32[n]``.

        Args:
            data: Text, as a string or UTF-8.
            parse_specials: Whether special tokens written in the text become their ids;
                None: as the library the tokenizer comes from does by default.
        """
        return self.encode_batch([data], parse_specials=parse_specials)[0]

    def encode_batch(
        self, batch: Sequence[bytes | str], *, parse_specials: bool | None = None
    ) -> list[Ids]:
        """Return the ids of every text of `batch`, each ``int32[n]``; see `encode`."""
        return [
            np.concatenate(
                [
                    np.zeros(0, dtype=np.int32),
                    *map(
                        self._segment,
                        self.added.split(to_bytes(d), self.normalizer, parse_specials),
                    ),
                ]
            )
            for d in batch
        ]

    def _segment(self, segment: Segment) -> Ids:
        if segment.token_id >= 0:
            return np.array([segment.token_id], dtype=np.int32)
        if not segment.data:
            return np.zeros(0, dtype=np.int32)
        return self.segmenter.segment(
            self.pretokenizer.split(Pieces(*flatten([segment.data])))
        )[0]

    def decode(self, ids: Sequence[int] | Ids, *, specials: bool = False) -> bytes:
        """Return the bytes that `ids` stand for.

        Args:
            ids: Token ids.
            specials: Whether special tokens give the text they are written with, or nothing.

        Raises:
            VocabularyError: If an id is outside the vocabulary.
        """
        tokens = self.vocab.tokens
        texts = (
            {i: text.encode() for text, i in self.vocab.specials.items()} if specials else {}
        )
        parts = []
        for token_id in map(int, ids):
            if not 0 <= token_id < len(tokens):
                raise VocabularyError(
                    f"id {token_id} is outside a vocabulary of {len(tokens)} tokens"
                )
            parts.append(texts.get(token_id, tokens[token_id]))
        return b"".join(parts)

    def is_canonical(self, ids: Sequence[int] | Ids) -> bool:
        """Return whether `ids` are what their bytes are encoded as."""
        again = self.encode(self.decode(ids, specials=True))
        return again.tolist() == list(map(int, ids))

    def spans(self, data: bytes | str) -> NDArray[np.int64]:
        """Return the byte offsets of each token of `data`, ``int64[n, 2]``: start and end.

        Raises:
            TokkitError: If the tokenizer rewrites this text, so that tokens have no place in it.
        """
        lengths = [len(self.vocab.tokens[i]) for i in self.encode(data)]
        ends = np.cumsum(np.array(lengths, dtype=np.int64))
        return np.stack([ends - np.array(lengths, dtype=np.int64), ends], axis=1)

    @property
    def digest(self) -> str:
        """A hash of what the tokenizer does, 32 hexadecimal digits."""
        return self.vocab.digest


_ = Any
