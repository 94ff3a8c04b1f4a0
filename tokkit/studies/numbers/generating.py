"""Designing a study of numbers: each of its problems under every condition."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

from tokkit.errors import UsageError
from tokkit.studies.numbers.conditions import CONDITION_COLUMNS, SYSTEM_PROMPT, Condition
from tokkit.studies.numbers.formats import parse_format
from tokkit.studies.numbers.operand_tokens import Coverage, TokenFilter
from tokkit.studies.numbers.problems import Problem
from tokkit.studies.numbers.rows import frame_of
from tokkit.studies.numbers.sampling import Drawing, Sampler

if TYPE_CHECKING:
    import pandas as pd

    from tokkit.tokenizer import Tokenizer

PADDED = "padded"
"""A format of a design that becomes ``padded:WIDTH``, as wide as its longest number may be."""
_SPARE_TOKENS = 8
"""How many more tokens an answer may have than a right one has characters."""


@dataclass(frozen=True, kw_only=True)
class Design:
    """What is asked.

    Attributes:
        drawings: Which problems, one kind per operation.
        problems: How many of each kind.
        formats: How numbers are written: the name of a format, or
            ``QUERY/REPEAT/ANSWER`` for operands, their repetition and the answer; without
            repetition ``QUERY//ANSWER``.
        chunk_sizes: How many digits groups have, of formats with groups.
        shots: How many examples come first.
        spaces: How many spaces stand around the operation and before the equals sign.
        trailing_spaces: How many stand after it.
        system_prompt: What the model is told to be; nothing if empty.
        preamble: What the user says before everything else; nothing if empty.
        plain: Whether problems are texts to continue, not chats.
        operand_tokens: How many tokens each operand has; None: any number of them.
        answer_tokens: How many the answer has.
        seed: Decides what is drawn.
    """

    drawings: tuple[Drawing, ...] = (Drawing(),)
    problems: int = 100
    formats: tuple[str, ...] = ("nosep",)
    chunk_sizes: tuple[int, ...] = (3,)
    shots: tuple[int, ...] = (0,)
    spaces: int = 0
    trailing_spaces: int = 0
    system_prompt: str = SYSTEM_PROMPT
    preamble: str = ""
    plain: bool = False
    operand_tokens: int | None = None
    answer_tokens: int | None = None
    seed: int = 0


class Case(NamedTuple):
    """A problem, and the examples that may come before it."""

    problem: Problem
    examples: list[Problem]


@dataclass(frozen=True)
class Generated:
    """A study that can be asked.

    Attributes:
        frame: Its rows, condition by condition; see `tokkit.studies.numbers.rows`.
        left_out: Operations and lengths of which there is no problem.
        coverage: How many operands have as many tokens as asked.
        unlike_format: How many prompts are not in the format they say, as published ones are.
    """

    frame: "pd.DataFrame"
    left_out: tuple[str, ...] = ()
    coverage: tuple[Coverage, ...] = ()
    unlike_format: int = 0


def generate(design: Design, tokenizer: "Tokenizer | None" = None) -> Generated:
    """Draw problems, and put each of them under every condition.

    The design is paired: all conditions have the same problems, and fewer examples are the
    first of more. More problems, formats or examples change nothing of the other rows.

    Args:
        design: What is asked.
        tokenizer: What counts tokens, where the design asks for them.

    Raises:
        UsageError: If there are no such formats or not so many problems, or no tokenizer.
    """
    conditions = cross_conditions(design)
    tokens = _token_filter(design, tokenizer)
    samplers = [Sampler(each, seed=design.seed, tokens=tokens) for each in design.drawings]
    cases = [case for sampler in samplers for case in _cases(sampler, design)]
    lengths = {n for each in samplers for turn in each.turns for n in (turn.first, turn.second)}
    found = [tokens.coverage(digits) for digits in sorted(lengths)] if tokens else []
    return Generated(
        frame_of(_rows(conditions, cases, design)),
        left_out=tuple(
            f"{drawing.operation} of {turn}"
            for drawing, sampler in zip(design.drawings, samplers, strict=True)
            for turn in sampler.left_out
        ),
        coverage=tuple(each for each in found if each is not None),
    )


def cross_conditions(design: Design) -> list[Condition]:
    """Return all conditions of a design; formats without groups have one size of them only.

    Raises:
        UsageError: If there is no such format.
    """
    width = max(_longest(drawing) for drawing in design.drawings)
    found: dict[Condition, None] = {}
    for name, size, shots in product(design.formats, design.chunk_sizes, design.shots):
        query, repeat, answer = (_widen(each, width) for each in _read_format(name))
        names = [each for each in (query, repeat, answer) if each]
        sized = any(parse_format(each, size) != parse_format(each, 3) for each in names)
        condition = Condition(
            query=query,
            repeat=repeat,
            answer=answer,
            chunk_size=size if sized else 3,
            spaces=design.spaces,
            trailing_spaces=design.trailing_spaces,
            shots=shots,
            system_prompt=design.system_prompt,
            preamble=design.preamble,
        )
        room = _longest_response(condition, design.drawings) + _SPARE_TOKENS
        found[replace(condition, max_tokens=room)] = None
    return list(found)


def count_parts(frame: "pd.DataFrame") -> dict[str, int]:
    """Count what rows consist of: themselves, different problems, and conditions."""
    condition = ["file", *CONDITION_COLUMNS]
    return {
        "rows": len(frame),
        "problems": len(frame.drop_duplicates(["num1", "num2", "operation"])),
        "conditions": len(frame.drop_duplicates(condition)),
    }


def count_tokens(frame: "pd.DataFrame", tokenizer: "Tokenizer") -> "pd.DataFrame":
    """Return rows with how many tokens their problems have, as the published tables say it."""
    texts = list(dict.fromkeys(frame["problem_msg"]))
    encoded = tokenizer.encode_batch(texts, parse_specials=False)
    counts = {text: len(ids) for text, ids in zip(texts, encoded, strict=True)}
    return frame.assign(problem_tokens=frame["problem_msg"].map(counts).astype(object))


def _read_format(name: str) -> tuple[str, str, str]:
    """Part ``QUERY/REPEAT/ANSWER``; a single name is that of query and answer."""
    parts = name.split("/")
    if len(parts) == 1:
        return name, "", name
    if len(parts) == 3 and parts[0] and parts[2]:
        return parts[0], parts[1], parts[2]
    raise UsageError(f"format {name!r}: write NAME, QUERY//ANSWER or QUERY/REPEAT/ANSWER")


def _widen(name: str, width: int) -> str:
    return f"{PADDED}:{width}" if name == PADDED else name


def _longest(drawing: Drawing) -> int:
    """Return how many digits the longest number of a drawing may have."""
    found = []
    for lengths in drawing.lengths:
        own = [lengths.first, lengths.second]
        answer = sum(own) if drawing.operation == "*" else max(own) + (drawing.operation == "+")
        found.append(max(*own, lengths.answer or answer))
    return max(found)


def _longest_response(condition: Condition, drawings: Sequence[Drawing]) -> int:
    """Return how many characters a right response may have."""
    style = condition.style
    return max(
        len(style.respond(Problem(10**each.first - 1, 10**each.second - 1, drawing.operation)))
        for drawing in drawings
        for each in drawing.lengths
    )


def _token_filter(design: Design, tokenizer: "Tokenizer | None") -> TokenFilter | None:
    operand, answer = design.operand_tokens, design.answer_tokens
    if operand is None and answer is None:
        return None
    if tokenizer is None:
        raise UsageError("to choose numbers by their tokens takes a tokenizer: --tokenizer")
    return TokenFilter(tokenizer, operand=operand, answer=answer, spaces=design.spaces)


def _cases(sampler: Sampler, design: Design) -> list[Case]:
    most = max(design.shots)
    return [
        Case(problem, sampler.examples(index, problem, most))
        for index, problem in enumerate(sampler.problems(design.problems))
    ]


def _rows(
    conditions: Sequence[Condition], cases: Sequence[Case], design: Design
) -> Iterator[dict[str, Any]]:
    for number, condition in enumerate(conditions):
        style = condition.style
        for index, (problem, examples) in enumerate(cases):
            shown = examples[: condition.shots]
            yield {
                **condition.row(index, problem, shown, style=style, plain=design.plain),
                "problem_rng_key": design.seed,
                "shots_rng_key": design.seed,
                "key": f"{index}/{number}",
            }
