"""Why no text gives a token, where that can be seen without a search."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any

import numpy as np

from tokkit.formats.sentencepiece_normalizer import SentencePieceNormalizer
from tokkit.formats.set_apart import SetApart
from tokkit.kernels._jit import Ids, Offsets
from tokkit.normalize import ForeignNormalizer, Normalizer
from tokkit.pretokenize import Pieces
from tokkit.segment import Segmenter
from tokkit.segment.bpe import BPE
from tokkit.segment.unigram import Unigram
from tokkit.tokenizer import Tokenizer
from tokkit.utf8 import is_utf8, may_occur
from tokkit.vocab import flatten

_ROUNDING = 1e-3
"""More than rounding changes sums in 64 bits, of texts of any size that fits into memory."""
_CLOSED = frozenset(
    {"Lowercase", "NFC", "NFD", "NFKC", "NFKD", "StripAccents", "BertNormalizer"}
)
"""Normalizers that leave no character which they change where it stands by itself: tried on all
that there are, and what they do to one does not depend on others, but for what they join."""


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
    replaced = cache(_replaced(tokenizer.normalizer))
    added = {each.token_id for each in tokenizer.added.tokens}  # cut out before all this
    causes: dict[int, str] = {}
    for token in tokens:
        data = texts[token]
        if not may_occur(data):
            causes[token] = "not UTF-8"
        elif token in added:
            continue
        elif token in fallback and is_utf8(data) and data in usual:
            causes[token] = "spelled otherwise"
        elif token in merges:
            causes[token] = "merges"
        elif token in outscored:
            causes[token] = "scores"
        elif is_utf8(data) and any(map(replaced, data.decode().replace(" ", ""))):
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


def _replaced(normalizer: Normalizer | None) -> Callable[[str], bool]:
    """Tell of which characters a normalizer never leaves any; a space always stays."""
    match normalizer:
        case SentencePieceNormalizer(rules=rules) if rules.charsmap:
            return partial(_is_ruled_out, normalizer, _given(rules.charsmap))
        case ForeignNormalizer() if last := _last_step(json.loads(normalizer.settings)):
            return partial(_is_changed, ForeignNormalizer(json.dumps(last)))
    return lambda character: False


def _is_ruled_out(normalizer: SentencePieceNormalizer, given: bytes, character: str) -> bool:
    """Tell whether SentencePiece has a rule for a character, and no rule that gives it."""
    data = character.encode()
    is_protected = any(character in text for text in normalizer.protected)
    return not is_protected and data not in given and _is_changed(normalizer, character)


def _given(rules: bytes) -> bytes:
    """Return what SentencePiece's rules give: texts, behind the trie of what they replace."""
    return rules[4 + int.from_bytes(rules[:4], "little") :]


def _last_step(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the step of a normalizer that comes last, if it is one of `_CLOSED`."""
    while settings["type"] == "Sequence" and settings["normalizers"]:
        settings = settings["normalizers"][-1]
    return settings if settings["type"] in _CLOSED else {}


def _is_changed(normalizer: Normalizer, character: str) -> bool:
    """Tell whether a normalizer leaves nothing of a character that stands by itself."""
    return character.encode() not in normalizer.normalize(character.encode())


def inner_segmenter(segmenter: Segmenter) -> Segmenter:
    """Return what segments between texts that are set apart."""
    return segmenter.inner if isinstance(segmenter, SetApart) else segmenter
