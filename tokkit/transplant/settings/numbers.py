"""How a tokenizer cuts numbers.

A model that learned to calculate on one way of cutting does badly on another: of all that a
transplant changes this costs most in arithmetic (arXiv 2506.06607). So both are reported.
"""

from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Any

import numpy as np

from tokkit.tokenizer import Tokenizer

_SEED = 20260101
_LONGEST = 12
"""Digits of the longest numbers that are tried."""
_EACH = 8
"""Numbers that are tried of each length."""
_EXAMPLE = "1234567"
_DIGITS = frozenset(b"0123456789")
_CONTEXT = b"x = "


def describe_digits(tokenizer: Tokenizer) -> dict[str, Any]:
    """Describe how numbers are cut, after a space as in running text.

    Returns:
        ``scheme``: ``"single digits"``, ``"groups of 3 from the left"`` or ``"from the
        right"``, ``"whole numbers"`` (up to 12 digits), ``"mixed"``, or ``"none"`` where
        digits are unknown; ``longest``: digits of the longest token of digits alone, or with
        a space before them; ``three_digits``: the share of 000 to 999 that are one token;
        ``example``: a number with its cuts.
    """
    three = [f"{number:03}" for number in range(1000)]
    whole = sum(groups == [3] for groups in _groups(tokenizer, three))
    (example,) = _groups(tokenizer, [_EXAMPLE])
    ends = list(accumulate(example))
    parts = [_EXAMPLE[end - size : end] for size, end in zip(example, ends, strict=True)]
    return {
        "scheme": _scheme(tokenizer),
        "longest": _longest(tokenizer),
        "three_digits": whole / len(three),
        "example": "|".join(parts),
    }


def _scheme(tokenizer: Tokenizer) -> str:
    """Name the rule that explains how numbers of all lengths are cut."""
    random = np.random.default_rng(_SEED)
    numbers = [
        "".join(map(str, random.integers(10, size=length)))
        for length in range(1, _LONGEST + 1)
        for _ in range(_EACH)
    ]
    cuts = list(_groups(tokenizer, numbers))
    if not all(sum(cut) == len(number) for cut, number in zip(cuts, numbers, strict=True)):
        return "none"
    size = max(map(max, cuts))
    if size == 1:
        return "single digits"
    if all(len(cut) == 1 for cut in cuts):
        return "whole numbers"
    full = [[size] * (len(number) // size) for number in numbers]
    rest = [[len(number) % size][: len(number) % size] for number in numbers]
    if all(cut == f + r for cut, f, r in zip(cuts, full, rest, strict=True)):
        return f"groups of {size} from the left"
    if all(cut == r + f for cut, f, r in zip(cuts, full, rest, strict=True)):
        return f"groups of {size} from the right"
    return "mixed"


def _groups(tokenizer: Tokenizer, numbers: list[str]) -> Iterator[list[int]]:
    """Give how many digits of each number each token has that has any."""
    texts = [_CONTEXT + number.encode() for number in numbers]
    for ids in tokenizer.encode_batch(texts, parse_specials=False):
        counts = (_count(tokenizer.vocab.tokens[token]) for token in ids.tolist())
        yield [count for count in counts if count]


def _count(token: bytes) -> int:
    return sum(byte in _DIGITS for byte in token)


def _longest(tokenizer: Tokenizer) -> int:
    stripped = (token.removeprefix(b" ") for token in tokenizer.vocab.tokens)
    return max(
        (len(token) for token in stripped if token and _DIGITS.issuperset(token)), default=0
    )


def compare_digits(before: Mapping[str, Any], after: Mapping[str, Any]) -> str | None:
    """Say how the cutting of numbers differs, None if it does not.

    Args:
        before: What `describe_digits` says of the model's tokenizer.
        after: What it says of the one it is moved onto.
    """
    if before["scheme"] == after["scheme"] and before["example"] == after["example"]:
        return None
    return (
        f"numbers are cut in another way: {before['scheme']} before ({before['example']}), "
        f"{after['scheme']} now ({after['example']}); expect errors in arithmetic until the "
        "model is trained on"
    )
