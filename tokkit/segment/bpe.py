"""Byte-pair encoding: adjacent symbols are merged, the best-ranked pair first."""

import re
from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tokkit.kernels._jit import Bytes, Ids, Offsets, frozen
from tokkit.kernels.bpe import fill_pairs, merge_pieces
from tokkit.kernels.units import cut_pieces, fill_neighbours, read_units, write_ids
from tokkit.kernels.whole import fill_words, find_words
from tokkit.pretokenize import Pieces
from tokkit.segment.cached import CachedSegmenter
from tokkit.vocab import flatten

Units = Literal["bytes", "characters"]

_LEAST = 24
"""Pieces longer than this are cut where no merge can reach across."""
_PAGES = 0x110000 >> 8
_CROSSING = re.compile(rb"[^ ] ")
_WORTHWHILE = 1000
"""Fewer merges than this are not made a stage of their own."""
_VARIANTS = 4


class BPE(CachedSegmenter):
    """Merges the best-ranked pair of adjacent symbols, the leftmost first, until none is left.

    Attributes:
        spellings: What pieces spell each id with; ``b""`` for ids that text cannot produce.
            Ids from `size` on are virtual: they take part in merges, but what is left of them
            at the end comes out as an unknown symbol.
        merges: ``int32[m, 3]``: left id, right id and the id of both, best first; the last of
            equal pairs counts.
        ranks: ``int32[m]``, the rank of each merge, lower is better; ``arange(m)`` by default.
        units: What a piece is cut into before merging.
        ignore_merges: Whether a piece that is a token is that token without any merging.
        byte_fallback: The 256 ids that stand for the bytes of unknown symbols, -1 where there
            is none; symbols with such a byte are `unk_id`.
        unk_id: The id of unknown symbols without `byte_fallback`; None: they are dropped.
        fuse_unk: Whether a run of unknown symbols is one `unk_id`.
        late_unk: Whether symbols are replaced as unknown after merging (SentencePiece) rather
            than before it (Hugging Face).
        prefix: Put before every unit but the first of a piece when it is looked up.
        suffix: Put after the last unit of a piece when it is looked up.
        size: Number of ids that can come out.
    """

    def __init__(
        self,
        spellings: Sequence[bytes],
        merges: NDArray[np.int32],
        *,
        ranks: NDArray[np.int32] | None = None,
        units: Units = "bytes",
        ignore_merges: bool = False,
        byte_fallback: Sequence[int] | None = None,
        unk_id: int | None = None,
        fuse_unk: bool = False,
        late_unk: bool = False,
        prefix: bytes = b"",
        suffix: bytes = b"",
        size: int | None = None,
    ) -> None:
        super().__init__()
        self.spellings = tuple(spellings)
        self.merges = np.ascontiguousarray(merges, dtype=np.int32).reshape(-1, 3)
        self.ranks = np.arange(len(self.merges), dtype=np.int32) if ranks is None else ranks
        self.units: Units = units
        self.ignore_merges = ignore_merges
        self.byte_fallback = None if byte_fallback is None else tuple(byte_fallback)
        self.unk_id = unk_id
        self.fuse_unk = fuse_unk
        self.late_unk = late_unk
        self.prefix = prefix
        self.suffix = suffix
        self.size = len(self.spellings) if size is None else size
        self._pages, self._units = _unit_table(self.spellings, units, prefix, suffix)
        self._pairs = _pair_table(self.merges, self.ranks)
        data, ends = flatten(self.spellings)
        self._spellings, self._ends = frozen(data), frozen(ends)
        self._words = _word_table(self._spellings, self._ends, ignore_merges)
        self._fallback = np.full(256, -1, dtype=np.int32)
        if byte_fallback is not None:
            self._fallback[:] = byte_fallback
        self._neighbours: Offsets | None = None
        self._within_words: BPE | None = None
        if not (ignore_merges or prefix or suffix):
            merged = np.unique(self.merges[:, 2]).tolist()
            self._neighbours = _neighbour_table((self.spellings[i] for i in merged), units)
            first = 0 if late_unk else _first_stage(self.spellings, self.merges, self.ranks)
            if first:
                self._within_words = BPE(
                    self.spellings,
                    self.merges[:first],
                    units=units,
                    byte_fallback=byte_fallback,
                    unk_id=unk_id,
                    fuse_unk=fuse_unk,
                )

    def segment(self, pieces: Pieces) -> tuple[Ids, Offsets]:
        """Return the ids of all pieces, ``int32[n]``, and where each piece ends in them."""
        cuts = None if self._neighbours is None else self._cut(pieces, self._neighbours)
        if cuts is None:
            return self._segment_cut(pieces)
        ids, id_ends = self._segment_cut(Pieces(pieces.data, cuts))
        return ids, id_ends[np.searchsorted(cuts, pieces.ends)]

    def _segment_cut(self, pieces: Pieces) -> tuple[Ids, Offsets]:
        """Segment pieces that need not be cut: at once, or first within words."""
        if self._within_words is None:
            return super().segment(pieces)
        ids, id_ends = self._within_words.segment(pieces)
        count = merge_pieces(ids, np.empty(ids.size, dtype=np.int64), id_ends, self._pairs)
        return ids[:count], id_ends

    def segment_new(self, data: Bytes, starts: Offsets, ends: Offsets) -> tuple[Ids, Offsets]:
        """Segment the pieces ``data[starts[i]:ends[i]]``: their ids and where each ends."""
        room = int((ends - starts).sum())
        symbols = np.empty(room, dtype=np.int32)
        places = np.empty(room, dtype=np.int64)
        symbol_ends = np.empty(ends.size, dtype=np.int64)
        unknown = -1 if self.unk_id is None else self.unk_id
        read_units(
            data,
            starts,
            ends,
            self.units == "bytes",
            self._pages,
            self._units,
            self._fallback,
            unknown,
            self.fuse_unk,
            self.late_unk,
            self._find_whole(data, starts, ends),
            symbols,
            places,
            symbol_ends,
        )
        count = merge_pieces(symbols, places, symbol_ends, self._pairs)
        if not self.late_unk:
            return symbols[:count], symbol_ends
        ids = np.empty(room, dtype=np.int32)
        id_ends = np.empty(ends.size, dtype=np.int64)
        written = write_ids(
            data,
            ends,
            symbols,
            places,
            symbol_ends,
            self._fallback,
            unknown,
            self.fuse_unk,
            self.size,
            ids,
            id_ends,
        )
        return ids[:written], id_ends

    def _find_whole(self, data: Bytes, starts: Offsets, ends: Offsets) -> Ids:
        """Return the id that each piece has as a whole, or -1; nothing if merges decide."""
        found = np.empty(starts.size if self.ignore_merges else 0, dtype=np.int32)
        if self.ignore_merges:
            find_words(data, starts, ends, self._words, self._spellings, self._ends, found)
        return found

    def _cut(self, pieces: Pieces, neighbours: Offsets) -> Offsets | None:
        """Return where pieces end once long ones are cut; None if there are no long ones."""
        data, ends = frozen(pieces.data), frozen(pieces.ends)
        if not ends.size or np.diff(ends, prepend=0).max() <= _LEAST:
            return None
        room = data.size // 3 + ends.size
        while True:
            cuts = np.empty(room, dtype=np.int64)
            count = cut_pieces(
                data,
                ends,
                self.units == "bytes",
                self._pages,
                self._units,
                neighbours,
                _LEAST,
                cuts,
            )
            if count <= room:
                return cuts[:count]
            room = count


def _first_stage(
    spellings: Sequence[bytes], merges: NDArray[np.int32], ranks: NDArray[np.int32]
) -> int:
    """Return how many merges can be done within words before any others; 0 if all or none.

    Where superwords are learned after words (SuperBPE), the first tokens do not go on from a
    character into a space, so text can be cut there, and words that were seen before are known.
    The result is the same if no merge across words makes what a merge within them needs.

    Example: ``t h -> th``, ``_ th -> _th``, ``th _th -> th_th`` gives 2.
    """
    in_order = bool((np.diff(ranks) > 0).all())
    crosses = (_CROSSING.search(spellings[merged]) for merged in merges[:, 2].tolist())
    first = next((number for number, found in enumerate(crosses) if found), 0)
    if not in_order or first < _WORTHWHILE:
        return 0
    pairs = merges[:, 0].astype(np.int64) << 32 | merges[:, 1]
    if np.unique(pairs).size < len(pairs):
        return 0
    return 0 if np.isin(merges[:first, :2], merges[first:, 2]).any() else first


def _rows(entries: int) -> int:
    """Return the rows of a table that `entries` fill at most half: 3 -> 8."""
    return 1 << (2 * max(entries, 1)).bit_length()


def _pair_table(merges: NDArray[np.int32], ranks: NDArray[np.int32]) -> Offsets:
    """Build `pairs`, see `tokkit.kernels.bpe`."""
    pairs = np.zeros((_rows(len(merges)), 2), dtype=np.int64)
    left, right, merged = (np.ascontiguousarray(merges[:, column]) for column in range(3))
    fill_pairs(left, right, ranks.astype(np.int64) << 32 | merged, pairs)
    return pairs


def _word_table(spellings: Bytes, ends: Offsets, is_used: bool) -> Ids:
    """Build `words`, see `tokkit.kernels.whole`."""
    words = np.zeros(_rows(ends.size) if is_used else 1, dtype=np.int32)
    if is_used:
        fill_words(spellings, ends, words)
    return words


def _unit_table(
    spellings: Sequence[bytes], units: Units, prefix: bytes, suffix: bytes
) -> tuple[NDArray[np.int32], Ids]:
    """Build `pages` and `units`, see `tokkit.kernels.units`; the first of equals counts."""
    longest = (1 if units == "bytes" else 4) + len(prefix) + len(suffix)
    ids: dict[bytes, int] = {}
    for token_id, spelling in enumerate(spellings):
        if 0 < len(spelling) <= longest:
            ids.setdefault(spelling, token_id)
    pages = np.zeros((_VARIANTS, _PAGES), dtype=np.int32)
    filled = [np.full(256, -1, dtype=np.int32)]
    for variant in range(_VARIANTS):
        before = prefix if variant & 1 else b""
        behind = suffix if variant & 2 else b""
        for spelling, token_id in ids.items():
            if not (spelling.startswith(before) and spelling.endswith(behind)):
                continue
            code = _code(spelling[len(before) : len(spelling) - len(behind)], units)
            if code is None:
                continue
            if not pages[variant, code >> 8]:
                pages[variant, code >> 8] = len(filled)
                filled.append(np.full(256, -1, dtype=np.int32))
            filled[pages[variant, code >> 8]][code & 255] = token_id
    return pages, np.concatenate(filled)


def _code(unit: bytes, units: Units) -> int | None:
    """Return the code of a unit; None if it is not exactly one."""
    if units == "bytes":
        return unit[0] if len(unit) == 1 else None
    try:
        text = unit.decode()
    except UnicodeDecodeError:
        return None
    return ord(text) if len(text) == 1 else None


def _neighbour_table(tokens: Iterable[bytes], units: Units) -> Offsets:
    """Collect units that are side by side in a token, see `tokkit.kernels.units`."""
    if units == "bytes":
        data, ends = flatten(list(tokens))
        codes = data.astype(np.int32)
    else:
        texts = [token.decode() for token in tokens]
        codes = np.frombuffer("".join(texts).encode("utf-32-le"), dtype=np.int32)
        ends = np.cumsum(np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)))
    inside = np.ones(max(codes.size - 1, 0), dtype=bool)
    inside[ends[(ends > 0) & (ends < codes.size)] - 1] = False
    keys = np.unique((codes[:-1].astype(np.int64) << 32 | codes[1:])[inside])
    neighbours = np.zeros(_rows(keys.size), dtype=np.int64)
    fill_neighbours(keys, neighbours)
    return neighbours
