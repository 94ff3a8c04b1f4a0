"""Where errors are, and of which kind: by carries, by length, by digit and by token."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tokkit.stats import wilson
from tokkit.studies.frames import frame_of, lines_of
from tokkit.studies.numbers.scoring.cells import by_condition
from tokkit.studies.numbers.scoring.errors import KINDS, OTHER
from tokkit.studies.numbers.scoring.positions import Cut, Place, cut_by_groups
from tokkit.studies.paired import share

if TYPE_CHECKING:
    import pandas
SPLITS = ("len_match", "num_carries", "max_carry_chain", "len_true_ans")
"""What accuracy is split by."""
MEASURES = {
    "correct_length": "correct_ans_len",
    "any_off_by_one": "only_off_by_one",
    "off_by_one_at_token_end": "off_by_one_at_token_end",
    "digit_dropped": "dropped_digit_error",
    "left_aligned": "left_alignment_error",
    "second_group_start": "second_group_error",
}
"""What a wrong answer may be, beside its one kind, and in which column of the rows that is."""


def place_digits(rows: "pandas.DataFrame", cut: Cut = cut_by_groups) -> "pandas.DataFrame":
    """Say in which token each digit of each valid answer is.

    Args:
        rows: As `tokkit.studies.numbers.scoring.reading.read_answers` makes them.
        cut: How answers are cut.

    Returns:
        The columns `digit_tokens`, a list of `Place` from the leftmost digit of the number on,
        or None; `off_by_one_token`, `off_by_one_in_token`, the place of the digit that is off
        by one; `off_by_one_at_token_end`, whether it is the last of its token.
    """
    import pandas

    known: dict[tuple[str, int, str, bool], list[Place] | None] = {}
    lines = []
    for row in lines_of(rows):
        places = None
        if row["valid_answer"]:
            written = row["extracted_formatted_answer"]
            units_first = row["answer_number_format"] == "reversed"
            key = (row["response"], row["answer_start"], written, units_first)
            if key not in known:
                known[key] = _of_value(cut(*key[:3]), row["len_ans"], units_first)
            places = known[key]
        lines.append(_off_by_one(row, places))
    names = (
        "digit_tokens",
        "off_by_one_token",
        "off_by_one_in_token",
        "off_by_one_at_token_end",
    )
    return pandas.DataFrame(lines, index=rows.index, columns=names, dtype=object)


def count_kinds(rows: "pandas.DataFrame", names: Sequence[str]) -> "pandas.DataFrame":
    """Count the kinds of errors of each condition.

    Args:
        rows: As `tokkit.studies.numbers.scoring.score` makes them.
        names: Names in `CONDITION` that make a condition.

    Returns:
        One line per condition and `name`: of an `exclusive` kind in `KINDS`, or of one of
        `MEASURES`, which overlap. `k` of `n` wrong valid answers are so, a `share` with its
        95 % interval (`low`, `high`). Where something is not known of all wrong answers, `n`
        counts those of which it is; of `off_by_one_at_token_end`, those off by one.
    """
    lines = []
    for named, part in by_condition(rows, names):
        wrong = part[part["valid_answer"] & ~part["answer_match"]]
        for name in (*KINDS, OTHER):
            k = int((wrong["error_kind"] == name).sum())
            lines.append({**named, "name": name, "exclusive": True, **_share(k, len(wrong))})
        for name, column in MEASURES.items():
            known = wrong[column].dropna().astype(bool)
            shares = _share(int(known.sum()), len(known))
            lines.append({**named, "name": name, "exclusive": False, **shares})
    return frame_of(lines)


def split_accuracy(rows: "pandas.DataFrame", names: Sequence[str]) -> "pandas.DataFrame":
    """Split the accuracy of each condition by what makes problems hard.

    Returns:
        One line per condition, `split` (one of `SPLITS`) and `value`: `n` answers, `valid`
        ones, `k` correct, the `accuracy` with its 95 % interval (`low`, `high`).
    """
    lines = []
    for named, part in by_condition(rows[rows["answered"]], names):
        judged = part[["answer_match", "valid_answer", "problem_id", *SPLITS]]
        for split in SPLITS:
            for _, own in judged.groupby(split):
                of = {"split": split, "value": int(own[split].iloc[0])}
                lines.append({**named, **of, **_accuracy(own)})
    return frame_of(lines)


def _accuracy(own: "pandas.DataFrame") -> dict[str, float | int]:
    right = own["answer_match"].to_numpy(dtype=bool)
    found = share(right, own["problem_id"].to_numpy())
    return {
        "n": len(own),
        "valid": int(own["valid_answer"].sum()),
        "k": int(right.sum()),
        "accuracy": found.value,
        "low": found.low,
        "high": found.high,
    }


def map_digits(rows: "pandas.DataFrame", names: Sequence[str]) -> "pandas.DataFrame":
    """Count wrong digits by where they are, in valid answers of the right length.

    Returns:
        One line per condition and place. `counted_from` is ``"left"`` or ``"right"``, where
        `digit` is the place from there, from 1; or ``"token"``, where `digit` is its place
        among the digits of its token, `token` the number of that token and `of_token` how many
        digits it has. `k` of `n` digits are wrong, a `rate` with its 95 % interval.
    """
    lines = []
    usable = rows[rows["valid_answer"] & rows["correct_ans_len"].fillna(False).astype(bool)]
    for named, part in by_condition(usable, names):
        counts: dict[tuple[str, int, int, int], list[int]] = {}
        for place, is_wrong in _digits(part):
            own = counts.setdefault(place, [0, 0])
            own[0] += 1
            own[1] += is_wrong
        for (counted_from, token, digit, of_token), (n, k) in sorted(counts.items()):
            found = wilson(k, n)
            where = {"counted_from": counted_from, "digit": digit}
            tokens = {"token": token or None, "of_token": of_token or None}
            ends = {"n": n, "k": k, "rate": found.value, "low": found.low, "high": found.high}
            lines.append({**named, **where, **tokens, **ends})
    return frame_of(lines)


def map_digits_by_length(rows: "pandas.DataFrame", names: Sequence[str]) -> "pandas.DataFrame":
    """Count wrong digits apart where an operand is as long as the answer and where none is.

    Groups from the left hold other columns in a number and in one that is longer by a digit.

    Returns:
        What `map_digits` does, and `len_match`.
    """
    import pandas

    parts = [
        map_digits(rows[rows["len_match"] == value], names).assign(len_match=value)
        for value in (True, False)
    ]
    return pandas.concat([part for part in parts if len(part)] or parts, ignore_index=True)


def _digits(part: "pandas.DataFrame") -> Iterator[tuple[tuple[str, int, int, int], bool]]:
    """Yield every digit's place, in each way of counting, and whether it is wrong."""
    for errors, places in zip(part["digit_errors"], part["digit_tokens"], strict=True):
        for index, error in enumerate(errors):
            is_wrong = error != "0"
            yield ("left", 0, index + 1, 0), is_wrong
            yield ("right", 0, len(errors) - index, 0), is_wrong
            if places is not None:
                token, in_token, of_token = places[index]
                yield ("token", token, in_token, of_token), is_wrong


def _of_value(places: list[Place] | None, length: int, units_first: bool) -> list[Place] | None:
    """Return the places of a number's digits, leading zeros left out, its first digit first."""
    if places is None or len(places) < length:
        return None
    return places[length - 1 :: -1] if units_first else places[len(places) - length :]


def _off_by_one(row: dict[str, Any], places: list[Place] | None) -> tuple[Any, ...]:
    digit = row["only_off_by_one_digit_num"]
    if places is None or digit is None or not 1 <= digit <= len(places):
        return (places, None, None, None)
    place = places[int(digit) - 1]
    # With units first, the last digit of a token is its most significant one.
    return (places, place.token, place.in_token, place.in_token == place.of_token)


def _share(k: int, n: int) -> dict[str, float | int | None]:
    found = wilson(k, n)
    ends = {"share": found.value, "low": found.low, "high": found.high}
    return {"n": n, "k": k, **{name: None if np.isnan(v) else v for name, v in ends.items()}}
