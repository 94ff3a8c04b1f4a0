"""The model that ships with tokkit, moved onto the vocabulary that was just learned."""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from tokkit.demo.text import Document
from tokkit.learn.options import Progress
from tokkit.resources import resource

MODEL = "demo-model"
MOVED = "moved"
_BYTES = 60_000
"""About how much of the held-out text is measured."""


class Moved(NamedTuple):
    """What was measured of one model.

    Attributes:
        name: What it is.
        vocab_size: Its number of tokens.
        bytes_per_token: How much text a token holds.
        bits_per_byte: What the text costs.
    """

    name: str
    vocab_size: int
    bytes_per_token: float
    bits_per_byte: float


def move_model(folder: Path, documents: Sequence[Document], progress: Progress) -> list[Moved]:
    """Move the model onto the tokenizer ``bpe``, as it is and calibrated, and measure all.

    Args:
        folder: Of the demo: with ``bpe`` and the text that it was learned from; the calibrated
            model is written there as `MOVED`.
        documents: Text that neither the model nor the vocabulary was learned from.
        progress: Told how far each step is.

    Returns:
        The model before and after; nothing if torch is not installed.
    """
    if find_spec("torch") is None or find_spec("transformers") is None:
        return []
    from tokkit.transplant import Options, transplant
    from tokkit.transplant.running.evaluate import evaluate

    model = resource(MODEL)
    slices = {"text": [each.text.encode() for each in documents]}
    rows: list[Moved] = []
    ways: Mapping[str, Sequence[str]] = {
        "moved onto bpe": (),
        "and calibrated": (str(folder / "learned.jsonl"),),
    }
    for name, text in ways.items():
        report = transplant(
            model,
            folder / "bpe",
            folder / MOVED,
            Options(calibrate=text, device="cpu"),
            force=True,
            progress=progress,
        )
        known = report.prepared.plan.known.tolist()
        found = evaluate(
            model, folder / MOVED, slices, known, limit=_BYTES, progress=progress
        ).slices[0]
        if not rows:
            size = report.content["source"]["tokens"]
            rows.append(Moved("as it is", size, found.bytes_per_token_before, found.before))
        size = report.content["target"]["tokens"]
        rows.append(Moved(name, size, found.bytes_per_token_after, found.after))
    return rows
