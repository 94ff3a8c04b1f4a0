"""Reading what models answered.

The published reading is that of arXiv 2410.19730: what follows the last ``Result: `` has to be
a whole number, and nothing else. The robust one beside it takes numbers in bold, in words, with
separators or in a sentence, as long as there is only one.
"""

import re
from typing import NamedTuple

from tokkit.studies.counting.tasks import TaskName

MARK = "Result: "
_MOST_DIGITS = 18
_MARK_ANY = re.compile(r"result\W{0,4}[:：=]", re.IGNORECASE)
_DRESS = re.compile(r"[*_`$\\]|boxed")
"""What bold, code and formulas put around a number."""
_NUMBER = re.compile(r"(?<![\w.,])[+-]?(?:\d{1,3}(?:[, ]\d{3})+|\d+)(?!\w|[.,]\d)")
_WORD = re.compile(r"[a-z]+(?:-[a-z]+)?", re.IGNORECASE)
_SEPARATING = re.compile(r"[\s,'\"\[\]`*.]")

# fmt: off
_UNITS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
# fmt: on
WORDS = {word: value for value, word in enumerate(_UNITS)} | {
    f"{tens}{link}{unit}": 20 + 10 * place + value
    for place, tens in enumerate(_TENS)
    for value, (link, unit) in enumerate([("", ""), *(("-", unit) for unit in _UNITS[1:10])])
}
"""Numbers as words, up to ninety-nine."""


class Reading(NamedTuple):
    """What an answer says.

    Attributes:
        published: As the published scorer reads it; None if it does not.
        robust: As the robust one reads it.
    """

    published: int | str | None
    robust: int | str | None


def read_answer(
    task: TaskName, response: str, sample: str, *, cut_off: bool = False
) -> Reading:
    """Read an answer: a number if something was to be counted, else a string.

    Args:
        task: What was asked.
        response: What was said.
        sample: Of which string; the robust reader takes its letters only.
        cut_off: Whether the answer had to end before it was complete. The robust reader then
            wants a ``Result:``, as the last line may say anything.
    """
    ended = not cut_off or _MARK_ANY.search(response) is not None
    if task == "count":
        return Reading(read_published(response), read_robust(response) if ended else None)
    letters = _SEPARATING.sub("", _result_line(response)) if ended else ""
    known = letters and set(sample).issuperset(letters)
    return Reading(_text_after(response) or None, letters if known else None)


def read_published(response: str) -> int | None:
    """Return the number that follows the last ``Result: ``; None if it is none."""
    text = _text_after(response)
    try:
        return None if text is None else int(text)
    except ValueError:
        return None


def read_robust(response: str) -> int | None:
    """Return the only number of the result, however it is written.

    That is what follows the last ``Result:`` on its line, or else the last line of the answer.

    Example: ``"**Result:** 1,234"``, ``"There are twelve."``, ``"Result: 12 times"``.
    """
    numbers = set(_numbers(_result_line(response)))
    return numbers.pop() if len(numbers) == 1 else None


def _text_after(response: str) -> str | None:
    """Return what follows the last mark, without white space around it."""
    _, mark, text = response.rpartition(MARK)
    return text.strip() if mark else None


def _result_line(response: str) -> str:
    """Return the line that has the result."""
    marks = list(_MARK_ANY.finditer(response))
    if not marks:
        lines = [line for line in response.split("\n") if line.strip()]
        return lines[-1] if lines else ""
    rest = response[marks[-1].end() :].strip("*_ \n\t")
    return rest.split("\n", 1)[0]


def _numbers(text: str) -> list[int]:
    """Return the whole numbers of a text, in digits, or else in words."""
    text = _DRESS.sub(" ", text)
    written = [re.sub("[, ]", "", match) for match in _NUMBER.findall(text)]
    if written:
        return [int(each) for each in written if len(each) <= _MOST_DIGITS]
    words = (word.lower() for word in _WORD.findall(text))
    return [WORDS[word] for word in words if word in WORDS]
