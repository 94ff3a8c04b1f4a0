"""The rows of a counting study: one per request, with its answer once there is one.

Columns: `key`; `task`; `problem`, what the string is called; `sample`, the string; `letters`
and `lengths` (such as ``10-20``) of all strings of its kind; `length`; `letters_per_token`, if
it was made so; `target`, what to count; `truth`; `input_format`; `prompt_style`;
`sample_tokens`, how many tokens hold something of the string as it is written in the prompt, if
a tokenizer was given; `max_tokens` and `temperature` of the answer; `messages`, JSON; then
`model` and the columns of `tokkit.studies.asking.recorded`.
"""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

from tokkit.errors import CorpusError, UsageError
from tokkit.studies.asking.recorded import COLUMNS as ANSWER
from tokkit.studies.asking.recorded import write_columns
from tokkit.studies.asking.request import Answer, Decoding, Message, Request
from tokkit.studies.counting.aligned import token_ends
from tokkit.studies.counting.forms import FORMS, FormName
from tokkit.studies.counting.plan import Plan
from tokkit.studies.counting.prompts import prompt_around
from tokkit.studies.counting.samples import Sample
from tokkit.studies.counting.tasks import solve
from tokkit.studies.frames import frame_of, lines_of
from tokkit.tokenizer import Tokenizer

if TYPE_CHECKING:
    import pandas

_log = logging.getLogger("tokkit")
QUESTION = (
    "key",
    "task",
    "problem",
    "sample",
    "letters",
    "lengths",
    "length",
    "letters_per_token",
    "target",
    "truth",
    "input_format",
    "prompt_style",
    "sample_tokens",
    "max_tokens",
    "temperature",
    "messages",
)
"""The columns of what is asked."""


def make_rows(
    plan: Plan, samples: Sequence[Sample], tokenizer: Tokenizer | None = None
) -> "pandas.DataFrame":
    """Return what is asked: each string in each task, for each target, in each form and style.

    Args:
        plan: What is asked of each string.
        samples: The strings.
        tokenizer: What counts the tokens that hold them; they are not known of one that
            rewrites the strings, as the logger ``tokkit`` says then.
    """
    rows = [
        row
        for task in plan.tasks
        for target, style, form in product(plan.targets_of(task), plan.styles, plan.forms)
        for row in _rows(
            plan,
            samples,
            {"task": task, "target": target, "input_format": form, "prompt_style": style},
            tokenizer,
        )
    ]
    if tokenizer is not None and any(row["sample_tokens"] is None for row in rows):
        _log.warning("the tokenizer rewrites strings: how many tokens hold them is not counted")
    single = len(rows) == len(samples)
    return frame_of({"key": _key(row, single), **row} for row in rows)


def _rows(
    plan: Plan,
    samples: Sequence[Sample],
    asked: Mapping[str, Any],
    tokenizer: Tokenizer | None,
) -> Iterator[dict[str, Any]]:
    """Yield one question about each string."""
    form: FormName = asked["input_format"]
    around = prompt_around(asked["task"], asked["prompt_style"], form, asked["target"])
    written = [FORMS[form].write(sample.text) for sample in samples]
    tokens = _count_tokens(tokenizer, around, written)
    for sample, text, count in zip(samples, written, tokens, strict=True):
        chat = _chat(plan.system, f"{around[0]}{text}{around[1]}")
        row = _row(plan, sample, asked, chat) | {"sample_tokens": count}
        yield {name: row[name] for name in QUESTION[1:]}


def _count_tokens(
    tokenizer: Tokenizer | None, around: tuple[str, str], written: Sequence[str]
) -> list[int] | list[None]:
    """Count the tokens that hold something of each text in a prompt, if it can be told."""
    unknown = [None] * len(written)
    if tokenizer is None:
        return unknown
    try:
        return [ends.size + 1 for ends in token_ends(tokenizer, around, written)]
    except UsageError:
        return unknown


def _row(
    plan: Plan, sample: Sample, asked: Mapping[str, Any], messages: Sequence[Message]
) -> dict[str, Any]:
    return {
        **asked,
        "problem": sample.id,
        "sample": sample.text,
        "letters": plan.letters,
        "lengths": "-".join(map(str, plan.lengths)),
        "length": len(sample.text),
        "letters_per_token": sample.per_token,
        "truth": solve(asked["task"], sample.text, asked["target"]),
        "max_tokens": plan.answer_tokens(asked["prompt_style"]),
        "temperature": plan.temperature,
        "messages": json.dumps(messages, ensure_ascii=False),
    }


def _chat(system: str, prompt: str) -> list[Message]:
    first = [Message("system", system)] if system else []
    return [*first, Message("user", prompt)]


def _key(row: Mapping[str, Any], single: bool) -> str:
    """Name a request; if each string is asked once, as arXiv 2410.19730's code does."""
    if single:
        return f"request-{row['problem']}"
    parts = (
        row[name] for name in ("task", "target", "input_format", "prompt_style", "problem")
    )
    return "-".join(str(part) for part in parts if part)


def requests_of(rows: "pandas.DataFrame") -> list[Request]:
    """Return what is asked, one request per row.

    Their facts are `truth`; `formatted_truth`, an answer in the form that prompts ask for; and
    `problem`, equal for equal questions about equal strings however they are put.

    Raises:
        CorpusError: If two rows have one key, or the messages of one cannot be read.
    """
    double = rows["key"].duplicated()
    if double.any():
        raise CorpusError(f"two rows have the key {rows.loc[double, 'key'].iloc[0]!r}")
    return [_request(row) for row in lines_of(rows)]


def _request(row: Mapping[str, Any]) -> Request:
    try:
        messages = tuple(Message(*each) for each in json.loads(row["messages"]))
    except (ValueError, TypeError, KeyError):
        raise CorpusError(f"row {row['key']!r} has no messages that can be sent") from None
    decoding = Decoding(
        max_tokens=int(row["max_tokens"]), temperature=float(row["temperature"]), seed=None
    )
    facts = {
        "truth": row["truth"],
        "formatted_truth": f"Result: {row['truth']}",
        "problem": f"{row['task']} {row['target']} {row['sample']}",
    }
    return Request(key=row["key"], messages=messages, decoding=decoding, facts=facts)


def add_answers(
    rows: "pandas.DataFrame", answers: Sequence[Answer | None], model: str
) -> "pandas.DataFrame":
    """Return rows with the answers to them, in the same order."""
    given = frame_of(write_columns(answer) for answer in answers)
    named = {name: given[name].to_numpy() for name in ANSWER}
    return rows.assign(model=model, **named)
