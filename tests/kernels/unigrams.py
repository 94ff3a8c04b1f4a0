"""Small unigram models, as the kernels of their lattices take them."""

import numpy as np
from hypothesis import strategies as st

from tokkit.canonical.margins import Margins, open_piece
from tokkit.kernels.lattice import advance
from tokkit.segment.unigram import Unigram

UNKNOWN = -4.0

# Few different scores: there are ties, and sums that are equal but for rounding.
scored_words = st.dictionaries(
    st.text("abcé", min_size=1, max_size=5),
    st.sampled_from([-0.1, -0.2, -0.3, -0.7, -1.0, -1.1, -2.0, -3.0]),
    min_size=2,
    max_size=6,
)


def margins_of(scores, single):
    """The margins of a model with the ids 1, 2, ... for its words in order."""
    words = [b"", *(word.encode() for word in scores)]
    segmenter = Unigram(
        words,
        [0.0, *scores.values()],
        unk_id=0,
        unk_score=UNKNOWN,
        single_precision=single,
        fuse_unk=False,
    )
    return Margins(
        segmenter, {word: words.index(word) for word in sorted(words[1:])}, len(words)
    )


def open_places(network, text):
    """The places that are open after a text, read character by character."""
    entries = open_piece()
    for character in text:
        _, _, entries = advance(network, entries, np.frombuffer(character.encode(), np.uint8))
    return entries
