"""Small random tokenizers of every family."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tests.byteprobs.builders import (
    Family,
    byte_bpe,
    longest,
    tiktoken_ranks,
    wordpiece,
)
from tests.byteprobs.piece_builders import (
    piece_bpe,
    sentencepiece_model,
    trained_sentencepiece,
    unigram,
)
from tests.formats.families import CL100K, GPT2, O200K, QWEN2, pre_sequence, split
from tokkit.formats.sentencepiece_model import ModelType
from tokkit.patterns import find_pattern

Build = Callable[[Path, int], Family]


def _cut(name: str, pattern: str, alphabet: str, **more: Any) -> Build:
    """Byte-level BPE behind a pattern."""
    more = {"count": 9, "longest": 3, "reach": 2, **more}
    return partial(byte_bpe, name=name, alphabet=alphabet, pre=split(pattern), **more)


_THOUSANDS = pre_sequence(
    {"type": "Digits", "individual_digits": False}, split(r"(?=(\d{3})+(?!\d))")
)
_SUPERWORDS = find_pattern("superbpe-stage2").for_engine("oniguruma")
_R2L = find_pattern("o200k", "r2l3").for_engine("oniguruma")
_NFC = {"type": "NFC"}
_NFKC = {"type": "NFKC"}
_LOWER = {"type": "Lowercase"}
_GPT2 = split(GPT2)

FAMILIES: dict[str, Build] = {
    # No cuts: alphabets of few letters, tokens that no merge reaches.
    "plain ab": partial(byte_bpe, alphabet="ab"),
    "plain abc": partial(byte_bpe, alphabet="abc", count=10),
    "plain a": partial(byte_bpe, alphabet="a", count=5, longest=7),
    "unreachable": partial(
        byte_bpe, name="unreachable", alphabet="ab", merges=[(b"a", b"a"), (b"a", b"aa")]
    ),
    "characters cut": partial(byte_bpe, name="cut", alphabet="éèж漢", count=9, longest=4),
    "ignored merges, no cut": partial(
        byte_bpe, name="ignored", alphabet="ab", ignore_merges=True, reach=2
    ),
    # Patterns whose cuts later text can change.
    "gpt2 words": _cut("gpt2 words", GPT2, "a 's"),
    "gpt2 long contraction": _cut("gpt2 ll", GPT2, "a'le"),
    "gpt2 symbols": _cut("gpt2 symbols", GPT2, "a1. \n"),
    "gpt2 odd spaces": _cut("gpt2 odd", GPT2, "a \u00a0¡", longest=4),
    "gpt2 ignored merges": _cut("gpt2 ignored", GPT2, "a 's", ignore_merges=True),
    "gpt2 wide": _cut("gpt2 wide", GPT2, " é漢\u3000", longest=4, reach=1),
    "llama3 words": _cut("llama3 words", CL100K, "a 's\n"),
    "llama3 any case": _cut("llama3 case", CL100K, "a'Ssſ", longest=4),
    "llama3 digits": _cut("llama3 digits", CL100K, "a1 .", count=10),
    "llama3 lines": _cut("llama3 lines", CL100K, "a \n\r."),
    "llama3 ignored merges": _cut("llama3 ignored", CL100K, "a 1'", ignore_merges=True),
    "qwen2 digits": _cut("qwen2", QWEN2, "a1 '\n", normalizer=_NFC),
    "o200k cases": _cut("o200k cases", O200K, "aA 's"),
    "o200k marks": _cut("o200k marks", O200K, "aA\u0301 .", longest=4),
    "o200k lines": _cut("o200k lines", O200K, "a \n./"),
    "o200k letters": _cut("o200k letters", O200K, "aAǅʰ漢", longest=4, reach=1),
    "tiktoken cl100k": tiktoken_ranks,
    "tiktoken o200k": partial(tiktoken_ranks, pattern=O200K, alphabet="aA 1"),
    "all bytes": _cut("all bytes", GPT2, "a 'é", full=True),
    # Cuts other than by words.
    "thousands": partial(
        byte_bpe, name="thousands", alphabet="a 1", pre=_THOUSANDS, count=9, reach=3
    ),
    "superwords": _cut("superwords", _SUPERWORDS, "a 1.", longest=4, reach=3),
    "groups from the right": _cut("r2l", _R2L, "a 1A", longest=4, reach=3),
    # Added tokens that are text, and text that looks like special tokens.
    "added": partial(
        byte_bpe, name="added", alphabet="a<>", texts=("<a>",), gaps=0, pre=_GPT2, reach=3
    ),
    "added lines": _cut("added lines", GPT2, "a \n", texts=("\n\n", "\n\n\n"), gaps=0, reach=4),
    "special texts": partial(
        byte_bpe, name="special", alphabet="<s>/a", special_texts=True, longest=5
    ),
    # Normalizers: only texts that they leave alone count.
    "nfc": partial(byte_bpe, name="nfc", alphabet="ex\u0301é", normalizer=_NFC, reach=2),
    "nfkc": partial(byte_bpe, name="nfkc", alphabet="fiﬁ²", normalizer=_NFKC, longest=4),
    "lowercase": partial(byte_bpe, name="lower", alphabet="aAb", normalizer=_LOWER),
    # Characters as units, spaces written ▁, bytes for what is missing.
    "llama": piece_bpe,
    "llama, all bytes": partial(piece_bpe, full=True, name="llama bytes"),
    "llama, two missing": partial(piece_bpe, missing="éè漢", pieces="a", name="llama two"),
    "metaspace first": partial(piece_bpe, metaspace="first", name="first"),
    "metaspace always": partial(piece_bpe, metaspace="always", name="always"),
    "metaspace never": partial(piece_bpe, metaspace="never", name="never"),
    "sentencepiece bpe": partial(sentencepiece_model, remove_extra_whitespaces=False),
    "sentencepiece bpe, spaces removed": sentencepiece_model,
    "sentencepiece bpe, no bytes": partial(sentencepiece_model, missing=""),
    "sentencepiece bpe, no prefix": partial(
        sentencepiece_model, remove_extra_whitespaces=False, add_dummy_prefix=False
    ),
    "sentencepiece bpe, set apart": partial(
        sentencepiece_model, apart=("aba", "<x>"), name="apart"
    ),
    "sentencepiece unigram": partial(
        sentencepiece_model,
        kind=ModelType.UNIGRAM,
        name="sentencepiece unigram",
        remove_extra_whitespaces=False,
    ),
    "sentencepiece unigram, no bytes": partial(
        sentencepiece_model, kind=ModelType.UNIGRAM, missing="", name="sentencepiece plain"
    ),
    "learned bpe": partial(trained_sentencepiece, kind="bpe"),
    "learned unigram": partial(trained_sentencepiece, kind="unigram"),
    "unigram": unigram,
    "unigram, scores differ": partial(unigram, tied=False, name="scored"),
    "unigram, not cut": partial(unigram, cut=False, name="whole"),
    "unigram, no bytes": partial(unigram, missing="", scheme="never", name="no bytes"),
    # Longest match.
    "longest": longest,
    "longest, twice": partial(longest, twice=True),
    "wordpiece": wordpiece,
}
"""What builds an example of each, from a folder and a seed."""
