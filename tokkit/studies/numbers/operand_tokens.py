"""Keeping problems whose numbers have so many tokens, as studies of mental arithmetic do."""

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from tokkit.studies.numbers.pair_spaces import operands
from tokkit.studies.numbers.problems import Problem

if TYPE_CHECKING:
    from tokkit.tokenizer import Tokenizer

_KNOWN_DIGITS = 5
"""Up to so many digits all operands are looked at; longer ones only when they are drawn."""


class Coverage(NamedTuple):
    """How many operands of some length are kept.

    Attributes:
        digits: Their length.
        kept: How many have as many tokens as asked.
        of: How many there are.
    """

    digits: int
    kept: int
    of: int


class TokenFilter:
    """Tells by their tokens which problems are kept.

    A token counts for a number if it has one of its digits. Operands are looked at where they
    begin a prompt and where they follow the operation; answers where they begin a message.
    """

    def __init__(
        self,
        tokenizer: "Tokenizer",
        *,
        operand: int | None = None,
        answer: int | None = None,
        spaces: int = 0,
    ) -> None:
        """Choose what is kept.

        Args:
            tokenizer: What counts tokens.
            operand: How many tokens each operand has; None: any number of them.
            answer: How many the answer has.
            spaces: How many spaces stand around the operation.
        """
        from tokkit.studies.numbers.audit_cuts import Reader

        self._reader = Reader.of(tokenizer)
        self._operand, self._answer = operand, answer
        space = " " * spaces
        self._contexts = ("{}", f"1{space}+{space}{{}}{space}=")
        self._counts_one = cache(self._count)
        self.operands = cache(self._operands)

    def accepts(self, problem: Problem) -> bool:
        """Say whether a problem is kept."""
        answer = str(abs(problem.truth))
        if self._answer is not None and self._counts_one(answer, "{}") != self._answer:
            return False
        if self._operand is None:
            return True
        return all(
            self._counts_one(str(number), context) == self._operand
            for number in (problem.num1, problem.num2)
            for context in self._contexts
        )

    def coverage(self, digits: int) -> Coverage | None:
        """Count the operands of some length that are kept; None where they are too many."""
        known = self.operands(digits)
        return None if known is None else Coverage(digits, len(known), len(operands(digits)))

    def _operands(self, digits: int) -> list[int] | None:
        """Return the operands of some length that are kept; None where they are too many."""
        if digits > _KNOWN_DIGITS:
            return None
        numbers = list(operands(digits))
        if self._operand is None:
            return numbers
        texts = list(map(str, numbers))
        kept = [True] * len(numbers)
        for context in self._contexts:
            cuts = self._reader.cuts(texts, context)
            kept = [
                own and len(cut) == self._operand for own, cut in zip(kept, cuts, strict=True)
            ]
        return [number for number, own in zip(numbers, kept, strict=True) if own]

    def _count(self, number: str, context: str) -> int:
        return len(self._reader.cuts([number], context)[0])
