"""Where a tokenizer cuts a number, and how that is called."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tokkit.studies.numbers.rewrite_pattern import Grouping
from tokkit.tokenizer import Tokenizer

Cut = tuple[int, ...]
"""How many digits each token of a number has; empty where they are not to be found."""
Verdict = Literal[
    "whole", "single", "left-to-right", "right-to-left", "either", "mixed", "unknown"
]
"""What explains all cuts.

``whole``: numbers are one token. ``single``: digits are. ``left-to-right`` and
``right-to-left``: groups of a fixed size are counted from there, and none reaches into another
token; some may be cut further, where the vocabulary has not all of them. ``either``: of numbers
that fit into whole groups one cannot say. ``mixed``: no such rule. ``unknown``: the tokens do
not spell the digits.
"""

_DIGITS = frozenset(b"0123456789")
_REPEATED = 3


@dataclass(frozen=True)
class Reader:
    """Reads the cuts of a tokenizer.

    Attributes:
        tokenizer: The tokenizer.
        counts: How many ASCII digits each token has, ``int64[vocabulary]``.
    """

    tokenizer: Tokenizer
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, tokenizer: Tokenizer) -> "Reader":
        """Prepare to read."""
        tokens = tokenizer.vocab.tokens
        counts = [sum(byte in _DIGITS for byte in token) for token in tokens]
        return cls(tokenizer, np.array(counts, dtype=np.int64))

    def cuts(self, numbers: Sequence[str], context: str = "{}") -> list[Cut]:
        """Cut numbers that stand in a context.

        Args:
            numbers: ASCII digits.
            context: The text around each, ``{}`` for the number, such as ``"0.{} m"``.
        """
        before, after = (sum(map(str.isdigit, part)) for part in context.split("{}"))
        texts = [context.replace("{}", number) for number in numbers]
        found = []
        for number, ids in zip(
            numbers, self.tokenizer.encode_batch(texts, parse_specials=False), strict=True
        ):
            found.append(_within(self.counts[ids].tolist(), before, len(number), after))
        return found


def _within(counts: Iterable[int], before: int, width: int, after: int) -> Cut:
    """Count the digits of the number only: with 1 before it, ``[3, 1]`` of 3 is ``(2, 1)``."""
    cut = []
    place = -before
    for count in counts:
        inside = min(place + count, width) - max(place, 0)
        if inside > 0:
            cut.append(inside)
        place += count
    return tuple(cut) if place == width + after else ()


def spell(cut: Cut) -> str:
    """Write a cut: ``(1, 3)`` is ``"1+3"``."""
    return "+".join(map(str, cut)) or "?"


def spell_short(cut: Cut) -> str:
    """Write a cut with repetitions: ``(1, 3, 3, 3, 3)`` is ``"1+4×3"``."""
    runs = [(size, len(list(run))) for size, run in groupby(cut)]
    parts = [
        f"{count}×{size}" if count > _REPEATED else spell((size,) * count)
        for size, count in runs
    ]
    return "+".join(parts) or "?"


def show_cut(number: str, cut: Cut) -> str:
    """Show a cut in the number: ``"1|234"``."""
    ends = np.cumsum(cut).tolist()
    return (
        "|".join(number[end - size : end] for size, end in zip(cut, ends, strict=True)) or "?"
    )


def judge(cuts: Iterable[Cut], size: int | None = None) -> tuple[Verdict, int]:
    """Find the rule that explains cuts.

    Args:
        cuts: Of any numbers.
        size: How many digits a group has; None: as many as the longest.

    Returns:
        The rule, and the digits of a group.
    """
    every = set(cuts)
    if () in every or not every:
        return "unknown", 0
    size = size or max(map(max, every))
    if size == 1:
        return "single", 1
    if all(len(cut) == 1 for cut in every):
        return "whole", size
    from_left, from_right = (
        all(_respects(cut, _rule(sum(cut), size, from_right=side)) for cut in every)
        for side in (False, True)
    )
    if from_left and from_right:
        return ("either" if any(sum(cut) > size for cut in every) else "mixed"), size
    if from_left or from_right:
        return ("left-to-right" if from_left else "right-to-left"), size
    return "mixed", size


def _respects(cut: Cut, groups: Cut) -> bool:
    """Tell whether a token ends where each group does: with ``(2, 2)``, ``(1, 1, 2)`` has."""
    return set(accumulate(groups)) <= set(accumulate(cut))


def share_of_rule(cuts: Mapping[Cut, int], size: int, *, from_right: bool) -> float:
    """Which share of cuts is groups of `size` from one side."""
    fitting = sum(
        count
        for cut, count in cuts.items()
        if cut and cut == _rule(sum(cut), size, from_right=from_right)
    )
    return fitting / max(sum(cuts.values()), 1)


def _rule(width: int, size: int, *, from_right: bool) -> Cut:
    return tuple(map(len, Grouping(size, from_right).cut("0" * width)))
