"""What is wrong with the prompts and records of a study of numbers, before any answer counts.

Each check is one that a published or popular study would have needed: separators written
backwards (the ``foo_r2l`` condition of arXiv 2402.14903), doubled spaces before the answers of
examples (lm-evaluation-harness, issue 2695), a last token of the prompt that swallows the
answer's first characters.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from tokkit.errors import CorpusError, TokkitError
from tokkit.studies.frames import lines_of
from tokkit.studies.numbers.problems import Problem, read_solved, write_solved
from tokkit.studies.numbers.rows import Row, problem_of, style_of
from tokkit.studies.numbers.scoring.answers import written_numbers
from tokkit.studies.numbers.scoring.cells import CONDITION, PROBLEM, by_condition
from tokkit.studies.numbers.scoring.reading import separators_of
from tokkit.tokenizer import Tokenizer

if TYPE_CHECKING:
    import pandas

_ANSWERED = re.compile(r"([^\n]*[=:] *)([-−0-9][^\n]*)")
"""A line of a text to continue that has an answer: behind ``=``, or ``Answer:``."""
_GROUP = ("file", "model", "system_prompt", "problem_format", "repeat_format", "answer_format")


class Check(NamedTuple):
    """A check of single rows.

    Attributes:
        says: What is wrong with a row that fails, and what follows.
        finds: Returns what is wrong in a row, in short; an empty text if nothing is.
    """

    says: str
    finds: Callable[[Row], str]


def misses_format(row: Row) -> str:
    """Return the problem, or an example, whose numbers are not in the stated format."""
    style, said = style_of(row), _said(row)
    asked: str = row["problem_msg"] or said
    operands = [each for each in (style.query, style.repeat) if each]
    separators = [text for each in (*operands, style.answer) for text in separators_of(each)]
    wanted = {style.query.write(number) for number in problem_of(row)[:2]}
    if asked and not wanted.issubset(written_numbers(asked, separators)):
        return asked
    written = set(written_numbers(said, separators))
    for example in _solved(row["shots"]) if said else ():
        wanted = {each.write(number) for each in operands for number in example[:2]}
        if not written.issuperset({*wanted, style.answer.write(example.truth).lstrip("-")}):
            return f"the example {example}"
    return ""


def has_other_layout(row: Row) -> str:
    """Return the problem if it is not put as stated, though its numbers are."""
    message = row["problem_msg"]
    if not message or message == style_of(row).ask(problem_of(row)) or misses_format(row):
        return ""
    return repr(message)


def doubles_spaces(row: Row) -> str:
    """Return the end of an example's question that has two spaces or more before its answer."""
    stated = int(row["num_trailing_spaces"])
    for question, answer in _examples(row):
        tail, head = question.rstrip(" "), answer.lstrip(" ")
        spaces = len(question) - len(tail) + len(answer) - len(head)
        if spaces > max(1, stated):
            return repr(f"{tail[-12:]}{' ' * spaces}{head[:12]}")
    return ""


def has_wrong_example(row: Row) -> str:
    """Return the first example whose arithmetic is wrong, or which is none."""
    texts: list[str] = row["shots"].split(",")
    return next((text for text in texts if text and not any(_solved(text))), "")


def is_among_examples(row: Row) -> str:
    """Return the problem if it is one of its own examples, in either order of a sum."""
    problem = problem_of(row)
    own = [str(problem)] if problem.operation == "-" else [str(problem), str(problem.flipped)]
    shots: list[str] = row["shots"].split(",")
    return next((text for text in shots if text.partition("=")[0] in own), "")


def has_no_answer(row: Row) -> str:
    """Return why a row has no response."""
    if row["answered"]:
        return ""
    return _text(row, "error") or "no response"


def was_cut_short(row: Row) -> str:
    """Return a response that ended because it had as many tokens as it may have."""
    response = str(row.get("response") or "")
    if row.get("finish_reason") == "length":
        return repr(response)
    used, most = _number(row, "completion_tokens"), _number(row, "max_tokens")
    return repr(response) if used >= most else ""


MISMATCH = "prompt_format"
CHECKS: dict[str, Check] = {
    MISMATCH: Check(
        "prompts whose numbers are not written in the stated format: listed apart, and in no "
        "pooled cell and no comparison",
        misses_format,
    ),
    "prompt_layout": Check("problems that are not spaced as stated", has_other_layout),
    "doubled_spaces": Check("examples with doubled spaces before the answer", doubles_spaces),
    "wrong_example": Check("examples whose arithmetic is wrong", has_wrong_example),
    "problem_among_examples": Check("problems that are their own example", is_among_examples),
    "no_answer": Check("rows without an answer: they count nowhere", has_no_answer),
    "cut_short": Check("answers that ended because they had no tokens left", was_cut_short),
}
"""The checks of single rows."""


def boundary_check(tokenizer: Tokenizer) -> Check:
    """Return the check whether a prompt's last token takes in the answer's first characters.

    Only prompts that are continued have one; in a chat an answer is a message of its own.
    """

    def finds(row: Row) -> str:
        prompt = _text(row, "prompt")
        if not prompt:
            return ""
        answer = row["formatted_true_answer"]
        try:
            spans = tokenizer.spans(prompt + answer, parse_specials=False)
        except TokkitError:
            return ""
        end = len(prompt.encode())
        over = spans[(spans[:, 0] < end) & (spans[:, 1] > end)].tolist()
        tokens = [(prompt + answer).encode()[start:stop] for start, stop in over]
        return repr(tokens[0].decode("utf-8", "replace")) if tokens else ""

    return Check("prompts whose last token takes in the beginning of the answer", finds)


def find_flags(
    rows: "pandas.DataFrame", tokenizer: Tokenizer | None = None
) -> "pandas.DataFrame":
    """Check prompts and records.

    Args:
        rows: As `tokkit.studies.numbers.scoring.reading.read_answers` makes them.
        tokenizer: Of the model asked, to see where prompts end.

    Returns:
        One line per check and condition that failed: `check`; the model, file, system prompt
        and formats; `rows` that fail, of how many (`of`); `says` what is wrong; an `example`.
    """
    import pandas

    checks = dict(CHECKS)
    if tokenizer is not None:
        checks["answer_merges"] = boundary_check(tokenizer)
    found = []
    for condition, part in by_condition(rows, _GROUP):
        for name, says, count, example in _failures(part, checks):
            counts = {"rows": count, "of": len(part), "says": says, "example": example}
            found.append({"check": name, **condition, **counts})
    names = ["check", *_GROUP, "rows", "of", "says", "example"]
    return pandas.DataFrame(found, columns=names)


def _failures(
    part: "pandas.DataFrame", checks: Mapping[str, Check]
) -> Iterator[tuple[str, str, int, str]]:
    """Yield the name, meaning, count and first example of each check that fails."""
    records = lines_of(part)
    for name, check in checks.items():
        examples = [text for text in map(check.finds, records) if text]
        if examples:
            yield name, check.says, len(examples), examples[0]
    again = part.duplicated([*CONDITION.values(), *PROBLEM, "response_repeat"])
    if again.any():
        first = part[again].iloc[0]
        example = f"{first['num1']}{first['operation']}{first['num2']}"
        says = "rows that ask what another row asks: problems count more than once"
        yield "duplicate", says, int(again.sum()), example
    yield from _perhaps_cut_short(part)


def _perhaps_cut_short(part: "pandas.DataFrame") -> Iterator[tuple[str, str, int, str]]:
    """Suspect invalid answers that have as many tokens as any, where no limit is known."""
    used = part["completion_tokens"].astype(float)
    if part["max_tokens"].notna().any() or not used.notna().any():
        return
    at_most = part[(used == used.max()) & ~part["valid_answer"] & part["answered"]]
    if len(at_most):
        says = (
            f"invalid answers of {used.max():.0f} tokens, no other has more: perhaps cut short"
        )
        yield "perhaps_cut_short", says, len(at_most), repr(at_most.iloc[0]["response"])


def _examples(row: Row) -> Iterator[tuple[str, str]]:
    """Yield question and answer of each example of a prompt."""
    for first, second in pairwise(_messages(row)):
        if (first[0], second[0]) == ("user", "assistant"):
            yield first[1], second[1]
    for match in _ANSWERED.finditer(_text(row, "prompt")):
        yield match[1], match[2]


def _solved(shots: str) -> Iterator[Problem]:
    """Yield the examples that are worked out rightly."""
    for text in filter(None, shots.split(",")):
        try:
            (example,) = read_solved(text)
        except ValueError:
            continue
        if write_solved([example]) == text:
            yield example


def _said(row: Row) -> str:
    """Return all that a model is told, as one text; empty if only columns describe it."""
    chat = "\n".join(content for _, content in _messages(row))
    return chat or _text(row, "prompt")


def _messages(row: Row) -> list[tuple[str, str]]:
    """Return role and content of each message; none where there is no chat."""
    try:
        pairs = json.loads(_text(row, "messages") or "[]")
        return [(str(role), str(content)) for role, content in pairs]
    except (ValueError, TypeError):
        raise CorpusError(
            f"row {row['key']!r}: messages are no JSON list of pairs of role and content"
        ) from None


def _text(row: Row, name: str) -> str:
    value = row.get(name)
    return value if isinstance(value, str) else ""


def _number(row: Row, name: str) -> float:
    """Return a count of tokens; not a number where there is none."""
    value: float | None = row.get(name)
    return float("nan") if value is None else float(value)
