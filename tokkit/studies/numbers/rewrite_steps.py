"""Putting another rule for numbers into the pre-tokenizer of a ``tokenizer.json``.

What cuts numbers now is changed where it stands: the alternative of a pattern, the pattern
that GPT-2's byte-level step has built in, a ``Digits`` step. Only where nothing cuts numbers is
a step added, behind all others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tokkit.formats.huggingface_parts import GPT2, steps
from tokkit.studies.numbers.rewrite_pattern import Grouping, alternatives, is_numeric, regroup

Json = Mapping[str, Any]

_ASCII = "[0-9]"
"""Which numerals the byte-level alphabet leaves as they are."""
_SPACE_AS_BYTE = "Ġ"


@dataclass(frozen=True)
class Change:
    """What was changed about one step.

    Attributes:
        step: What kind of step, as in ``tokenizer.json``.
        before: What it said of numbers; empty if it is new.
        after: What is said now.
    """

    step: str
    before: str
    after: str


def regroup_steps(
    settings: Json | None, grouping: Grouping, space: str, *, is_bytes: bool = False
) -> tuple[dict[str, Any], list[Change]]:
    """Make a pre-tokenizer cut numbers as `grouping` says, and everything else as before.

    Args:
        settings: The pre-tokenizer's JSON, as the `tokenizers` library itself writes it.
        grouping: How to cut numbers.
        space: What goes with the first group where nothing cut numbers before: a space, what
            stands for one, or nothing.
        is_bytes: Whether text is in the byte-level alphabet when it comes to be cut.

    Returns:
        The new JSON, and what was changed.
    """
    todo = steps(settings)
    for change in (_in_patterns, _in_digits, _in_bytes):
        found, changes = change(todo, grouping)
        if changes:
            break
    else:
        found, changes = _behind(todo, grouping, space, is_bytes)
    if len(found) == 1:
        return dict(found[0]), changes
    return {"type": "Sequence", "pretokenizers": found}, changes


def _split(regex: str) -> dict[str, Any]:
    pattern = {"Regex": regex}
    return {"type": "Split", "pattern": pattern, "behavior": "Isolated", "invert": False}


def _in_patterns(todo: Sequence[Json], grouping: Grouping) -> tuple[list[Json], list[Change]]:
    """Change the alternatives about numbers of all patterns; `Digits` then only sets apart."""
    found: list[Json] = []
    changes = []
    for step in todo:
        regex = step["pattern"].get("Regex", "") if step["type"] == "Split" else ""
        new = regroup(regex, grouping)
        if new is None:
            found.append(step)
            continue
        found.append({**step, "pattern": {"Regex": new}})
        changes.append(Change("Split", _about_numbers(regex), _about_numbers(new)))
    return [_set_apart(step) for step in found], changes


def _set_apart(step: Json) -> Json:
    """Let a `Digits` step keep runs whole."""
    return {**step, "individual_digits": False} if step["type"] == "Digits" else step


def _about_numbers(regex: str) -> str:
    return "|".join(part for part in alternatives(regex) if is_numeric(part))


def _in_digits(todo: Sequence[Json], grouping: Grouping) -> tuple[list[Json], list[Change]]:
    """Cut what a `Digits` step sets apart."""
    found: list[Json] = []
    changes = []
    for number, step in enumerate(todo):
        found.append(_set_apart(step))
        if step["type"] == "Digits":
            before_it = [each["type"] for each in todo[:number]]
            regex = grouping.spell(_ASCII) if "ByteLevel" in before_it else grouping.spell()
            found.append(_split(regex))
            each = "one by one" if step["individual_digits"] else "runs"
            changes.append(Change("Digits", each, regex))
    return found, changes


def _in_bytes(todo: Sequence[Json], grouping: Grouping) -> tuple[list[Json], list[Change]]:
    """Spell the pattern of a byte-level step out, and change it.

    A step that also puts a space before texts has to stay as it is: what it cuts off is cut
    further, in its alphabet, in which only ASCII digits can be told.
    """
    for number, step in enumerate(todo):
        if step["type"] != "ByteLevel" or not step["use_regex"]:
            continue
        if step["add_prefix_space"]:
            added = grouping.spell(_ASCII, _SPACE_AS_BYTE)
            found = [*todo[: number + 1], _split(added), *todo[number + 1 :]]
            return found, [Change("ByteLevel", _about_numbers(GPT2), added)]
        regex = regroup(GPT2, grouping) or GPT2
        spelled = [_split(regex), {**step, "use_regex": False}]
        change = Change("ByteLevel", _about_numbers(GPT2), _about_numbers(regex))
        return [*todo[:number], *spelled, *todo[number + 1 :]], [change]
    return [], []


def _behind(
    todo: Sequence[Json], grouping: Grouping, space: str, is_bytes: bool
) -> tuple[list[Json], list[Change]]:
    """Cut numbers once everything else is cut, but before characters become bytes if may be."""
    place = len(todo)
    if todo and todo[-1]["type"] == "ByteLevel" and not todo[-1]["add_prefix_space"]:
        place -= 1
    before = [*todo[:place]]
    if is_bytes or any(step["type"] == "ByteLevel" for step in before):
        regex = grouping.spell(_ASCII, space and _SPACE_AS_BYTE)
    else:
        regex = grouping.spell(before=space)
    return [*before, _split(regex), *todo[place:]], [Change("Split", "", regex)]
