"""Loading a transplanted model with transformers, and running it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
import transformers

from tokkit.errors import CheckError
from tokkit.transplant.checks.check import Check, Facts, conclude

_PROMPTS = (
    "Once upon a time, there was",
    "def main(arguments):\n    return",
    "1 + 1 = ",
    "Die Hauptstadt von Frankreich ist",
    "你好",
)
_LONGEST = 32
"""Tokens of a prompt that are read."""


def check_model(facts: Facts) -> Iterator[Check]:
    """Load the model, look at its embeddings, and run it."""
    model = _load(facts.folder)
    incoming = model.get_input_embeddings().weight
    head = model.get_output_embeddings()
    outgoing = None if head is None else head.weight
    problems = [
        f"the {side} matrix has {weight.shape[0]} rows, not {facts.rows}"
        for side, weight in (("input", incoming), ("output", outgoing))
        if weight is not None and weight.shape[0] != facts.rows
    ]
    is_tied = outgoing is not None and outgoing.data_ptr() == incoming.data_ptr()
    if outgoing is not None and is_tied != facts.tied:
        problems.append(f"its head is {'' if is_tied else 'not '}the input embedding")
    yield conclude("model", problems, f"{type(model).__name__} loads, with {facts.rows:,} rows")
    yield from _check_predictions(model, facts)


def _check_predictions(model: Any, facts: Facts) -> Iterator[Check]:
    """Predict with the model: finite numbers, and never a row that stands for nothing."""
    unused = _unused(facts)
    winners: set[int] = set()
    start = [facts.roles[role] for role in ("bos",) if role in facts.roles]
    for prompt in _PROMPTS:
        ids = [*start, *facts.target.encode(prompt).tolist()[:_LONGEST]]
        if not ids:
            continue
        with torch.inference_mode():
            found = model(input_ids=torch.tensor([ids]))
        logits = getattr(found, "logits", None)
        if not bool(torch.isfinite(found[0] if logits is None else logits).all()):
            yield Check("predictions", "failed", f"not finite after {prompt!r}")
            return
        winners |= set() if logits is None else set(logits[0].argmax(-1).tolist())
    yield Check("predictions", "ok", f"finite after {len(_PROMPTS)} prompts")
    problems = [f"row {row} is the most probable somewhere" for row in sorted(winners & unused)]
    fine = f"none of {len(unused):,} rows that stand for nothing is ever the most probable"
    yield conclude("padding rows", problems[:3], fine)


def _load(folder: Path) -> Any:
    """Load a model with the class its configuration names.

    Raises:
        CheckError: If weights are missing or of another shape.
    """
    config = transformers.AutoConfig.from_pretrained(folder)
    names = config.architectures or []
    kind = getattr(transformers, names[0], None) if names else None
    auto: Any = kind or transformers.AutoModelForCausalLM
    model, report = auto.from_pretrained(folder, dtype="auto", output_loading_info=True)
    for problem in ("missing", "mismatched"):
        keys = sorted(map(str, report.get(f"{problem}_keys") or ()))
        if keys:
            raise CheckError(f"{len(keys)} weights are {problem}, such as {keys[0]}")
    return model.eval()


def _unused(facts: Facts) -> set[int]:
    """Return the rows that no token has, and that are new: padding, ids that were left out."""
    if facts.keeps_padding:
        return set()
    vocab = facts.target.vocab
    specials = set(vocab.specials.values())
    gaps = {i for i, token in enumerate(vocab.tokens) if not token and i not in specials}
    return gaps | set(range(len(vocab), facts.rows))
