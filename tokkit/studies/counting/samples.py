"""The strings of a study: drawn as planned, or read from a file."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tokkit.errors import CorpusError, UsageError
from tokkit.studies.counting.aligned import Around, draw_aligned
from tokkit.studies.counting.drawing import draw_strings, published_strings
from tokkit.studies.counting.plan import ZHANG2024_STRINGS, Plan
from tokkit.studies.counting.prompts import prompt_around
from tokkit.tokenizer import Tokenizer


class Sample(NamedTuple):
    """A string.

    Attributes:
        id: What it is called; unique in a study.
        text: The string.
        per_token: How many letters of it each token holds, if it was made so.
    """

    id: str
    text: str
    per_token: int | None = None


def draw_samples(plan: Plan, tokenizer: Tokenizer | None = None) -> list[Sample]:
    """Draw the strings of a study.

    Args:
        plan: What they are to be.
        tokenizer: What cuts those with a given number of letters per token.

    Raises:
        UsageError: If there are no such strings, or a tokenizer is needed.
    """
    if plan.draw == "published":
        texts = published_strings(plan.letters, plan.lengths, plan.number, plan.seed)
        return [Sample(str(place), text) for place, text in enumerate(texts)]
    if plan.letters_per_token:
        if tokenizer is None:
            raise UsageError(
                "letters per token are those of a tokenizer: name it (--tokenizer)"
            )
        return _draw_aligned(plan, tokenizer)
    least, most = plan.lengths
    texts = draw_strings(
        plan.letters,
        range(least, most + 1),
        plan.number,
        generator=np.random.default_rng(plan.seed),
        focus=plan.focus,
    )
    return [Sample(str(place), text) for place, text in enumerate(texts)]


def _draw_aligned(plan: Plan, tokenizer: Tokenizer) -> list[Sample]:
    """Draw strings of each number of letters per token, all of the same lengths."""
    samples = []
    lengths = _common_lengths(plan)
    for per_token in plan.letters_per_token:
        texts = draw_aligned(
            tokenizer,
            plan.letters,
            lengths,
            per_token,
            plan.number,
            around=prompts_around(plan),
            generator=np.random.default_rng([plan.seed, per_token]),
            focus=plan.focus,
        )
        samples += [
            Sample(f"{per_token}-{place}", text, per_token) for place, text in enumerate(texts)
        ]
    return samples


def prompts_around(plan: Plan) -> list[Around]:
    """Return what stands around the raw string in each prompt of a plan."""
    return [
        prompt_around(task, style, "raw", target)
        for task in plan.tasks
        for style in plan.styles
        for target in plan.targets_of(task)
    ]


def _common_lengths(plan: Plan) -> Sequence[int]:
    """Return the lengths that any of the numbers of letters per token divides."""
    step = math.lcm(*plan.letters_per_token)
    least, most = plan.lengths
    lengths = range(-(-least // step) * step, most + 1, step)
    if not lengths:
        numbers = ", ".join(map(str, plan.letters_per_token))
        raise UsageError(
            f"no length from {least} to {most} is a multiple of {numbers}: ask for others"
        )
    return lengths


def read_samples(path: Path) -> list[Sample]:
    """Read strings: JSON lines as arXiv 2410.19730 has them, or one string per line.

    A JSON line has a ``sample`` and an ``id``, by which recorded answers are found.

    Raises:
        CorpusError: If a line has no string, two have one id, or there is none at all.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(f"{path}: {getattr(error, 'strerror', None) or error}") from None
    reader = _read_record if path.suffix == ".jsonl" else _read_line
    samples = [
        reader(line.strip(), place, f"{path}, line {place + 1}")
        for place, line in enumerate(lines)
        if line.strip()
    ]
    if not samples:
        raise CorpusError(f"{path} has no strings")
    ids = [sample.id for sample in samples]
    if len(set(ids)) < len(ids):
        twice = next(each for each in ids if ids.count(each) > 1)
        raise CorpusError(f"{path}: two strings have the id {twice!r}")
    return samples


def _read_line(line: str, place: int, where: str) -> Sample:
    if set(line) & set(" ,'\"[]"):
        raise CorpusError(f"{where}: {line[:40]!r} has more than letters: write it as abba")
    return Sample(str(place), line)


def _read_record(line: str, place: int, where: str) -> Sample:
    try:
        record = json.loads(line)
        text = record["sample"]
    except (ValueError, TypeError, KeyError):
        raise CorpusError(
            f'{where}: not a record such as {{"id": 0, "sample": "abba"}}'
        ) from None
    if not isinstance(text, str) or not text:
        raise CorpusError(f"{where}: the sample is no string")
    return Sample(str(record.get("id", place)), text)


def plan_of(samples: Sequence[Sample], plan: Plan) -> Plan:
    """Return a plan with the letters and lengths that strings have.

    Raises:
        UsageError: If the plan is of published strings and these are others.
    """
    sizes = [len(sample.text) for sample in samples]
    lengths = min(sizes), max(sizes)
    letters = _name_letters({letter for sample in samples for letter in sample.text}, plan)
    plan = plan.change(letters=letters, lengths=lengths, number=len(samples))
    if plan.preset:
        drawn = published_strings(letters, lengths, plan.number, plan.seed)
        if set(drawn) != {sample.text for sample in samples}:
            raise UsageError(
                f"these are not the {plan.number} strings that {plan.preset} has of letters "
                f"{letters!r} and lengths {lengths[0]}-{lengths[1]}: leave out the preset"
            )
    return plan


def _name_letters(used: set[str], plan: Plan) -> str:
    """Return the letters in the order in which they were drawn from, if it is known."""
    known = [plan.letters, *(letters for letters, _ in ZHANG2024_STRINGS)]
    return next((each for each in known if set(each) == used), "".join(sorted(used)))
