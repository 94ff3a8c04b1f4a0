"""A tokenizer: a vocabulary and the deterministic rule that cuts bytes into its tokens."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tokkit.added import AddedTokens, Segment
from tokkit.errors import TokkitError, VocabularyError
from tokkit.kernels._jit import Ids
from tokkit.normalize import ForeignNormalizer, Normalizer, readable
from tokkit.patterns import Pattern
from tokkit.pretokenize import Pieces, Pretokenizer, Whole
from tokkit.segment import Segmenter
from tokkit.vocab import Vocabulary, flatten

FirstSpace = Literal["keep", "strip one", "strip all"]

_BATCH = 1 << 22
"""How many bytes of text are cut and segmented at once."""
_NO_IDS = np.zeros(0, dtype=np.int32)


@dataclass(frozen=True)
class Source:
    """What a tokenizer was loaded from.

    Attributes:
        format: A name of `tokkit.formats.FORMATS`, such as ``"hf"``.
        path: The file.
        content: Its bytes, where writing the same format again needs them.
    """

    format: str
    path: Path
    content: bytes = field(default=b"", repr=False)


def to_bytes(text: bytes | str) -> bytes:
    r"""Return the bytes of `text`; pairs of surrogates become one character, lone ones U+FFFD.

    Example: ``"a\ud83d\ude00\ud83d"`` is ``"a😀\ufffd"``; tiktoken reads strings like this.
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

    Immutable, picklable, and safe to use from several threads.

    Attributes:
        vocab: Which bytes each id stands for.
        segmenter: Turns pieces into ids.
        pretokenizer: Cuts text into pieces.
        normalizer: Rewrites text before it is cut; None: not at all.
        added: Tokens of their own wherever they occur in text.
        pattern: What `pretokenizer` cuts by, where that is one pattern.
        source: What the tokenizer was loaded from.
        first_pretokenizer: Cuts the stretch a text begins with, where that is cut differently.
        first_space: What `decode` does with a space, or spaces, that the first token begins
            with.
        keeps_bytes: Whether any bytes will do; else what is not UTF-8 becomes U+FFFD.
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
    keeps_bytes: bool = field(default=True, kw_only=True)

    def __len__(self) -> int:
        return len(self.vocab)

    def encode(self, data: bytes | str, *, parse_specials: bool | None = None) -> Ids:
        """Return the ids of a text.

        Args:
            data: The text, as a string or as UTF-8.
            parse_specials: Whether special tokens written in the text become their ids; None:
                as the library the tokenizer comes from does by default.

        Returns:
            The ids, ``int32[n]``.
        """
        return self.encode_batch([data], parse_specials=parse_specials)[0]

    def encode_batch(
        self, batch: Sequence[bytes | str], *, parse_specials: bool | None = None
    ) -> list[Ids]:
        """Return the ids of several texts; quicker than one by one.

        Args:
            batch: The texts, as strings or as UTF-8.
            parse_specials: See `encode`.

        Returns:
            The ids of each text, ``int32[n]``.
        """
        ids: list[Ids] = []
        waiting: list[list[Segment]] = []
        size = 0
        for text in batch:
            segments = self._split(text, parse_specials)
            waiting.append(segments)
            size += sum(len(segment.data) for segment in segments)
            if size >= _BATCH:
                ids += self._segment_all(waiting)
                waiting, size = [], 0
        return ids + self._segment_all(waiting)

    def _split(self, text: bytes | str, parse_specials: bool | None) -> list[Segment]:
        """Cut a text at its added tokens and normalize the rest."""
        data = to_bytes(text)
        if not self.keeps_bytes and text is data:
            data = readable(data).encode()
        return self.added.split(data, self.normalizer, parse_specials)

    def _segment_all(self, texts: list[list[Segment]]) -> list[Ids]:
        """Cut and segment what lies between the added tokens of several texts."""
        joined = [segment.data for text in texts for segment in text if segment.token_id < 0]
        if rewrites(self.pretokenizer) or self.first_pretokenizer:
            pieces, ends = self._cut_each(texts)
        else:
            whole = Pieces(*flatten(joined))
            pieces = self.pretokenizer.split(whole)
            ends = np.searchsorted(pieces.ends, whole.ends, side="right")
        ids, id_ends = self.segmenter.segment(pieces)
        bounds = iter(pairwise([0, *np.append(0, id_ends)[ends].tolist()]))
        return [_assemble(text, ids, bounds) for text in texts]

    def _cut_each(self, texts: list[list[Segment]]) -> tuple[Pieces, NDArray[np.int64]]:
        """Cut stretch by stretch: the pieces, and how many there are up to each stretch."""
        cuts = [
            self._pretokenizer_for(segment, number == 0).split(Pieces(*flatten([segment.data])))
            for text in texts
            for number, segment in enumerate(text)
            if segment.token_id < 0
        ]
        counts = np.array([cut.ends.size for cut in cuts], dtype=np.int64)
        starts = np.cumsum([0, *(cut.data.size for cut in cuts)])
        empty = np.zeros(0, dtype=np.int64)
        ends = [cut.ends + start for cut, start in zip(cuts, starts, strict=False)]
        data = [np.zeros(0, dtype=np.uint8), *(cut.data for cut in cuts)]
        return Pieces(np.concatenate(data), np.concatenate([empty, *ends])), np.cumsum(counts)

    def _pretokenizer_for(self, segment: Segment, leads: bool) -> Pretokenizer:
        """Choose what cuts a stretch; it `leads` if it is the first of those to be cut."""
        is_first = segment.start == 0 or (leads and segment.start < 0)
        if self.first_pretokenizer is None or not is_first:
            return self.pretokenizer
        normalizer = self.normalizer
        if isinstance(normalizer, ForeignNormalizer) and not normalizer.keeps_start(
            segment.raw, len(segment.data)
        ):
            return self.pretokenizer
        return self.first_pretokenizer

    def decode(self, ids: Sequence[int] | Ids, *, specials: bool = False) -> bytes:
        """Return the bytes that `ids` stand for.

        Args:
            ids: Token ids.
            specials: Whether special tokens give the text they are written with, or nothing.

        Raises:
            VocabularyError: If an id is outside the vocabulary.
        """
        table = self._texts if specials else self.vocab.tokens
        parts = []
        for token_id in map(int, ids):
            if not 0 <= token_id < len(table):
                raise VocabularyError(
                    f"id {token_id} is outside a vocabulary of {len(table)} tokens"
                )
            parts.append(table[token_id])
        if self.first_space != "keep":
            number = next((number for number, part in enumerate(parts) if part), 0)
            if parts and self.first_space == "strip one":
                parts[number] = parts[number].removeprefix(b" ")
            elif parts:
                parts[number] = parts[number].replace(b" ", b"")
        return b"".join(parts)

    def is_canonical(self, ids: Sequence[int] | Ids) -> bool:
        """Return whether `encode` can give just these ids.

        Between special tokens they have to be what the bytes they stand for are encoded as.
        """
        wanted = np.array(ids, dtype=np.int64)
        special = np.isin(wanted, list(self.vocab.specials.values()))
        places = [-1, *np.flatnonzero(special).tolist(), wanted.size]
        runs = (wanted[start + 1 : end].tolist() for start, end in pairwise(places))
        return all(self._is_run(run, number == 0) for number, run in enumerate(runs) if run)

    def _is_run(self, ids: list[int], is_first: bool) -> bool:
        """Return whether a stretch, or a whole text if it `is_first`, can have these ids."""
        for data in {self.decode(ids), b"".join(self.vocab.tokens[i] for i in ids)}:
            segments = self.added.split(data, self.normalizer, parse_specials=False)
            if not is_first:
                segments = [segment._replace(start=segment.start + 1) for segment in segments]
            if self._segment_all([segments])[0].tolist() == ids:
                return True
        return False

    def spans(
        self, data: bytes | str, *, parse_specials: bool | None = None
    ) -> NDArray[np.int64]:
        """Return where each token of a text lies in it.

        A space that the tokenizer puts before a text belongs to no byte of it.

        Args:
            data: The text, as a string or as UTF-8.
            parse_specials: See `encode`.

        Returns:
            Start and end of each token, in bytes, ``int64[n, 2]``.

        Raises:
            TokkitError: If the tokenizer rewrites this text, so that its tokens have no place
                in it.
        """
        spans: list[tuple[int, int]] = []
        segments = self._split(data, parse_specials)
        ids = self._segment_all([[segment] for segment in segments])
        for segment, own in zip(segments, ids, strict=True):
            if segment.token_id >= 0 and segment.start >= 0:
                spans.append((segment.start, segment.start + len(segment.raw)))
            else:
                spans += _place(segment, [self.vocab.tokens[i] for i in own.tolist()])
        return np.array(spans, dtype=np.int64).reshape(-1, 2)

    @cached_property
    def _texts(self) -> tuple[bytes, ...]:
        """What each id is written with, special tokens included."""
        texts = list(self.vocab.tokens)
        for text, token_id in self.vocab.specials.items():
            texts[token_id] = text.encode()
        return tuple(texts)

    @cached_property
    def digest(self) -> str:
        """A BLAKE2b hash of everything that decides what comes out, 32 hexadecimal digits."""
        state = hashlib.blake2b(digest_size=16)
        for each in fields(self):
            if each.name not in ("source", "pattern"):
                _update(state, getattr(self, each.name))
        return state.hexdigest()


def rewrites(pretokenizer: Pretokenizer) -> bool:
    """Tell whether the bytes of what comes out can differ from what goes in."""
    parts: Sequence[Pretokenizer] = getattr(pretokenizer, "parts", ())
    return bool(getattr(pretokenizer, "rewrites", False)) or any(map(rewrites, parts))


def _assemble(text: list[Segment], ids: Ids, bounds: Iterator[tuple[int, int]]) -> Ids:
    """Put the ids of a text together from those of its added tokens and of what is between."""
    if len(text) == 1 and text[0].token_id < 0:
        start, end = next(bounds)
        return ids[start:end].copy()
    parts = [_NO_IDS]
    for segment in text:
        if segment.token_id >= 0:
            parts.append(np.array([segment.token_id], dtype=np.int32))
        else:
            start, end = next(bounds)
            parts.append(ids[start:end])
    return np.concatenate(parts)


def _place(segment: Segment, tokens: list[bytes]) -> list[tuple[int, int]]:
    """Place tokens in the text they spell, or spell with one space before it."""
    joined = b"".join(tokens)
    shift = len(joined) - len(segment.raw)
    if segment.start < 0 or joined not in (segment.raw, b" " + segment.raw):
        raise TokkitError(
            "tokens have no place in a text that the tokenizer rewrites before it cuts it: "
            f"{segment.raw[:40]!r} became {joined[:40]!r}"
        )
    ends = np.cumsum([0, *map(len, tokens)]) - shift
    places = [segment.start + max(int(end), 0) for end in ends]
    return list(pairwise(places))


def _update(state: Any, value: object) -> None:
    """Hash a value by what it is: arrays by content, objects by their type and public parts."""
    if isinstance(value, Vocabulary):
        state.update(value.digest.encode())
    elif isinstance(value, np.ndarray):
        state.update(f"{value.dtype.str}{value.shape}".encode() + value.tobytes())
    elif isinstance(value, bytes | str | int | float | None):
        state.update(repr(value).encode())
    elif isinstance(value, Mapping):
        _update(state, sorted(value.items()))
    elif isinstance(value, tuple | list):
        state.update(f"{len(value)}(".encode())
        for each in value:
            _update(state, each)
    else:
        state.update(type(value).__name__.encode())
        for name, part in sorted(vars(value).items()):
            if not name.startswith("_"):
                state.update(name.encode())
                _update(state, part)


__all__ = ["FirstSpace", "Source", "Tokenizer", "rewrites", "to_bytes"]
