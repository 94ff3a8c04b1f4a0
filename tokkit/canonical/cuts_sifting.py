"""Make few classes of many: of characters that a tokenizer treats alike in many contexts."""

from itertools import product

import numpy as np
from numpy.typing import NDArray

from tokkit.canonical.automaton import Bits, Texts
from tokkit.canonical.cuts_classes import CharacterClasses
from tokkit.canonical.cuts_pipeline import Pipeline, cuts_of

_HOLE = "\0"
_BESIDE = ("", "q", "Q", "1", " ", "!", "\n")
_MORE = (
    *("00", "000", "0000", "q00", "100", "q0q0", "!00", " 00", "00q", "001", "00 ", "\n00"),
    *(
        "'0eq",
        "'0lq",
        "'r0q",
        "'l0q",
        "'re0",
        "q'0eq",
        "q'0lq",
        "q'r0q",
        "q'l0q",
        "q'0q",
        "'0q",
    ),
)
_CONTEXTS: tuple[tuple[str, ...], ...] = (
    *((left, _HOLE, right) for left, right in product(_BESIDE, _BESIDE)),
    *(tuple(_HOLE if character == "0" else character for character in each) for each in _MORE),
)
_ROUNDS = 4
_RANDOM = 30

Signature = tuple[tuple[int, ...] | None, ...]


class PipelineOracle:
    """Knows the cuts of internal texts.

    Args:
        pipeline: What the tokenizer does.
        representatives: A character of each class, UTF-8.
    """

    def __init__(self, pipeline: Pipeline, representatives: tuple[bytes, ...]) -> None:
        self.pipeline = pipeline
        self.representatives = representatives

    def cut(self, texts: Texts) -> tuple[Bits, NDArray[np.bool_]]:
        """Cut texts one by one; a text was seen before more often than not."""
        bits = np.zeros(texts.shape, dtype=np.uint8)
        known = np.zeros(len(texts), dtype=np.bool_)
        for row, text in enumerate(texts.tolist()):
            places = [place for place, character in enumerate(text) if character >= 0]
            data = b"".join([self.representatives[text[place]] for place in places])
            begins = cuts_of(self.pipeline, data)
            if begins is not None:
                known[row] = True
                bits[row, [places[number] for number in begins]] = 1
        return bits, known


def sift(pipeline: Pipeline, classes: CharacterClasses, seed: int = 0) -> CharacterClasses:
    """Make one class of those whose representatives are treated alike.

    Args:
        pipeline: What the tokenizer does.
        classes: The classes.
        seed: Of some contexts that are random.
    """
    texts = [each.decode() for each in classes.representatives]
    added = (pipeline.before + pipeline.after).decode()
    # Where text is put around a text, its characters are what the automaton must look for.
    alike = np.array([added.find(text) + 1 for text in texts], dtype=np.int64)
    number = _refined(pipeline, texts, alike, _CONTEXTS)
    for _ in range(_ROUNDS):
        kinds = [texts[place] for place in np.unique(number, return_index=True)[1]]
        beside: list[tuple[str, ...]] = [(kind, _HOLE) for kind in kinds] + [
            (_HOLE, kind) for kind in kinds
        ]
        beside += [("q", _HOLE, kind) for kind in kinds]
        finer = _refined(pipeline, texts, number, beside)
        if finer.max() == number.max():
            break
        number = finer
    generator = np.random.default_rng(seed)
    choices = [*kinds, _HOLE, _HOLE, _HOLE]
    drawn = generator.integers(0, len(choices), (_RANDOM, 5))
    random = [tuple(choices[place] for place in row) for row in drawn.tolist()]
    number = _refined(pipeline, texts, number, random)
    first = np.unique(number, return_index=True)[1]
    representatives = tuple(classes.representatives[place] for place in first)
    return CharacterClasses(number[classes.table], representatives)


def _refined(
    pipeline: Pipeline,
    characters: list[str],
    number: NDArray[np.int64],
    contexts: tuple[tuple[str, ...], ...] | list[tuple[str, ...]],
) -> NDArray[np.int64]:
    """Tell characters apart that have the same number but not the same cuts in contexts."""
    numbers: dict[tuple[int, Signature], int] = {}
    finer = []
    for character, own in zip(characters, number.tolist(), strict=True):
        signature = tuple(
            cuts_of(
                pipeline,
                pipeline.before
                + "".join(character if part == _HOLE else part for part in context).encode()
                + pipeline.after,
            )
            for context in contexts
        )
        finer.append(numbers.setdefault((own, signature), len(numbers)))
    return np.array(finer, dtype=np.int64)
