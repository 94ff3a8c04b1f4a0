"""Slow, obvious ways to cut text: the engines themselves, on published pattern strings."""

import random
import sys
from collections.abc import Sequence
from itertools import pairwise

import regex
import tiktoken
from tokenizers import Regex
from tokenizers.pre_tokenizers import Split

_CL100K = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_O200K = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_O200K_PLAIN = _O200K.replace(r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?", "")

# As their authors publish them: gpt2's encoder.py, tiktoken's first releases, the
# tokenizer.json files of Qwen and Mistral, the training scripts of SuperBPE.
PUBLISHED = {
    "gpt2": r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    "cl100k": _CL100K,
    "llama3": _CL100K,
    "o200k": _O200K,
    "qwen2": _CL100K.replace(r"\p{N}{1,3}", r"\p{N}"),
    "qwen3.5": (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}"
        r"| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    ),
    "tekken": _O200K_PLAIN.replace(r"\p{N}{1,3}", r"\p{N}"),
    "superbpe-stage1": _O200K_PLAIN,
    "superbpe-stage2": r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]{2,}[\r\n/]*| +(?!\S)",
}

# tiktoken 0.14's own strings, for its engine only.
TIKTOKEN = {
    "gpt2": r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s",
    "cl100k": (
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+"
        r"| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
    ),
    "o200k": _O200K,
}

# At least one of each kind of code point, and those that patterns, engines and versions of
# Unicode disagree about.
AWKWARD = (
    " \t\n\r\x0b\x0c\x1c\x1f\x85\xa0\u1680\u180e\u2003\u2028\u2029\u200b\u3000\ufeff"
    "'’sStTdDmMlLrReEvVſKaBéÉßıİǅʰªº日あאΣςꟲ"
    "\u0301\u0488\u093e\u20dd\u200d\ufe0f"
    "0123456789٣५²½Ⅷ〇௰𝟘"
    "!.,/_-$€^`´😀🏽\0\x7f\ufffd\U0010ffff\u0378\U00018e5c\U0001f1e6\ue000"
)
COMMON = " \n'/sSllveRA1a.,É日\u0301"


def cut_by_regex(expression: str, text: str) -> list[str]:
    """Cut with Python's `regex`; what lies between matches is a piece too."""
    pieces, end = [], 0
    for match in regex.finditer(expression, text):
        pieces += [text[end : match.start()], match[0]]
        end = match.end()
    return [piece for piece in [*pieces, text[end:]] if piece]


def cut_by_tokenizers(expression: str, text: str) -> list[str]:
    """Cut with Hugging Face's `Split` (Oniguruma)."""
    split = Split(Regex(expression), "isolated")
    return [piece for piece, _ in split.pre_tokenize_str(text)]


def agrees_with_tiktoken(expression: str, texts: Sequence[list[str]]) -> list[int]:
    """Which of `texts`, given as the pieces they are expected to be cut into, tiktoken cuts so.

    A piece that is in the vocabulary becomes one token. So a vocabulary of all expected pieces
    and of any two neighbours shows where tiktoken cuts: a piece that is cut makes two tokens,
    two that are not cut apart make one.
    """
    tokens = {bytes([byte]) for byte in range(256)}
    for pieces in texts:
        encoded = [piece.encode() for piece in pieces]
        tokens.update(encoded)
        tokens.update(left + right for left, right in pairwise(encoded))
    ranks = {
        token: rank for rank, token in enumerate(sorted(tokens, key=lambda t: (len(t), t)))
    }
    encoding = tiktoken.Encoding(
        "cuts", pat_str=expression, mergeable_ranks=ranks, special_tokens={}
    )
    return [
        index
        for index, pieces in enumerate(texts)
        if encoding.encode_ordinary("".join(pieces))
        == [ranks[piece.encode()] for piece in pieces]
    ]


def group_from_the_right(run: str) -> list[str]:
    """Groups of three, the first may be shorter: ``"1234567"`` is ``["1", "234", "567"]``."""
    first = len(run) % 3
    groups = [run[:first]] if first else []
    return groups + [run[start : start + 3] for start in range(first, len(run), 3)]


def random_texts(count: int, seed: int) -> list[str]:
    """Texts of up to 40 characters: awkward ones, runs of the same, and any code point."""
    source = random.Random(seed)
    return ["".join(_random_parts(source)) for _ in range(count)]


def _random_parts(source: random.Random) -> list[str]:
    """What one random text is made of."""
    parts = []
    for _ in range(source.randrange(1, 20)):
        kind = source.random()
        if kind < 0.4:
            parts.append(source.choice(COMMON))
        elif kind < 0.8:
            parts.append(source.choice(AWKWARD))
        elif kind < 0.9:
            parts.append(source.choice(AWKWARD) * source.randrange(2, 5))
        else:
            parts.append(_random_character(source))
    return parts


def _random_character(source: random.Random) -> str:
    """Any code point but a surrogate; every other one below U+3000."""
    top = sys.maxunicode if source.random() < 0.5 else 0x3000
    while 0xD800 <= (point := source.randrange(top)) < 0xE000:
        pass
    return chr(point)
