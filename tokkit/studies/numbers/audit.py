"""How tokenizers cut numbers; see `audit_numbers`."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from tokkit.progress import Progress, silent
from tokkit.studies.numbers.audit_contexts import find_consistency, show_formats
from tokkit.studies.numbers.audit_coverage import FORMS, count_digit_tokens, cover_integers
from tokkit.studies.numbers.audit_cuts import Cut, Reader, Verdict, judge
from tokkit.studies.numbers.audit_result import NumberAudit, TokenizerAudit, Width
from tokkit.tokenizer import Tokenizer

EXHAUSTIVE = 4
"""Up to this width all strings of digits are tried, leading zeros included."""
EXAMPLES = tuple("123456789012"[:width] for width in range(1, 13))
"""The numbers whose cuts are shown."""
THOUSANDS = 3
"""The size of groups that mixed cuts are compared with."""
_CONSISTENT = 12
_EACH = 25
"""How many numbers of each width up to `_CONSISTENT` are tried in contexts."""


def audit_numbers(
    tokenizers: Mapping[str, Tokenizer],
    *,
    widths: int = 20,
    samples: int = 1000,
    seed: int = 0,
    progress: Progress = silent,
) -> NumberAudit:
    """Find out how tokenizers cut numbers.

    Args:
        tokenizers: By the names to show.
        widths: Digits of the longest numbers.
        samples: How many numbers of each width above `EXHAUSTIVE` are drawn; leading zeros may
            be among them. All tokenizers are asked about the same.
        seed: Of the numbers that are drawn.
        progress: Called with a stage, how far it is, and its end.

    Returns:
        The cuts of each width, their rule, what contexts change, and which numbers are one
        token.
    """
    numbers = draw_numbers(widths, samples, seed)
    found = []
    for number, (name, tokenizer) in enumerate(tokenizers.items()):
        progress("cutting numbers", number, len(tokenizers))
        found.append(_audit(name, tokenizer, numbers, seed))
    progress("cutting numbers", len(tokenizers), len(tokenizers))
    return NumberAudit(found, seed)


def draw_numbers(widths: int, samples: int, seed: int) -> dict[int, list[str]]:
    """Draw numbers of each width from 1; the narrow ones are all there are."""
    random = np.random.default_rng(seed)
    numbers = {}
    for width in range(1, widths + 1):
        if width <= EXHAUSTIVE:
            numbers[width] = [f"{value:0{width}}" for value in range(10**width)]
        else:
            drawn = random.integers(10, size=(samples, width))
            numbers[width] = ["".join(map(str, digits)) for digits in drawn.tolist()]
    return numbers


def _audit(
    name: str, tokenizer: Tokenizer, numbers: Mapping[int, Sequence[str]], seed: int
) -> TokenizerAudit:
    """Audit one tokenizer."""
    reader = Reader.of(tokenizer)
    cuts = {
        (form, width): reader.cuts(texts, context)
        for form, context in FORMS.items()
        for width, texts in numbers.items()
    }
    rules = {
        form: judge(cut for width in numbers for cut in cuts[form, width]) for form in FORMS
    }
    rows = [
        _width(form, numbers[width], each, _size(rules[form]))
        for (form, width), each in cuts.items()
    ]
    integers, problems = cover_integers(reader)
    return TokenizerAudit(
        name=name,
        vocab_size=len(tokenizer),
        rules=rules,
        examples=dict(zip(EXAMPLES, reader.cuts(EXAMPLES), strict=True)),
        widths=rows,
        contexts=find_consistency(reader, _some(seed)),
        formats=show_formats(tokenizer),
        digit_tokens=count_digit_tokens(tokenizer.vocab.tokens),
        integers=integers,
        problems=problems,
    )


def _size(rule: tuple[Verdict, int]) -> int:
    """The size of groups that the cuts of each width are compared with."""
    return THOUSANDS if rule[0] in ("mixed", "unknown") else rule[1]


def _some(seed: int) -> list[str]:
    """Draw numbers without leading zeros for contexts."""
    random = np.random.default_rng([seed, 1])
    return [
        str(random.integers(10 ** (width - 1), 10**width))
        for width in range(1, _CONSISTENT + 1)
        for _ in range(_EACH)
    ]


def _width(form: str, numbers: Sequence[str], cuts: Sequence[Cut], size: int) -> Width:
    """Sum up the cuts of one width."""
    patterns = Counter(cuts)
    # "0" is an integer, "00" is none.
    integers = Counter(
        cut
        for number, cut in zip(numbers, cuts, strict=True)
        if number[0] != "0" or len(number) == 1
    )
    ordered = {cut: count for cut, count in sorted(patterns.items(), key=_most_first)}
    width = len(numbers[0])
    verdict, _ = judge(patterns, size)
    return Width(
        form=form,
        width=width,
        n=len(numbers),
        exhaustive=width <= EXHAUSTIVE,
        verdict=verdict,
        patterns=ordered,
        integers=dict(sorted(integers.items(), key=_most_first)),
        size=size,
    )


def _most_first(item: tuple[Cut, int]) -> tuple[int, Cut]:
    return -item[1], item[0]
