"""What formats for byte-level BPE (tiktoken, merges.txt, GGUF) need to know of a tokenizer."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tokkit.errors import FormatError
from tokkit.pretokenize import Pieces
from tokkit.segment.bpe import BPE
from tokkit.tokenizer import Tokenizer
from tokkit.vocab import flatten


@dataclass(frozen=True)
class ByteLevelBPE:
    """Byte-pair encoding over bytes.

    Attributes:
        ids: The id of each token that text can produce.
        merges: The two parts of each merge, best first.
        segmenter: The segmenter they come from.
    """

    ids: Mapping[bytes, int]
    merges: list[tuple[bytes, bytes]]
    segmenter: BPE


def byte_level_bpe(tokenizer: Tokenizer) -> ByteLevelBPE:
    """Take a tokenizer apart that is BPE over bytes and nothing else.

    Raises:
        FormatError: If it is not, saying why.
    """
    segmenter = tokenizer.segmenter
    if not isinstance(segmenter, BPE) or segmenter.units != "bytes":
        kind = "BPE over characters" if isinstance(segmenter, BPE) else type(segmenter).__name__
        raise FormatError(f"this format is for BPE over bytes, and the tokenizer is {kind}")
    if segmenter.prefix or segmenter.suffix:
        raise FormatError("this format has no prefixes or suffixes inside words")
    if tokenizer.normalizer is not None:
        raise FormatError("the tokenizer rewrites text before it cuts it, this format cannot")
    if tokenizer.first_pretokenizer is not None:
        raise FormatError("the tokenizer cuts the beginning of a text differently")
    for added in tokenizer.added.tokens:
        if added.lstrip or added.rstrip or added.single_word:
            raise FormatError(f"the added token {added.content!r} depends on its context")
    spellings = segmenter.spellings
    order = segmenter.merges[segmenter.ranks.argsort(kind="stable")]
    return ByteLevelBPE(
        {spelling: token_id for token_id, spelling in enumerate(spellings) if spelling},
        [(spellings[left], spellings[right]) for left, right, _ in order.tolist()],
        segmenter,
    )


def merges_reach_all(segmenter: BPE) -> bool:
    """Say whether merging makes every token, so that looking pieces up changes nothing."""
    plain = segmenter
    if segmenter.ignore_merges:
        plain = BPE(segmenter.spellings, segmenter.merges, ranks=segmenter.ranks)
    ids = [
        token_id
        for token_id, spelling in enumerate(segmenter.spellings[: segmenter.size])
        if spelling
    ]
    pieces = Pieces(*flatten([segmenter.spellings[token_id] for token_id in ids]))
    found, _ = plain.segment(pieces)
    return bool(np.array_equal(found, ids))
