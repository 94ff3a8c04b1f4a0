"""Why no text gives a token, where that can be seen without a search."""

from collections.abc import Sequence

import numpy as np

from tokkit.formats.sentencepiece_normalizer import SentencePieceNormalizer
from tokkit.formats.set_apart import SetApart
from tokkit.kernels._jit import Ids, Offsets
from tokkit.pretokenize import Pieces
from tokkit.segment import Segmenter
from tokkit.segment.bpe import BPE
from tokkit.segment.unigram import Unigram
from tokkit.tokenizer import Tokenizer
from tokkit.utf8 import is_utf8, may_occur
from tokkit.vocab import flatten

_ROUNDING = 1e-3
"""More than rounding changes sums in 64 bits, of texts of any size that fits into memory."""


def prove(tokenizer: Tokenizer, tokens: Sequence[int]) -> dict[int, str]:
    """Return the cause, a key of `reachability.CAUSES`, for tokens that no text gives.

    Args:
        tokenizer: The tokenizer.
        tokens: Those in question; all of them have bytes.
    """
    texts = tokenizer.vocab.tokens
    segmenter = inner_segmenter(tokenizer.segmenter)
    fallback = set(getattr(segmenter, "byte_fallback", None) or ())
    usual = {data: token for token, data in enumerate(texts) if token not in fallback}
    # Where whole pieces are looked up first, merging decides nothing.
    looks_up = getattr(segmenter, "ignore_merges", False)
    merges = set() if looks_up else set(unmergeable(tokenizer))
    outscored = _outscored(tokenizer)
    causes: dict[int, str] = {}
    for token in tokens:
        data = texts[token]
        if not may_occur(data):
            causes[token] = "not UTF-8"
        elif token in fallback and is_utf8(data) and data in usual:
            causes[token] = "spelled otherwise"
        elif token in merges:
            causes[token] = "merges"
        elif token in outscored:
            causes[token] = "scores"
        elif _is_replaced(tokenizer, data):
            causes[token] = "normalized"
    return causes


def unmergeable(tokenizer: Tokenizer) -> list[int]:
    """Return the tokens of a BPE vocabulary that its merges alone do not make.

    Where pieces are looked up before they are merged (``ignore_merges``), as Llama 3 does,
    these tokens depend on it: a converter that drops the setting loses them. Without it no
    text gives them: each part of a piece goes through the same merges as it does by itself
    (see `tokkit.canonical.pairs`).
    """
    segmenter = inner_segmenter(tokenizer.segmenter)
    if not isinstance(segmenter, BPE) or segmenter.units != "bytes":
        return []
    strict = BPE(
        segmenter.spellings,
        segmenter.merges,
        ranks=segmenter.ranks,
        prefix=segmenter.prefix,
        suffix=segmenter.suffix,
        size=segmenter.size,
    )
    tokens = [
        (token, spelling)
        for token, spelling in enumerate(segmenter.spellings[: segmenter.size])
        if spelling and token < len(tokenizer.vocab) and tokenizer.vocab.tokens[token]
    ]
    ids, ends = strict.segment(Pieces(*flatten([spelling for _, spelling in tokens])))
    starts = np.append(0, ends[:-1])
    return [
        token
        for (token, _), start, end in zip(tokens, starts.tolist(), ends.tolist(), strict=True)
        if end - start != 1 or ids[start] != token
    ]


def _outscored(tokenizer: Tokenizer) -> set[int]:
    """Return the tokens of a unigram model that others with the same bytes are better than.

    Then they are in no piece, as a better one has the others in their place. Not where scores
    are added up in 32 bits: in a long piece, rounding can hide any difference.
    """
    segmenter = inner_segmenter(tokenizer.segmenter)
    if not isinstance(segmenter, Unigram) or segmenter.single_precision:
        return set()
    tokens = [token for token, spelling in enumerate(segmenter.spellings) if spelling]
    spellings = [segmenter.spellings[token] for token in tokens]
    ids, ends = segmenter.segment(Pieces(*flatten(spellings)))
    found = set()
    for token, spelling, own in zip(tokens, spellings, _parts(ids, ends), strict=True):
        spelled = b"".join(segmenter.spellings[each] for each in own)
        best = float(segmenter.scores[own].sum())
        if spelled == spelling and best > segmenter.scores[token] + _ROUNDING:
            found.add(token)
    return found


def _parts(ids: Ids, ends: Offsets) -> list[list[int]]:
    """Return the ids of each piece."""
    return [part.tolist() for part in np.split(ids, ends[:-1])] if ends.size else []


def _is_replaced(tokenizer: Tokenizer, data: bytes) -> bool:
    """Tell whether SentencePiece's rules replace a character of a token wherever it is.

    They do if there is a rule for it, and no rule gives it: in the table of rules, the texts
    that they give are behind the trie of those that they replace.
    """
    normalizer = tokenizer.normalizer
    if not isinstance(normalizer, SentencePieceNormalizer) or not is_utf8(data):
        return False
    table = normalizer.rules.charsmap
    given = table[4 + int.from_bytes(table[:4], "little") :]
    return bool(table) and any(
        character != " "
        and character.encode() not in given
        and not any(character in text for text in normalizer.protected)
        and character.encode() not in normalizer.normalize(character.encode())
        for character in data.decode()
    )


def inner_segmenter(segmenter: Segmenter) -> Segmenter:
    """Return what segments between texts that are set apart."""
    return segmenter.inner if isinstance(segmenter, SetApart) else segmenter
