"""Spelling bytes with the tokens of a tokenizer as its model does: no normalizer, no prefix."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from tokkit.errors import VocabularyError
from tokkit.kernels._jit import Ids, Offsets
from tokkit.pretokenize import Pieces
from tokkit.tokenizer import Tokenizer, rewrites
from tokkit.vocab import flatten

_MARK = "▁".encode()
"""What stands for a space in the files of some tokenizers."""


def spellings(tokenizer: Tokenizer) -> Sequence[bytes]:
    """Return how the model of a tokenizer spells each id: ``b" a"`` may be ``"▁a"`` there."""
    segmenter = getattr(tokenizer.segmenter, "inner", tokenizer.segmenter)
    found: Sequence[bytes] = getattr(segmenter, "spellings", tokenizer.vocab.tokens)
    return found


def spell(tokenizer: Tokenizer, texts: Sequence[bytes]) -> tuple[Offsets, Ids]:
    """Cut byte strings into tokens whose bytes are just these, where there are any.

    The tokenizer's pre-tokenizer cuts first, unless it rewrites; then its model does. What
    that does not spell byte for byte (characters that are unknown to it) is spelled with as
    few tokens as possible, the longest first.

    Args:
        tokenizer: Whose tokens to use.
        texts: Byte strings; they need not be UTF-8.

    Returns:
        Where the ids of each text end, ``int64[texts]``, and the ids, ``int32[n]``; none for a
        text that cannot be spelled, or is empty.
    """
    tokens = tokenizer.vocab.tokens
    ends, ids = _segment(tokenizer, texts)
    bounds = pairwise([0, *ends.tolist()])
    found = [ids[start:end].tolist() for start, end in bounds]
    by_bytes: Mapping[bytes, int] | None = None
    longest = 0
    for number, text in enumerate(texts):
        if b"".join([tokens[i] for i in found[number]]) != text or b"" in (
            tokens[i] for i in found[number]
        ):
            if by_bytes is None:
                by_bytes = usual_ids(tokenizer)
                longest = max(map(len, by_bytes), default=0)
            found[number] = _fewest(text, by_bytes, longest)
    flat = [token for each in found for token in each]
    lengths = np.fromiter(map(len, found), dtype=np.int64, count=len(found))
    return np.cumsum(lengths), np.array(flat, dtype=np.int32)


def _segment(tokenizer: Tokenizer, texts: Sequence[bytes]) -> tuple[Offsets, Ids]:
    """Let the model cut each text; nothing at all if it refuses one."""
    spelled = list(texts)
    if _marks_spaces(tokenizer):
        spelled = [text.replace(b" ", _MARK) for text in texts]
    whole = Pieces(*flatten(spelled))
    pieces = whole
    if not rewrites(tokenizer.pretokenizer):
        pieces = tokenizer.pretokenizer.split(whole)
    pieces = Pieces(pieces.data, np.unique(pieces.ends[pieces.ends > 0]))
    try:
        ids, id_ends = tokenizer.segmenter.segment(pieces)
    except VocabularyError:
        return np.zeros(len(texts), dtype=np.int64), np.zeros(0, dtype=np.int32)
    counts = np.searchsorted(pieces.ends, whole.ends, side="right")
    return np.append(0, id_ends)[counts], ids


def _marks_spaces(tokenizer: Tokenizer) -> bool:
    """Tell whether the model of a tokenizer has ``▁`` where its tokens have a space."""
    pairs = zip(tokenizer.vocab.tokens, spellings(tokenizer), strict=False)
    return any(
        text != spelling and text.replace(b" ", _MARK) == spelling for text, spelling in pairs
    )


def usual_ids(tokenizer: Tokenizer) -> Mapping[bytes, int]:
    """Return the id of each byte string; of several the one that text usually gets.

    That is one which is not a fallback for a byte of unknown characters, and of these the
    lowest. Llama-2 has ``A`` and ``<0x41>``; the first is meant.
    """
    segmenter = getattr(tokenizer.segmenter, "inner", tokenizer.segmenter)
    fallback = set(getattr(segmenter, "byte_fallback", None) or ())
    ids: dict[bytes, int] = {}
    for token_id, token in enumerate(tokenizer.vocab.tokens):
        if token and (
            token not in ids or (ids[token] in fallback and token_id not in fallback)
        ):
            ids[token] = token_id
    return ids


def _fewest(text: bytes, ids: Mapping[bytes, int], longest: int) -> list[int]:
    """Spell `text` with as few tokens as possible, the longest first; nothing if none do.

    Example: ``abcd`` with ``a``, ``ab``, ``bcd``, ``c``, ``cd`` is ``ab cd``.

    Args:
        text: What to spell.
        ids: The id of each token.
        longest: The length of the longest of them.
    """
    needed = [0] * (len(text) + 1)  # tokens from each place to the end
    step = [0] * (len(text) + 1)
    for start in range(len(text) - 1, -1, -1):
        needed[start] = len(text) + 1
        for end in range(min(start + longest, len(text)), start, -1):
            if 1 + needed[end] < needed[start] and text[start:end] in ids:
                needed[start], step[start] = 1 + needed[end], end
    if needed[0] > len(text):
        return []
    found = []
    place = 0
    while place < len(text):
        found.append(ids[text[place : step[place]]])
        place = step[place]
    return found
