"""Problems of arithmetic, and the text tables keep them as."""

import re
from collections.abc import Iterable
from typing import NamedTuple

OPERATIONS = ("+", "-", "*")
_WRITTEN = re.compile(r"([0-9]+)([-+*])([0-9]+)=(-?[0-9]+)")


class Problem(NamedTuple):
    """Two numbers, and what is done with them.

    Attributes:
        num1: The first operand; not negative.
        num2: The second.
        operation: One of `OPERATIONS`.
    """

    num1: int
    num2: int
    operation: str = "+"

    @property
    def truth(self) -> int:
        """The answer."""
        if self.operation == "*":
            return self.num1 * self.num2
        return self.num1 + self.num2 if self.operation == "+" else self.num1 - self.num2

    @property
    def flipped(self) -> "Problem":
        """The same with its operands exchanged."""
        return Problem(self.num2, self.num1, self.operation)

    def __str__(self) -> str:
        return f"{self.num1}{self.operation}{self.num2}"


def write_solved(problems: Iterable[Problem]) -> str:
    """Write problems with their answers as arXiv 2402.14903 does: ``"1+2=3,10+20=30"``."""
    return ",".join(f"{problem}={problem.truth}" for problem in problems)


def read_solved(text: str) -> list[Problem]:
    """Read what `write_solved` wrote; answers are not looked at.

    Raises:
        ValueError: If there is anything else.
    """
    problems = []
    for part in filter(None, text.split(",")):
        match = _WRITTEN.fullmatch(part)
        if match is None:
            raise ValueError(f"{part!r} is not a problem with its answer, such as 1+2=3")
        problems.append(Problem(int(match[1]), int(match[3]), match[2]))
    return problems
