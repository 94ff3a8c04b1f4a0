"""The model that ships with tokkit, moved onto the vocabulary that was just learned."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tokkit.demo.text import Document
from tokkit.progress import Progress
from tokkit.resources import resource

if TYPE_CHECKING:
    from tokkit.lm.hf import HFModel
    from tokkit.transplant import Options

MODEL = "demo-model"
MOVED = "moved"
BYTES = 40_000
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
    """Move the model onto the tokenizer ``bpe`` in several ways, and measure all of them.

    Args:
        folder: Of the demo: with ``bpe`` and the text that it was learned from; the last model
            is left there as `MOVED`.
        documents: Text that neither the model nor the vocabulary was learned from.
        progress: Told how far each step is.

    Returns:
        The model as it is, with random new rows, with composed ones, and with these calibrated;
        nothing if torch is not installed.
    """
    if find_spec("torch") is None or find_spec("transformers") is None:
        return []
    from tokkit.lm.hf import HFModel
    from tokkit.lm.score import fitting_segments
    from tokkit.transplant import Options
    from tokkit.transplant.running.drawing import draw

    learned = str(folder / "learned.jsonl")
    ways = {
        "with random new rows": Options(method_in="random", method_out="random", device="cpu"),
        "with composed new rows": Options(device="cpu"),
        "and calibrated": Options(calibrate=[learned], device="cpu"),
    }
    models = {"as it is": HFModel.load(resource(MODEL), device="cpu")}
    for name, options in ways.items():
        models[name] = _move(folder, options, progress)
    drawn = draw([document.text.encode() for document in documents], BYTES)
    texts = fitting_segments(drawn.segments, list(models.values()))
    return [_measure(name, model, texts, progress) for name, model in models.items()]


def _move(folder: Path, options: "Options", progress: Progress) -> "HFModel":
    """Move the model, and load what was written in place of what was there."""
    from tokkit.lm.hf import HFModel
    from tokkit.transplant import transplant

    output = folder / MOVED
    transplant(resource(MODEL), folder / "bpe", output, options, force=True, progress=progress)
    return HFModel.load(output, device="cpu")


def _measure(name: str, model: "HFModel", texts: Sequence[bytes], progress: Progress) -> Moved:
    """Compute what the texts cost."""
    from tokkit.lm.score import score

    scores = score(model, texts, progress=progress)
    per_token = float(scores.sizes.sum() / scores.tokens.sum())
    return Moved(name, len(model.tokenizer), per_token, scores.bits_per_byte)
