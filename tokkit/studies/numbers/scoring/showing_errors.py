"""How errors look to people: what is wrong with wrong answers, format by format."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType

from tokkit.studies.numbers.scoring.breakdown import (
    SPLITS,
    count_kinds,
    map_digits,
    map_digits_by_length,
    split_accuracy,
)
from tokkit.studies.numbers.scoring.cells import CONDITION
from tokkit.studies.numbers.scoring.tables import (
    FORMATS,
    counted,
    crossed,
    decimal,
    with_conditions,
)

if TYPE_CHECKING:
    import pandas

    from tokkit.studies.numbers.scoring.scores import Scores

_SPLIT_TITLES = {
    "len_match": "Correct, by whether an operand is as long as the answer",
    "num_carries": "Correct, by the number of carries",
    "max_carry_chain": "Correct, by the longest chain of carries",
    "len_true_ans": "Correct, by the number of digits of the answer",
}


def show_errors(scores: "Scores") -> RenderableType:
    """Show the errors of each model and format, over all prompts, shots and files.

    Conditions whose prompts do not match their format are left out.
    """
    rows = scores.rows[scores.rows["cell_matches_format"]]
    varying = [
        name
        for name in ("model", "operation", *FORMATS)
        if rows[CONDITION[name]].nunique(dropna=False) > 1
    ]
    names = list(dict.fromkeys([*varying, "problem_format"]))
    return Group(
        *_kinds(count_kinds(rows, names), names),
        *_splits(split_accuracy(rows, names), names),
        *_digits(map_digits(rows, names), names, scores.settings["tokens"]),
        *_digits_by_length(map_digits_by_length(rows, names), names),
    )


def _kinds(kinds: "pandas.DataFrame", names: Sequence[str]) -> Iterator[RenderableType]:
    titles = {
        True: "Wrong valid answers by kind: each is of the first that it fits",
        False: "Wrong valid answers that are also (of those of which it is known)",
    }
    seen = kinds[kinds.groupby("name")["k"].transform("sum") > 0]
    for exclusive, title in titles.items():
        lines = with_conditions(seen[seen["exclusive"] == exclusive], names)
        for line in lines:
            line["name"] = line["name"].replace("_", " ")
        if lines:
            yield from crossed(lines, "name", title, counted)


def _splits(splits: "pandas.DataFrame", names: Sequence[str]) -> Iterator[RenderableType]:
    for split in SPLITS:
        own = splits[splits["split"] == split].sort_values("value", kind="stable")
        lines = with_conditions(own, names)
        for line in lines:
            if split == "len_match":
                line["value"] = "yes" if line["value"] else "no"
        if lines:
            yield from crossed(lines, "value", _SPLIT_TITLES[split], counted)


def _digits(
    digits: "pandas.DataFrame", names: Sequence[str], tokens: str
) -> Iterator[RenderableType]:
    titles = {
        "left": "Share of wrong digits in valid answers of the right length, from the left",
        "right": "The same, from the right",
        "token": f"The same, by token and digit in it ({tokens})",
    }
    if not len(digits):
        return
    for counted_from, title in titles.items():
        own = digits[digits["counted_from"] == counted_from]
        own = own.sort_values(["token", "of_token", "digit"], kind="stable")
        lines = with_conditions(own, names)
        for line in lines:
            if counted_from == "token":
                line["digit"] = f"{line['token']}: {line['digit']} of {line['of_token']}"
        if lines:
            yield from crossed(lines, "digit", title, lambda line: decimal(line["rate"]))


def _digits_by_length(
    digits: "pandas.DataFrame", names: Sequence[str]
) -> Iterator[RenderableType]:
    if not len(digits) or digits["len_match"].nunique() < 2:
        return
    own = digits[digits["counted_from"] == "left"].sort_values("digit", kind="stable")
    titles = {
        True: "The same from the left, where an operand is as long as the answer",
        False: "The same from the left, where no operand is",
    }
    for value, title in titles.items():
        lines = with_conditions(own[own["len_match"] == value], names)
        yield from crossed(lines, "digit", title, lambda line: decimal(line["rate"]))
