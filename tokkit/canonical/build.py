"""The grammar of a tokenizer: which machine decides for which family."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from threading import Lock

from tokkit.alphabet import SPACE_MARK
from tokkit.canonical.added import WithAdded
from tokkit.canonical.apart import Apart
from tokkit.canonical.composed import Composed, joins
from tokkit.canonical.cuts import build_cuts
from tokkit.canonical.cuts import find_lead as find_lead
from tokkit.canonical.longest import Longest
from tokkit.canonical.pairs import Pairs, supports
from tokkit.canonical.product import Product
from tokkit.canonical.protocols import Grammar, PieceGrammar
from tokkit.canonical.viterbi import Viterbi
from tokkit.canonical.witness import Witness
from tokkit.canonical.wordpiece import WordPiece as Words
from tokkit.errors import PatternError
from tokkit.formats.set_apart import SetApart
from tokkit.segment import Segmenter
from tokkit.segment.bpe import BPE
from tokkit.segment.longest import LongestMatch
from tokkit.segment.unigram import Unigram
from tokkit.segment.wordpiece import WordPiece
from tokkit.tokenizer import Tokenizer

_MOST_KEPT = 4
_KEPT: OrderedDict[tuple[str, int, bool], Grammar] = OrderedDict()
_BUILDING = Lock()


def build_grammar(
    tokenizer: Tokenizer, tokens: Sequence[bytes], *, lead: bool = True
) -> Grammar:
    """Return what decides which token sequences a tokenizer can produce.

    It is built once for tokenizers that do the same, and kept while few others are.

    Args:
        tokenizer: The tokenizer.
        tokens: The text of each id; ``b""`` for ids that carry none.
        lead: Whether what the tokenizer puts before every text is part of the text.
    """
    key = tokenizer.digest, hash(tuple(tokens)), lead
    with _BUILDING:
        if key not in _KEPT:
            _KEPT[key] = _build(tokenizer, tokens, lead)
        _KEPT.move_to_end(key)
        while len(_KEPT) > _MOST_KEPT:
            _KEPT.popitem(last=False)
        return _KEPT[key]


def _build(tokenizer: Tokenizer, tokens: Sequence[bytes], lead: bool) -> Grammar:
    """Build a grammar."""
    contents = _contents(tokenizer, tokens)
    own = list(tokens)
    for token_id in contents.values():
        own[token_id] = b""
    pieces = _piece_grammar(tokenizer, own)
    first = _of_stretches(tokenizer, own, pieces, lead)
    if not contents:
        return first
    has_lead = lead and find_lead(tokenizer, tokens)
    later = first
    if has_lead:
        later = _of_stretches(tokenizer, own, pieces, False)
    is_plain = not any(
        added.lstrip or added.rstrip or added.single_word
        for added in tokenizer.added.tokens
        if not added.special
    )
    return WithAdded(first, later, contents, tokens, is_plain=is_plain)


def _contents(tokenizer: Tokenizer, tokens: Sequence[bytes]) -> Mapping[bytes, int]:
    """Return the ids of the added tokens that are text, by that text."""
    return {
        tokens[added.token_id]: added.token_id
        for added in tokenizer.added.tokens
        if not added.special and added.token_id < len(tokens) and tokens[added.token_id]
    }


def _of_stretches(
    tokenizer: Tokenizer,
    tokens: Sequence[bytes],
    pieces: PieceGrammar | None,
    lead: bool,
) -> Grammar:
    """Build the grammar of text without added tokens."""
    if pieces is not None:
        try:
            cuts = build_cuts(tokenizer, tokens, lead=lead)
        except PatternError:  # it cuts inside characters, or tells too many kinds apart
            pieces = None
    if pieces is None:
        return Witness(tokenizer, tokens, find_lead(tokenizer, tokens) if lead else b"")
    grammar = Product(tokens, cuts, pieces)
    normalizer = tokenizer.normalizer
    if normalizer is None or not joins(normalizer):
        return grammar
    exact = pieces.exact and cuts.method == "automaton"
    return Composed(grammar, normalizer, tokens, exact)


def _piece_grammar(tokenizer: Tokenizer, tokens: Sequence[bytes]) -> PieceGrammar | None:
    """Choose what decides within pieces; None if there is nothing but trying."""
    segmenter = tokenizer.segmenter
    if not isinstance(segmenter, SetApart):
        return _for_segmenter(segmenter, tokens)
    contents = {
        text.replace(SPACE_MARK, b" "): token_id
        for text, token_id in segmenter.tokens.items()
        if b" " not in text  # spaces are written ▁ before anything is looked for
    }
    if not contents:
        return _for_segmenter(segmenter.inner, tokens)
    own = list(tokens)
    for token_id in contents.values():
        own[token_id : token_id + 1] = [b""] * (token_id < len(own))
    inner = _for_segmenter(segmenter.inner, own)
    return Apart(inner, contents, tokens) if inner else None


def _for_segmenter(segmenter: Segmenter, tokens: Sequence[bytes]) -> PieceGrammar | None:
    """Choose what decides for a segmenter; None if there is nothing but trying."""
    match segmenter:
        case BPE() as segmenter if supports(segmenter):
            return Pairs(segmenter, tokens)
        case LongestMatch() as segmenter:
            return Longest(segmenter, tokens)
        case Unigram(units="characters") as segmenter:
            return Viterbi(segmenter, tokens)
        case WordPiece() as segmenter:
            return Words(segmenter, tokens)
    return None
