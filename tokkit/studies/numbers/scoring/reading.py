"""What each row of a study of numbers says: its answer, whether that is right, and how wrong.

The columns have the names of the published analysis of arXiv 2402.14903 (`post_process_row`
and `analyze_row_error` of its `utils.py`) where that has them.
"""

import json
import math
from typing import TYPE_CHECKING, Any

from tokkit.errors import CorpusError
from tokkit.studies.frames import frame_of, lines_of
from tokkit.studies.numbers.formats import NumberFormat
from tokkit.studies.numbers.problems import Problem
from tokkit.studies.numbers.rows import Row, problem_of, style_of
from tokkit.studies.numbers.scoring.answers import (
    KNOWN_SEPARATORS,
    find_any_number,
    find_number,
    read_repeat,
    split_response,
)
from tokkit.studies.numbers.scoring.carries import carries, longest_chain
from tokkit.studies.numbers.scoring.errors import (
    Posed,
    carry_errors,
    digit_errors,
    is_chunked_left,
    is_chunked_right,
    is_digit_dropped,
    is_left_aligned,
    kind_of,
    off_by_one_place,
)

if TYPE_CHECKING:
    import pandas


def read_answers(frame: "pandas.DataFrame") -> "pandas.DataFrame":
    """Read the answers of a study and compare them with the truth.

    Args:
        frame: As `tokkit.studies.numbers.rows.read_rows` gives it: one row per answer.

    Returns:
        The same rows with the columns of the published analysis: `true_answer`, `len_match`,
        `num_carries`, `valid_answer`, `answer`, `answer_match`, `format_match`,
        `only_off_by_one` and so on; and `answered` (whether there is a response at all),
        `agnostic_answer`, `agnostic_valid` and `agnostic_match` (read whatever separates the
        digits), `error_kind`, `digit_errors` (by how much each digit is off, units aligned),
        `only_wrong_digit_num` (from the left), `second_group_error` (whether that begins the
        second group counted from the left), and what log probabilities say. Values that a row
        does not have are None.
    """
    import pandas

    found = frame_of(map(_read, lines_of(frame)))
    found.index = frame.index
    kept = frame.drop(columns=[name for name in found.columns if name in frame.columns])
    return pandas.concat([kept, found], axis=1)


def separators_of(wanted: NumberFormat) -> tuple[str, ...]:
    """Return what may separate digits where a format was asked for: its own too."""
    return (*KNOWN_SEPARATORS, wanted.separator) if wanted.separator else KNOWN_SEPARATORS


def _read(row: Row) -> dict[str, Any]:
    """Return all columns that are added to one row."""
    style, problem = style_of(row), problem_of(row)
    asked, wanted, repeated = style.query, style.answer, style.repeat
    groups = tuple(asked.groups(number) if asked.separator else () for number in problem[:2])
    posed = Posed(problem, (groups[0], groups[1]))
    response = row["response"] if isinstance(row["response"], str) else None
    read = _problem_columns(problem, wanted)
    read["answered"] = response is not None
    parts = split_response(
        response or "", repeats=repeated is not None, operation=problem.operation
    )
    read |= _repeat_columns(parts.repeat, repeated, problem)
    read |= _answer_columns(parts.answer, wanted, problem)
    if read["valid_answer"]:
        read["answer_start"] += len(response or "") - len(parts.answer)
    read |= _error_columns(read["answer"], posed, int(row["chunk_size"]))
    try:
        return read | _logprob_columns(row["logprobs_json"])
    except (ValueError, TypeError, LookupError, AttributeError):
        raise CorpusError(
            f"row {row['key']!r}: logprobs_json is no list of tokens with their logprob"
        ) from None


def _problem_columns(problem: Problem, wanted: NumberFormat) -> dict[str, Any]:
    """Return what is known before there is an answer."""
    truth = problem.truth
    sizes = [len(str(abs(number))) for number in (problem.num1, problem.num2, truth)]
    columns = carries(*problem)
    return {
        "true_answer": truth,
        "formatted_true_answer": wanted.write(truth),
        "len1": sizes[0],
        "len2": sizes[1],
        "len_true_ans": sizes[2],
        "len_match_both": sizes[0] == sizes[2] and sizes[1] == sizes[2],
        "len_match": sizes[2] in sizes[:2],
        "num_carries": None if columns is None else sum(columns),
        "max_carry_chain": None if columns is None else longest_chain(columns),
    }


def _only_wrong(digits: str) -> int:
    """Return the number, from the left, of the only digit that is wrong; -1 if not just one."""
    wrong = [place for place, error in enumerate(digits, start=1) if error != "0"]
    return wrong[0] if len(wrong) == 1 else -1


_REPEATS = (
    "repeat_valid",
    "repeat_copy_num1_match",
    "repeat_copy_num2_match",
    "repeat_copy_match",
    "repeat_format_match",
    "repeat_padded",
    "repeat_extraneous",
    "repeat_num1",
    "repeat_num2",
)


def _repeat_columns(
    text: str | None, wanted: NumberFormat | None, problem: Problem
) -> dict[str, Any]:
    """Return how well the problem was said again; None where it was not to be."""
    if wanted is None:
        return dict.fromkeys(_REPEATS)
    found = None
    if text is not None:
        found = read_repeat(
            text, problem.operation, separators_of(wanted), units_first=wanted.reversed
        )
    if found is None:
        return dict.fromkeys(_REPEATS) | dict.fromkeys(_REPEATS[:5], False)
    copied = [
        number == operand for number, operand in zip(found.numbers, problem[:2], strict=True)
    ]
    formatted = all(
        number is not None and wanted.write(number) == written
        for number, written in zip(found.numbers, found.texts, strict=True)
    )
    judged = (True, *copied, all(copied), formatted, found.padded, found.extraneous)
    return dict(zip(_REPEATS, judged + found.numbers, strict=True))


def _answer_columns(text: str, wanted: NumberFormat, problem: Problem) -> dict[str, Any]:
    """Return the answer as both readers read it."""
    trimmed = text.strip()
    found = find_number(trimmed, separators_of(wanted), units_first=wanted.reversed)
    other = found or find_any_number(trimmed, units_first=wanted.reversed)
    rewritten = wanted.write(found.value) if found else None
    format_match = found is not None and rewritten == found.text
    answer_match = found is not None and found.value == problem.truth
    return {
        "valid_answer": found is not None,
        "answer": found.value if found else None,
        "answer_start": found.start + text.index(trimmed) if found else None,
        "answer_match": answer_match,
        "format_match": format_match,
        "formatted_answer_match": answer_match and format_match,
        "extracted_formatted_answer": found.text if found else None,
        "constructed_formatted_answer": rewritten,
        "padded_answer": trimmed != text,
        "extraneous_response": found is None or found.text != trimmed,
        "agnostic_valid": other is not None,
        "agnostic_answer": other.value if other else None,
        "agnostic_match": other is not None and other.value == problem.truth,
    }


_ERRORS = (
    "len_ans",
    "correct_ans_len",
    "abs_error_mag",
    "only_off_by_one",
    "only_off_by_one_digit_num",
    "digit_errors",
    "only_wrong_digit_num",
    "second_group_error",
    "num_carry_in_errors",
    "num_carry_out_errors",
    "dropped_digit_error",
    "left_alignment_error",
    "left_chunked_error",
    "right_chunked_error",
    "error_kind",
)


def _error_columns(answer: int | None, posed: Posed, size: int) -> dict[str, Any]:
    """Return how far off a valid answer is, and in which way."""
    if answer is None:
        return dict.fromkeys(_ERRORS)
    truth, length = posed.truth, len(str(abs(answer)))
    place = None if answer == truth else off_by_one_place(answer, truth)
    wrong = answer != truth
    into, out = carry_errors(answer, posed) or (None, None)
    digits = "".join(map(str, digit_errors(answer, truth)))
    only_wrong = _only_wrong(digits) if length == len(str(abs(truth))) else -1
    values = (
        length,
        length == len(str(abs(truth))),
        abs(answer - truth),
        place is not None,
        -1 if place is None else length - place,
        digits,
        only_wrong,
        only_wrong == size + 1,
        into,
        out,
        wrong and is_digit_dropped(answer, posed),
        is_left_aligned(answer, posed),
        is_chunked_left(answer, posed),
        is_chunked_right(answer, posed),
        kind_of(answer, posed) if wrong else None,
    )
    return dict(zip(_ERRORS, values, strict=True))


def _logprob_columns(text: Any) -> dict[str, float | None]:
    """Return what log probabilities say of an answer, in nats; None where there are none."""
    tokens = json.loads(text) if isinstance(text, str) and text else []
    if not tokens:
        return dict.fromkeys(("answer_logprob", "mean_logprob", "top5_entropy"))
    logprobs = [token["logprob"] for token in tokens]
    entropies = [
        _entropy(token["top_5_logprobs"]) for token in tokens if token.get("top_5_logprobs")
    ]
    return {
        "answer_logprob": math.fsum(logprobs),
        "mean_logprob": math.fsum(logprobs) / len(logprobs),
        "top5_entropy": math.fsum(entropies) / len(entropies) if entropies else None,
    }


def _entropy(candidates: list[dict[str, Any]]) -> float:
    """Return the entropy of the named candidates among themselves."""
    weights = [math.exp(each["logprob"]) for each in candidates]
    total = math.fsum(weights)
    shares = [weight / total for weight in weights if weight > 0]
    return -math.fsum(share * math.log(share) for share in shares)
