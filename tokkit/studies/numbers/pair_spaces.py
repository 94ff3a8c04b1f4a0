"""All pairs of operands of some kind, in an order without gaps.

A space knows how many pairs it has, and which pair has a given rank. A rank drawn uniformly is
a pair drawn uniformly, and nothing is drawn in vain.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import NamedTuple, Protocol

Range = tuple[int, int]
"""The smallest and the largest of some numbers."""
Pair = tuple[int, int]


@dataclass(frozen=True)
class Wanted:
    """What the column sums, or differences, of a pair are to be like.

    Attributes:
        carries: How many columns carry, or borrow; None: any number of them.
        chain: How many neighbouring columns do so at most.
        answer_digits: How many digits the answer may have, without its sign.
        nonzero: Whether the answer must not be 0.
    """

    carries: Range | None = None
    chain: Range | None = None
    answer_digits: Collection[int] | None = None
    nonzero: bool = False


class PairSpace(Protocol):
    """Some pairs of operands.

    Attributes:
        size: How many there are.
    """

    size: int

    def pair(self, rank: int) -> Pair:
        """Return the pair with a rank from 0 on, below `size`."""
        ...


class ProductSpace:
    """Any first operand with any second one."""

    def __init__(self, first: Sequence[int], second: Sequence[int]) -> None:
        self._first, self._second, self._row = first, second, _size(second)
        self.size = _size(first) * self._row

    def pair(self, rank: int) -> Pair:
        """Return the pair with a rank."""
        one, other = divmod(rank, self._row)
        return self._first[one], self._second[other]


class JoinedSpace:
    """The pairs of one space, then those of another with their operands exchanged."""

    def __init__(self, straight: PairSpace, exchanged: PairSpace) -> None:
        self.size = straight.size + exchanged.size
        self._straight, self._exchanged = straight, exchanged

    def pair(self, rank: int) -> Pair:
        """Return the pair with a rank."""
        if rank < self._straight.size:
            return self._straight.pair(rank)
        one, other = self._exchanged.pair(rank - self._straight.size)
        return other, one


class State(NamedTuple):
    """What is known of a pair after some of its columns, from the units on.

    What nobody asks for stays 0, so that there are few states.

    Attributes:
        carry: What goes into the next column.
        carries: How many columns have carried.
        chain: How many of the last ones did without a gap.
        longest: How many neighbouring ones did at most.
        digits: How many digits the answer has so far.
    """

    carry: int = 0
    carries: int = 0
    chain: int = 0
    longest: int = 0
    digits: int = 0


class Step(NamedTuple):
    """What a column comes to: what it carries, and whether its digit of the answer is not 0."""

    carry: int
    nonzero: bool


class ColumnSpace:
    """Pairs whose column sums, or differences, are as wanted.

    How many ways there are to go on from a state does not depend on what led to it: they are
    counted once for each state, and ranks are parted by their numbers.
    """

    def __init__(self, lengths: Pair, operation: str, wanted: Wanted) -> None:
        """Count the pairs.

        Args:
            lengths: How many digits the operands have; of a difference the first has at least
                as many, and is not less than the second.
            operation: ``"+"`` or ``"-"``.
            wanted: Which pairs belong to the space.
        """
        self._wanted, self._operation = wanted, operation
        self._columns = max(lengths)
        digits = [[_digits(length, at) for length in lengths] for at in range(self._columns)]
        self._steps = [
            {carry: _steps(first, second, carry, operation) for carry in (0, 1)}
            for first, second in digits
        ]
        self._ways = cache(self._count_ways)
        self.size = self._ways(0, State())

    def pair(self, rank: int) -> Pair:
        """Return the pair with a rank."""
        state, first, second = State(), 0, 0
        for column, steps in enumerate(self._steps):
            for step, digits in steps[state.carry].items():
                after = self._after(state, column, step)
                ways = self._ways(column + 1, after)
                if rank < ways * len(digits):
                    break
                rank -= ways * len(digits)
            which, rank = divmod(rank, ways)
            state = after
            first += digits[which][0] * 10**column
            second += digits[which][1] * 10**column
        return first, second

    def _count_ways(self, column: int, state: State) -> int:
        wanted = self._wanted
        if wanted.carries and state.carries > wanted.carries[1]:
            return 0
        if wanted.chain and state.longest > wanted.chain[1]:
            return 0
        if column == self._columns:
            return int(self._is_wanted(state))
        return sum(
            len(digits) * self._ways(column + 1, self._after(state, column, step))
            for step, digits in self._steps[column][state.carry].items()
        )

    def _after(self, state: State, column: int, step: Step) -> State:
        wanted = self._wanted
        chain = state.chain + 1 if step.carry and wanted.chain else 0
        measures_answer = wanted.answer_digits is not None or wanted.nonzero
        return State(
            carry=step.carry,
            carries=state.carries + step.carry if wanted.carries else 0,
            chain=chain,
            longest=max(state.longest, chain),
            digits=column + 1 if step.nonzero and measures_answer else state.digits,
        )

    def _is_wanted(self, state: State) -> bool:
        wanted = self._wanted
        if state.carry and self._operation == "-":
            return False
        digits = self._columns + 1 if state.carry else state.digits
        return (
            (wanted.carries is None or _is_in(state.carries, wanted.carries))
            and (wanted.chain is None or _is_in(state.longest, wanted.chain))
            and (wanted.answer_digits is None or max(digits, 1) in wanted.answer_digits)
            and not (wanted.nonzero and digits == 0)
        )


def operands(digits: int) -> range:
    """Return all operands of so many digits; 0 has one."""
    return range(10 ** (digits - 1) if digits > 1 else 0, 10**digits)


def pair_space(
    lengths: Pair, operation: str, wanted: Wanted | None = None, *, negative: bool = False
) -> PairSpace:
    """Return all pairs of operands with some lengths whose answer is as wanted.

    Args:
        lengths: How many digits the operands have.
        operation: ``"+"``, ``"-"`` or ``"*"``.
        wanted: Which pairs are wanted. All products are in the space if any is.
        negative: Whether a difference may be negative.
    """
    wanted = wanted or Wanted()
    if operation == "*" and not _has_products(lengths, wanted.answer_digits):
        return ProductSpace((), ())
    if operation == "*" or (operation == "+" and wanted == Wanted()):
        return ProductSpace(operands(lengths[0]), operands(lengths[1]))
    if operation == "+":
        return ColumnSpace(lengths, "+", wanted)
    straight: PairSpace = ProductSpace((), ())
    exchanged: PairSpace = ProductSpace((), ())
    if lengths[0] >= lengths[1]:
        straight = ColumnSpace(lengths, "-", wanted)
    if negative and lengths[0] <= lengths[1]:
        less = Wanted(wanted.carries, wanted.chain, wanted.answer_digits, nonzero=True)
        exchanged = ColumnSpace(lengths[::-1], "-", less)
    return JoinedSpace(straight, exchanged)


def _size(numbers: Sequence[int]) -> int:
    """Return how many there are, which for some ranges is more than `len` can say."""
    if isinstance(numbers, range):
        return max(0, numbers.stop - numbers.start)
    return len(numbers)


def _has_products(lengths: Pair, digits: Collection[int] | None) -> bool:
    """Say whether products of numbers with these lengths can have so many digits."""
    most = sum(lengths)
    possible = {most - 1, most, *([1] if 1 in lengths else [])}
    return digits is None or not possible.isdisjoint(digits)


def _digits(length: int, column: int) -> range:
    """Return the digits an operand of some length may have in a column, the units' being 0."""
    if column >= length:
        return range(1)
    return range(1 if column == length - 1 and length > 1 else 0, 10)


def _steps(first: range, second: range, carry: int, operation: str) -> dict[Step, list[Pair]]:
    """Sort the digits of a column by what they come to."""
    found = defaultdict(list)
    for one, other in product(first, second):
        result = one + other + carry if operation == "+" else one - other - carry
        step = Step(int(not 0 <= result < 10), result % 10 != 0)
        found[step].append((one, other))
    return dict(found)


def _is_in(number: int, limits: Range) -> bool:
    return limits[0] <= number <= limits[1]
