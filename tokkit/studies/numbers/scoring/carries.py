"""Where a column sum or difference carries into the next column."""

from collections.abc import Sequence
from itertools import groupby


def carries(num1: int, num2: int, operation: str = "+") -> list[bool] | None:
    """Say which columns carry, or borrow, when two numbers are worked on digit by digit.

    Args:
        num1: The first operand; not negative.
        num2: The second; of a difference the smaller is taken from the larger.
        operation: ``"+"``, ``"-"`` or ``"*"``.

    Returns:
        One value per column of the longer operand, the leftmost column first; None for
        products, which have no single row of carries.

    Raises:
        ValueError: If an operand is negative.
    """
    if min(num1, num2) < 0:
        raise ValueError(f"{num1}, {num2}: carries are those of numbers that are not negative")
    if operation not in {"+", "-"}:
        return None
    large, small = str(max(num1, num2)), str(min(num1, num2))
    found, carry = [], 0
    for one, other in zip(reversed(large), reversed(small.zfill(len(large))), strict=True):
        if operation == "+":
            carry = int(int(one) + int(other) + carry >= 10)
        else:
            carry = int(int(one) - int(other) - carry < 0)
        found.append(bool(carry))
    return found[::-1]


def longest_chain(columns: Sequence[bool]) -> int:
    """Return how many neighbouring columns carry at most: ``[1, 0, 1, 1]`` is 2."""
    return max((sum(1 for _ in run) for value, run in groupby(columns) if value), default=0)
