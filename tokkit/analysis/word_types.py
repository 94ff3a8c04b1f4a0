"""What a tokenizer makes of the distinct words of a text, and how sure that is."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tokkit.analysis.jackknife import Jackknifed
from tokkit.analysis.measures import FORMS, TYPES
from tokkit.analysis.tally import PARTS


class WordTypes(Jackknifed):
    """Measures of distinct words.

    Args:
        tokens: How many tokens each word is, in each of the `FORMS`, ``[words]``.
        parts: In which parts of a text each occurs, a bit for each, ``uint16[words]``.
        documents: How many there are: no more parts have any.

    Attributes:
        words: How many distinct words the text has.
    """

    def __init__(
        self,
        tokens: Mapping[str, NDArray[np.integer]],
        parts: NDArray[np.uint16],
        documents: int,
    ) -> None:
        self.words = parts.size
        bits = [np.uint16(1 << part) for part in range(min(documents, PARTS))]
        without = [_measures(tokens, parts != bit) for bit in bits if len(bits) > 1]
        values = _measures(tokens, parts > 0)
        super().__init__(values, without, [name for name in values if name.startswith("strr")])


def definitions() -> dict[str, str]:
    """Say what each measure of `WordTypes` is."""
    return {
        f"{metric}_{form}": said.format(label)
        for form, label in FORMS.items()
        for metric, said in TYPES.items()
    }


def _measures(
    tokens: Mapping[str, NDArray[np.integer]], chosen: NDArray[np.bool_]
) -> dict[str, float]:
    found = {}
    for form, each in tokens.items():
        own = each[chosen]
        found[f"type_fertility_{form}"] = float(own.mean()) if own.size else np.nan
        found[f"strr_{form}"] = float((own == 1).mean()) if own.size else np.nan
    return found
