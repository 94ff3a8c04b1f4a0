"""Recorded answers of arXiv 2410.19730: files named by what was asked.

``count_res_a_3_s.jsonl`` has answers to how many `a` there are, in strings written in form 3
(`list`), in the supervised style; ``baseline`` is form 1, without a suffix models answered at
once. The lines are results of batches; those of Claude have been rewritten and do not say
which model it is. What a line calls its request ends in the id of the string.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tokkit.errors import CorpusError, UsageError
from tokkit.studies.asking.backends.result_lines import (
    BadLines,
    name_of,
    read_objects,
    read_result,
)
from tokkit.studies.asking.recorded import write_columns
from tokkit.studies.counting.forms import PUBLISHED_FORMS, FormName
from tokkit.studies.counting.plan import Plan
from tokkit.studies.counting.prompts import PUBLISHED_STYLES, StyleName
from tokkit.studies.counting.rows import make_rows
from tokkit.studies.counting.samples import Sample
from tokkit.studies.frames import frame_of
from tokkit.tokenizer import Tokenizer

if TYPE_CHECKING:
    import pandas

_NAME = re.compile(r"count_res_(?P<target>[^_]+)_(?P<form>[1-4]|baseline)(?:_(?P<style>[cs]))?")


@dataclass(frozen=True)
class Recorded:
    """Recorded answers.

    Attributes:
        rows: As of a study of tokkit; answers to strings that are not there are left out.
        notes: What could not be read, or fits nothing.
    """

    rows: "pandas.DataFrame"
    notes: list[str]


class Asked(NamedTuple):
    """What a file has answers to: how many of the target there are in each string.

    Attributes:
        target: What was counted.
        form: How strings were written.
        style: How it was asked.
    """

    target: str
    form: FormName
    style: StyleName


def asked_of_file(path: Path) -> Asked:
    """Return what a file has answers to, by its name.

    Raises:
        UsageError: If its name does not say.
    """
    found = _NAME.fullmatch(path.stem)
    if found is None:
        raise UsageError(
            f"{path.name!r} does not say what was asked, as count_res_a_3_s.jsonl does: give "
            "--target, --format and --style"
        )
    form, style = PUBLISHED_FORMS[found["form"]], PUBLISHED_STYLES[found["style"] or ""]
    return Asked(found["target"], form, style)


def read_recorded(
    path: Path,
    samples: Sequence[Sample],
    plan: Plan,
    asked: Asked,
    *,
    model: str | None = None,
    tokenizer: Tokenizer | None = None,
) -> Recorded:
    """Read the answers of one file to one question about each string.

    Args:
        path: JSON lines: results of a batch of OpenAI's or Anthropic's, or the rewritten ones.
        samples: The strings, with the ids the file has.
        plan: How the strings were made, and asked about.
        asked: What the answers are to.
        model: Who was asked, if lines do not say.
        tokenizer: What counts the tokens of the strings.

    Raises:
        CorpusError: If the file cannot be read.
    """
    bad = BadLines()
    found = _answers(path, bad, model)
    target, form, style = asked
    plan = plan.change(tasks=("count",), targets=(target,), forms=(form,), styles=(style,))
    rows = make_rows(plan, samples, tokenizer)
    given = [found.pop(key, None) for key in rows["problem"]]
    answers = frame_of(each or dict.fromkeys([*write_columns(None), "model"]) for each in given)
    whole = rows.assign(
        **{str(name): answers[name].to_numpy() for name in answers}, file=path.name
    )
    notes = list(bad.reasons)
    if found:
        notes.append(
            f"{path}: {len(found)} answers are to no string that was given, such as "
            f"{next(iter(found))!r}"
        )
    missing = sum(each is None for each in given)
    if missing:
        notes.append(f"{path}: {missing} of {len(samples)} strings have no answer")
    return Recorded(whole[[each is not None for each in given]], notes)


def _answers(path: Path, bad: BadLines, model: str | None) -> dict[str, dict[str, Any]]:
    """Return the columns of each answer, by the id of the string."""
    found: dict[str, dict[str, Any]] = {}
    try:
        for number, content in read_objects(path, bad):
            try:
                answer = read_result(content)
            except (ValueError, TypeError, AttributeError, KeyError) as error:
                bad.reasons.append(f"{path}:{number}: no recorded answer ({error})")
                continue
            name = (name_of(content) or "").rpartition("-")[2]
            if name in found:
                bad.reasons.append(f"{path}:{number}: another answer to {name!r}, left out")
                continue
            told = model or _model_of(content)
            found[name] = {**write_columns(answer), "model": told}
    except OSError as error:
        raise CorpusError(f"{path}: {error.strerror or error}") from None
    return found


def _model_of(content: Mapping[str, Any]) -> str:
    """Return the model that a line of OpenAI's or Anthropic's layout names; empty if none."""
    for name, inner in (("response", "body"), ("result", "message")):
        part = content.get(name)
        if isinstance(part, Mapping) and isinstance(part.get(inner), Mapping):
            return str(part[inner].get("model") or "")
    return ""
