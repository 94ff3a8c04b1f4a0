"""What knows the cuts of texts: a pre-tokenizer, or everything before segmentation."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tokkit.canonical.automaton import Bits, Texts
from tokkit.pretokenize import Pieces, Pretokenizer
from tokkit.vocab import flatten


@dataclass(frozen=True)
class PretokenizerOracle:
    """Cuts texts of representatives by a pre-tokenizer that does not rewrite them.

    Attributes:
        pretokenizer: What cuts.
        representatives: A character of each class, UTF-8.
    """

    pretokenizer: Pretokenizer
    representatives: Sequence[bytes]

    def cut(self, texts: Texts) -> tuple[Bits, NDArray[np.bool_]]:
        """Cut all texts at once."""
        there = texts >= 0
        data, ends = flatten(self.representatives)
        starts = np.append(0, ends[:-1])
        characters = texts[there]
        lengths = (ends - starts)[characters]
        places = np.cumsum(lengths) - lengths
        spread = np.repeat(starts[characters] - places, lengths)
        written = data[spread + np.arange(spread.size)]
        of_texts = np.append(0, np.cumsum(lengths))[np.cumsum(there.sum(axis=1))]
        cuts = self.pretokenizer.split(Pieces(written, of_texts)).ends
        begins = np.zeros(written.size + 1, dtype=np.uint8)
        begins[0] = 1
        begins[cuts] = 1
        bits = np.zeros(texts.shape, dtype=np.uint8)
        bits[there] = begins[places]
        return bits, np.ones(len(texts), dtype=np.bool_)
