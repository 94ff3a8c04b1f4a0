"""The grammar of a tokenizer: which machine decides for which family."""

from collections.abc import Sequence

from tokkit.byteprobs.canonical import cuts as cutting
from tokkit.byteprobs.canonical.cuts import build_cuts
from tokkit.byteprobs.canonical.longest import Longest
from tokkit.byteprobs.canonical.pairs import Pairs, supports
from tokkit.byteprobs.canonical.product import Product
from tokkit.byteprobs.canonical.protocols import Grammar, Segmentation
from tokkit.segment.bpe import BPE
from tokkit.segment.longest import LongestMatch
from tokkit.tokenizer import Tokenizer

lead_of = getattr(cutting, "lead", lambda tokenizer: b"")


def build_grammar(
    tokenizer: Tokenizer, tokens: Sequence[bytes], *, lead: bool = True
) -> Grammar:
    """Build what decides which token sequences a tokenizer can produce.

    Args:
        tokenizer: The tokenizer.
        tokens: The text of each id; ``b""`` for ids that carry none.
        lead: Whether what the tokenizer puts before every text is part of the text.
    """
    cuts = build_cuts(tokenizer, tokens, lead=lead)
    return Product(tokens, cuts, _segmentation(tokenizer, tokens))


def _segmentation(tokenizer: Tokenizer, tokens: Sequence[bytes]) -> Segmentation:
    """Choose what decides within pieces."""
    segmenter = tokenizer.segmenter
    if isinstance(segmenter, BPE) and supports(segmenter):
        return Pairs(segmenter, tokens)
    if isinstance(segmenter, LongestMatch):
        return Longest(segmenter, tokens)
    raise NotImplementedError(type(segmenter).__name__)
