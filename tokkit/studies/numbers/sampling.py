"""Drawing problems of chosen lengths, answers and carries, and examples like them."""

import re
from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np

from tokkit.errors import UsageError
from tokkit.studies.numbers.operand_tokens import TokenFilter
from tokkit.studies.numbers.pair_spaces import (
    PairSpace,
    ProductSpace,
    Range,
    Wanted,
    pair_space,
)
from tokkit.studies.numbers.problems import OPERATIONS, Problem

AnswerLength = Literal["any", "match", "mismatch"]
"""``match``: the answer has as many digits as one of the operands; ``mismatch``: it has not."""
_TRIES = 20_000
_MOST_DIGITS = 100
_ITEM = re.compile(r"(\d{1,4})(?:-(\d{1,4})|x(\d{1,4})(?:=(\d{1,4}))?)?", re.ASCII)


@dataclass(frozen=True)
class Lengths:
    """How many digits the numbers of a problem have.

    Attributes:
        first: Those of the first operand.
        second: Those of the second.
        answer: Those of the answer, without its sign; None: any number of them.
    """

    first: int
    second: int
    answer: int | None = None

    def __str__(self) -> str:
        answer = "" if self.answer is None else f"={self.answer}"
        return f"{self.first}x{self.second}{answer}"


def parse_lengths(text: str) -> tuple[Lengths, ...]:
    """Read digit lengths.

    ``3`` is two operands of 3 digits, ``3x5`` one of 3 and one of 5, ``3x5=6`` those whose
    answer has 6, and ``1-4`` all pairs from 1 to 4. Several are separated by commas.

    Raises:
        UsageError: If it is something else.
    """
    found: list[Lengths] = []
    for item in text.split(","):
        match = _ITEM.fullmatch(item.strip())
        if match is None:
            raise UsageError(f"no digit lengths {item!r}: write such as 3, 1-4, 3x5 or 3x5=6")
        first, last, second, answer = (int(each) if each else None for each in match.groups())
        assert first is not None  # every item begins with a number
        own = range(first, (last or first) + 1)
        others = own if second is None else [second]
        found += [Lengths(one, other, answer) for one, other in product(own, others)]
        digits = [each for each in (first, last, second) if each is not None]
        if not own:
            raise UsageError(f"digit lengths {item!r}: write the smaller one first")
        if min(digits) < 1 or max(digits) > _MOST_DIGITS:
            raise UsageError(
                f"digit lengths {item!r}: operands have from 1 to {_MOST_DIGITS} digits"
            )
    return tuple(dict.fromkeys(found))


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """Which problems are drawn.

    Attributes:
        operation: One of `OPERATIONS`.
        lengths: How many digits numbers have; problems take turns.
        answer: How long answers are, compared with operands.
        carries: How many columns carry, or borrow; None: any number of them.
        chain: How many neighbouring columns do so at most.
        negative: Whether differences may be negative.
    """

    operation: str = "+"
    lengths: tuple[Lengths, ...] = (Lengths(3, 3),)
    answer: AnswerLength = "any"
    carries: Range | None = None
    chain: Range | None = None
    negative: bool = False

    def __post_init__(self) -> None:
        if self.operation not in OPERATIONS:
            raise ValueError(f"{self.operation!r} is not one of {OPERATIONS}")
        if self.operation == "*" and (self.carries or self.chain):
            raise UsageError("products have no single row of carries: they go with + and -")

    def wanted(self, lengths: Lengths) -> Wanted:
        """Return what problems of some lengths are to be like."""
        own = {lengths.first, lengths.second}
        digits = None
        if self.answer == "match":
            digits = own
        elif self.answer == "mismatch":
            digits = set(range(1, lengths.first + lengths.second + 1)) - own
        if lengths.answer is not None:
            digits = {lengths.answer} if digits is None else digits & {lengths.answer}
        return Wanted(self.carries, self.chain, None if digits is None else frozenset(digits))

    def allows(self, problem: Problem, lengths: Lengths) -> bool:
        """Say whether a problem of these lengths has an answer that is as wanted."""
        if self.operation == "-" and problem.truth < 0 and not self.negative:
            return False
        digits = self.wanted(lengths).answer_digits
        return digits is None or len(str(abs(problem.truth))) in digits


class Sampler:
    """Draws different problems, uniformly from all there are of each turn's lengths.

    How many are drawn changes none of those drawn before; nor do examples.

    Attributes:
        turns: The lengths that have problems, in turn.
        left_out: Those that have none.
    """

    def __init__(
        self, drawing: Drawing, *, seed: int = 0, tokens: TokenFilter | None = None
    ) -> None:
        """Prepare to draw.

        Args:
            drawing: Which problems.
            seed: Decides which of them; not negative.
            tokens: Keeps those whose numbers have so many tokens.

        Raises:
            UsageError: If there are no such problems at all.
        """
        self._drawing, self._tokens = drawing, tokens
        self._seed = (seed, OPERATIONS.index(drawing.operation))
        spaces = {lengths: self._space(lengths) for lengths in drawing.lengths}
        self._spaces = {lengths: space for lengths, space in spaces.items() if space.size}
        self.turns = tuple(self._spaces)
        self.left_out = tuple(lengths for lengths in spaces if lengths not in self._spaces)
        if not self.turns:
            shown = ", ".join(map(str, self.left_out))
            raise UsageError(
                f"there are no problems a{drawing.operation}b of {shown} digits that are as "
                "asked: ask for other lengths, answers or carries"
            )

    def problems(self, count: int) -> list[Problem]:
        """Draw problems, no two the same.

        Raises:
            UsageError: If there are not so many.
        """
        random = np.random.default_rng([0, *self._seed])
        found: dict[Problem, None] = {}
        for index in range(count):
            lengths = self.turns[index % len(self.turns)]
            found[self._draw(random, lengths, found, f"{count} problems")] = None
        return list(found)

    def examples(self, index: int, problem: Problem, count: int) -> list[Problem]:
        """Draw examples for a problem: of the same lengths, and none of them the problem.

        Args:
            index: Which problem it is.
            problem: The problem.
            count: How many. Fewer would be the first of them.

        Raises:
            UsageError: If there are not so many.
        """
        random = np.random.default_rng([1, *self._seed, index])
        lengths = self.turns[index % len(self.turns)]
        taken = {problem: None}
        if problem.operation != "-":
            taken[problem.flipped] = None
        found: list[Problem] = []
        for _ in range(count):
            drawn = self._draw(random, lengths, taken, f"{count} examples for {problem}")
            taken[drawn] = None
            found.append(drawn)
        return found

    def _space(self, lengths: Lengths) -> PairSpace:
        drawing, pair = self._drawing, (lengths.first, lengths.second)
        space = pair_space(
            pair, drawing.operation, drawing.wanted(lengths), negative=drawing.negative
        )
        if self._tokens is None or not space.size or drawing.carries or drawing.chain:
            return space
        known = [self._tokens.operands(digits) for digits in pair]
        if known[0] is None or known[1] is None:
            return space
        return ProductSpace(known[0], known[1])

    def _draw(
        self,
        random: np.random.Generator,
        lengths: Lengths,
        taken: dict[Problem, None],
        wanted: str,
    ) -> Problem:
        """Draw a problem that is not taken."""
        space = self._spaces[lengths]
        for _ in range(_TRIES):
            pair = space.pair(_below(random, space.size))
            problem = Problem(*pair, self._drawing.operation)
            if problem in taken or not self._drawing.allows(problem, lengths):
                continue
            if self._tokens is None or self._tokens.accepts(problem):
                return problem
        raise UsageError(
            f"{wanted} of {lengths} digits are too many: {_TRIES:,} draws in a row gave none "
            f"that is new and as asked (there are {space.size:,} pairs to draw from): ask for "
            "fewer, or for other lengths, answers, carries or tokens"
        )


def _below(random: np.random.Generator, size: int) -> int:
    """Draw an integer from 0 on, below a size that may be of any size."""
    if size <= 2**63:
        return int(random.integers(size))
    width = size.bit_length()
    while True:
        drawn = int.from_bytes(random.bytes(-(-width // 8)), "big") >> -width % 8
        if drawn < size:
            return drawn
