"""Making a plan: what the methods say of new tokens, and what is known of the others."""

from dataclasses import replace

import numpy as np

from tokkit.transplant.context import (
    OVERRIDE,
    PADDING_ROW,
    VIRTUAL_ROWS,
    Alignment,
    Composition,
    Context,
    Side,
)
from tokkit.transplant.methods import find_method
from tokkit.transplant.methods.pieces import mean
from tokkit.transplant.plan import KNOWN, Half, Plan
from tokkit.transplant.rows import Rows, choose, stack


def make_plan(context: Context, method_in: str, method_out: str) -> Plan:
    """Let methods make the new rows of both sides, and put all rows together.

    Args:
        context: What they may look at.
        method_in: The name of the method for the input side.
        method_out: The same for the output side.

    Raises:
        UsageError: If there is no such method, or it lacks what it needs.
    """
    made = _make(context, method_in, "input")
    first = _half(context, method_in, made, "input")
    is_same = method_in == method_out and not find_method(method_out).sided
    if is_same and not context.alignment.output:
        second = first
    else:
        made = made if is_same else _make(context, method_out, "output")
        second = _half(context, method_out, made, "output")
    halves: dict[Side, Half] = {"input": first, "output": second}
    reader = context.hypernet
    is_asked = reader is not None and any(half.predicted.size for half in halves.values())
    return Plan(
        context.source.vocab,
        context.target.vocab,
        halves,
        context.seed,
        reader.digest if reader is not None and is_asked else None,
    )


def _half(context: Context, method: str, made: Composition, side: Side) -> Half:
    """Put what a method made between the rows that are known."""
    alignment = _for_side(context.alignment, side)
    size = len(context.target.vocab)
    origins = alignment.origins.copy()
    guessed = alignment.new[origins[alignment.new] != OVERRIDE]
    is_guess = np.isin(alignment.new, guessed)
    origins[guessed] = made.origins[is_guess]
    noise = np.zeros(size, dtype=np.float32)
    if made.noise is not None:
        noise[alignment.new] = made.noise
    return Half(
        method,
        _place(context.source_size, alignment, made),
        stack([_usual_virtual(alignment), made.virtual]),
        noise,
        origins,
        made.notes,
    )


def _make(context: Context, method: str, side: Side) -> Composition:
    """Let a method make the new rows; what the user said is made of the pieces that were named.

    A method that asks a donor, a text or an encoder knows nothing of what the user wants.
    """
    recipe = find_method(method)
    made = recipe.method(context, side)
    named = context.alignment.origins[context.alignment.new] == OVERRIDE
    if not (recipe.needs and named.any()):
        return made
    noise = None if made.noise is None else np.where(named, np.float32(0), made.noise)
    return replace(made, rows=choose(made.rows, mean(context, side).rows, named), noise=noise)


def _for_side(alignment: Alignment, side: Side) -> Alignment:
    """Match special tokens as this side wants it."""
    if side == "input" or not alignment.output:
        return alignment
    matches = alignment.matches.copy()
    matches[list(alignment.output)] = list(alignment.output.values())
    return replace(alignment, matches=matches)


def _place(source_size: int, alignment: Alignment, made: Composition) -> Rows:
    """Put the rows of new tokens between those of known ones and of unused ids."""
    numbers = np.where(alignment.matches >= 0, alignment.matches, source_size + PADDING_ROW)
    counts = np.ones(numbers.size, dtype=np.int64)
    counts[alignment.new] = made.rows.counts
    ends = np.cumsum(counts)
    ids = np.empty(int(counts.sum()), dtype=np.int32)
    weights = np.ones(ids.size, dtype=np.float32)
    is_new = np.zeros(numbers.size, dtype=bool)
    is_new[alignment.new] = True
    inside = np.repeat(is_new, counts)
    ids[inside], weights[inside] = made.rows.ids, made.rows.weights
    ids[~inside] = numbers[~is_new]
    return Rows(ends, ids, weights)


def _usual_virtual(alignment: Alignment) -> Rows:
    """The virtual rows that every plan has: the means of the source's and of known rows.

    A mean of real rows of the output side never gets the highest logit, whatever is asked.
    """
    used = alignment.used
    known = alignment.matches[np.isin(alignment.origins, KNOWN) & (alignment.matches >= 0)]
    known_ids, counts = np.unique(known if known.size else used, return_counts=True)
    parts = ((used, np.ones(used.size)), (known_ids, counts))
    found = [
        Rows(
            np.array([ids.size], dtype=np.int64),
            ids.astype(np.int32),
            (shares / shares.sum()).astype(np.float32),
        )
        for ids, shares in parts
    ]
    assert len(found) == VIRTUAL_ROWS
    return stack(found)
