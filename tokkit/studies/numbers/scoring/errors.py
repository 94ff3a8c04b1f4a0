"""What went wrong in a wrong answer.

The measures are those of the error analysis of arXiv 2402.14903 (`utils.py` in its
repository), for whole numbers of any size and sign. `KINDS` sorts errors into one kind each.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tokkit.studies.numbers.problems import Problem
from tokkit.studies.numbers.scoring.carries import carries


@dataclass(frozen=True)
class Posed:
    """A problem as it was put.

    Attributes:
        problem: The problem.
        groups: The digit groups of both operands; empty if they have no separators.
    """

    problem: Problem
    groups: tuple[Sequence[str], Sequence[str]] = ((), ())

    @property
    def truth(self) -> int:
        """The answer."""
        return self.problem.truth


def digit_errors(answer: int, truth: int, *, align: str = "right") -> list[int]:
    """Return by how much each digit of an answer is off, the leftmost digit first.

    Signs are left out. Digits that only the truth has are left out too: compare the lengths.

    Args:
        answer: What was answered.
        truth: What is right.
        align: ``"right"`` compares units with units, ``"left"`` first digits with first
            digits; where the truth has no digit there is a 0.
    """
    given, right = str(abs(answer)), str(abs(truth))
    if align == "right":
        right = right.zfill(len(given))[-len(given) :]
    else:
        right = right.ljust(len(given), "0")[: len(given)]
    return [abs(int(one) - int(other)) for one, other in zip(given, right, strict=True)]


def off_by_one_place(answer: int, truth: int) -> int | None:
    """Return k if an answer is off by just 10^k, else None."""
    error = str(abs(answer - truth))
    return len(error) - 1 if error.rstrip("0") == "1" else None


def is_sign_error(answer: int, posed: Posed) -> bool:
    """Whether the answer is right but for its sign."""
    return answer == -posed.truth


def is_off_by_one(answer: int, posed: Posed) -> bool:
    """Whether one digit is off by one, carried as far as it must be: the error is 10^k."""
    return off_by_one_place(answer, posed.truth) is not None


def is_left_aligned(answer: int, posed: Posed) -> bool:
    """Whether the operands were worked on with their first digits in one column."""
    num1, num2, operation = posed.problem
    one, other = str(num1), str(num2)
    if len(one) == len(other) or operation == "*":
        return False
    width = max(len(one), len(other))
    shifted = Problem(int(one.ljust(width, "0")), int(other.ljust(width, "0")), operation)
    return answer == shifted.truth


def is_chunked_left(answer: int, posed: Posed) -> bool:
    """Whether groups were added one by one, the first with the first, without carrying."""
    return answer == _by_groups(posed, at_left=True)


def is_chunked_right(answer: int, posed: Posed) -> bool:
    """Whether groups were added one by one, the last with the last, without carrying."""
    return answer == _by_groups(posed, at_left=False)


def is_digit_dropped(answer: int, posed: Posed) -> bool:
    """Whether the answer is right for the operands with one digit left out of one of them."""
    num1, num2, operation = posed.problem
    changed = [Problem(one, num2, operation) for one in _without_a_digit(num1)]
    changed += [Problem(num1, other, operation) for other in _without_a_digit(num2)]
    return any(each.truth == answer for each in changed)


def is_answer_digit_dropped(answer: int, posed: Posed) -> bool:
    """Whether the answer is the right one with one digit left out."""
    return _has_sign_of(answer, posed) and abs(answer) in _without_a_digit(abs(posed.truth))


def is_swapped(answer: int, posed: Posed) -> bool:
    """Whether the answer has the right digits, two neighbouring ones changed over."""
    given, right = str(abs(answer)), str(abs(posed.truth))
    if len(given) != len(right) or not _has_sign_of(answer, posed):
        return False
    wrong = [place for place in range(len(given)) if given[place] != right[place]]
    if len(wrong) != 2 or wrong[1] != wrong[0] + 1:
        return False
    return given[wrong[0]] == right[wrong[1]] and given[wrong[1]] == right[wrong[0]]


def is_one_digit(answer: int, posed: Posed) -> bool:
    """Whether just one digit is wrong."""
    same_length = len(str(abs(answer))) == len(str(abs(posed.truth)))
    errors = digit_errors(answer, posed.truth)
    return same_length and _has_sign_of(answer, posed) and sum(map(bool, errors)) == 1


def is_other_length(answer: int, posed: Posed) -> bool:
    """Whether the answer has too many digits or too few."""
    return len(str(abs(answer))) != len(str(abs(posed.truth)))


KINDS: dict[str, Callable[[int, Posed], bool]] = {
    "sign": is_sign_error,
    "off_by_one": is_off_by_one,
    "left_aligned": is_left_aligned,
    "chunks_left": is_chunked_left,
    "chunks_right": is_chunked_right,
    "operand_digit_dropped": is_digit_dropped,
    "answer_digit_dropped": is_answer_digit_dropped,
    "swapped": is_swapped,
    "one_digit": is_one_digit,
    "length": is_other_length,
}
"""Kinds of errors; a wrong answer is of the first that it fits, or of `OTHER`."""
OTHER = "other"


def kind_of(answer: int, posed: Posed) -> str:
    """Return the kind of error that a wrong answer is.

    Raises:
        ValueError: If the answer is right.
    """
    if answer == posed.truth:
        raise ValueError(f"{answer} is the right answer")
    return next((name for name, fits in KINDS.items() if fits(answer, posed)), OTHER)


def carry_errors(answer: int, posed: Posed) -> tuple[int, int] | None:
    """Count wrong digits in columns that something is carried into, and out of.

    Units are compared with units. None for products, which have no row of carries.
    """
    columns = carries(*posed.problem)
    if columns is None:
        return None
    wrong = [bool(error) for error in reversed(digit_errors(answer, posed.truth))]
    into, out = [False, *reversed(columns)], [*reversed(columns), False]
    return (
        sum(error and carried for error, carried in zip(wrong, into, strict=False)),
        sum(error and carried for error, carried in zip(wrong, out, strict=False)),
    )


def _without_a_digit(number: int) -> list[int]:
    digits = str(number)
    if len(digits) == 1:
        return []
    return [int(digits[:place] + digits[place + 1 :]) for place in range(len(digits))]


def _has_sign_of(answer: int, posed: Posed) -> bool:
    return (answer < 0) == (posed.truth < 0)


def _by_groups(posed: Posed, *, at_left: bool) -> int | None:
    """Add group by group and write the sums one after the other; None without groups."""
    one, other = (list(groups) for groups in posed.groups)
    if max(len(one), len(other)) < 2 or posed.problem.operation != "+":
        return None
    missing = len(one) - len(other)
    for groups, count in ((one, -missing), (other, missing)):
        padding = ["0"] * max(count, 0)
        groups[:] = groups + padding if at_left else padding + groups
    sums = (int(first) + int(second) for first, second in zip(one, other, strict=True))
    return int("".join(map(str, sums)))
