"""Which numbers are one token, and how many problems consist of such numbers only."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tokkit.studies.numbers.audit_cuts import Reader

FORMS: Mapping[str, str] = {"alone": "{}", "after a space": " {}"}
"""How a number may stand."""
OPERATIONS: Mapping[str, np.ufunc] = {"+": np.add, "-": np.subtract, "*": np.multiply}
_DIGITS = frozenset(b"0123456789")
_LARGEST = 10**6
_OPERANDS = (1, 2, 3)


@dataclass(frozen=True)
class Integers:
    """Integers of some width that are one token.

    Attributes:
        form: A name of `FORMS`.
        width: Digits, without leading zeros.
        of: How many integers there are.
        tokens: How many have all their digits in one token.
    """

    form: str
    width: int
    of: int
    tokens: int


@dataclass(frozen=True)
class Problems:
    """Problems whose operands and answer are one token each.

    Attributes:
        form: A name of `FORMS`: how all three numbers stand.
        operation: ``+``, ``-`` or ``*``.
        width: Most digits of the operands, which go from 0.
        of: How many problems there are; of differences only those that are not negative.
        tokens: How many have three numbers that are one token.
    """

    form: str
    operation: str
    width: int
    of: int
    tokens: int


def count_digit_tokens(tokens: tuple[bytes, ...]) -> dict[str, dict[int, int]]:
    """Count the tokens that are digits, by how many: ``{"alone": {1: 10, ...}, ...}``.

    ``after a space`` are those of one space and digits. Tokens for the bytes of digits, which
    some vocabularies have beside the digits, are not counted again.
    """
    found: dict[str, dict[int, int]] = {form: {} for form in FORMS}
    for token in sorted(set(tokens)):
        digits = token.removeprefix(b" ")
        if digits and _DIGITS.issuperset(digits):
            counts = found["alone" if digits == token else "after a space"]
            counts[len(digits)] = counts.get(len(digits), 0) + 1
    return {form: dict(sorted(counts.items())) for form, counts in found.items()}


def cover_integers(reader: Reader) -> tuple[list[Integers], list[Problems]]:
    """Count integers below a million, and problems, of single-token numbers."""
    integers, problems = [], []
    for form, context in FORMS.items():
        single = _single(reader, context)
        for width in range(1, 7):
            first = 0 if width == 1 else 10 ** (width - 1)
            count = int(single[first : 10**width].sum())
            integers.append(Integers(form, width, 10**width - first, count))
        for operation in OPERATIONS:
            problems += [_problems(single, form, operation, width) for width in _OPERANDS]
    return integers, problems


def _single(reader: Reader, context: str) -> NDArray[np.bool_]:
    """Tell of each integer below a million whether its digits are one token in a context."""
    tokens = {token.strip(b" ") for token in reader.tokenizer.vocab.tokens}
    texts = sorted(
        token.decode()
        for token in tokens
        if 0 < len(token) < 7 and _DIGITS.issuperset(token) and token == b"%d" % int(token)
    )
    single = np.zeros(_LARGEST, dtype=np.bool_)
    cuts = reader.cuts(texts, context)
    single[[int(text) for text, cut in zip(texts, cuts, strict=True) if len(cut) == 1]] = True
    return single


def _problems(single: NDArray[np.bool_], form: str, operation: str, width: int) -> Problems:
    """Count the problems with operands of at most `width` digits."""
    operands = np.arange(10**width)
    answers = OPERATIONS[operation].outer(operands, operands)
    possible = answers >= 0
    known = np.logical_and.outer(single[operands], single[operands]) & possible
    known &= single[np.where(possible, answers, 0)]
    return Problems(form, operation, width, int(possible.sum()), int(known.sum()))
