"""What a user should know before relying on a transplanted model, in words."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tokkit.tokenizer import Tokenizer
from tokkit.transplant.context import MEAN, SIDES
from tokkit.transplant.plan import Plan
from tokkit.transplant.settings.framing import check_framing
from tokkit.transplant.settings.numbers import compare_digits
from tokkit.transplant.settings.translation import Translation

_SAMPLE = (
    "The quick brown Fox  jumped\n\tover 12 dogs\u2019 beds; na\u00efve caf\u00e9, \ufb01n."
)
_SHOWN = 5


def cautions(
    translation: Translation, plan: Plan, numbers: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    """Give what is not as it was, or not as one would wish, most important first.

    Args:
        translation: Both tokenizers.
        plan: How rows are made.
        numbers: How numbers are cut ``"before"`` and ``"after"``; see `describe_digits`.
    """
    if plan.is_identity:
        return
    source, target = translation.source, translation.target
    yield from _roles(translation)
    yield from check_framing(translation)
    yield from _guessed_specials(plan, target)
    digits = compare_digits(numbers["before"], numbers["after"])
    if digits:
        yield digits
    yield from _rewriting(source, target)
    unspelled = _unspelled(plan, target)
    if unspelled:
        yield (
            f"{unspelled:,} tokens cannot be spelled with the model's tokens; their rows are "
            "the mean of all"
        )
    for side in SIDES:
        if plan.halves[side].notes.get("outliers"):
            count = len(plan.halves[side].notes["outliers"])
            yield (
                f"{side}: the donor's rows of {count:,} tokens are out of the ordinary (see "
                "transplant.json): they may have been planted"
            )


def _roles(translation: Translation) -> Iterator[str]:
    """Say which ends of texts have no counterpart."""
    ours, theirs = translation.source_roles, translation.target_roles
    if "bos" in ours and "bos" not in theirs:
        yield (
            "the model begins texts with a special token, and the new tokenizer has none for "
            "that: add one, or expect worse predictions at the start of texts"
        )
    if "eos" not in theirs:
        yield "the new tokenizer has no token that ends a text: generation will not stop"
    elif "eos" not in ours:
        yield "the model has no token that ends a text, so it will not predict the new one"


def _guessed_specials(plan: Plan, target: Tokenizer) -> Iterator[str]:
    """Name special tokens without a counterpart."""
    origins = plan.halves["input"].origins
    names = [text for text, token in target.vocab.specials.items() if origins[token] == MEAN]
    if names:
        shown = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
        yield (
            f"special tokens without a counterpart in the model ({len(names)}): {shown}; "
            "--override TOKEN=TEXT makes one from another"
        )


def _rewriting(source: Tokenizer, target: Tokenizer) -> Iterator[str]:
    """Say if the target puts something else in the place of text."""
    data = _SAMPLE.encode()
    back = target.decode(target.encode(data))
    if back != data:
        yield (
            "the new tokenizer rewrites text before it cuts it: what is decoded differs from "
            "what was encoded"
        )
    prefixes = [
        bool(ids.size) and tokenizer.vocab.tokens[int(ids[0])].startswith(b" ")
        for tokenizer, ids in ((each, each.encode("quick")) for each in (source, target))
    ]
    if prefixes[0] != prefixes[1]:
        which = "model's" if prefixes[0] else "new"
        yield f"only the {which} tokenizer puts a space before the first word of a text"


def _unspelled(plan: Plan, target: Tokenizer) -> int:
    """Count tokens with bytes whose rows are the mean of all."""
    if plan.halves["input"].method == "global-mean":
        return 0
    has_text = np.array([bool(token) for token in target.vocab.tokens])
    return int((has_text & (plan.halves["input"].origins == MEAN)).sum())
