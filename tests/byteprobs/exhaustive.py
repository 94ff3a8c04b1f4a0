"""Every token sequence there is, up to some length: which of them can a segmenter produce?"""

from itertools import product

import numpy as np

from tokkit.canonical.protocols import NEVER
from tokkit.pretokenize import Pieces
from tokkit.vocab import flatten


def cut(segmenter, pieces):
    """The ids of each piece."""
    ids, ends = segmenter.segment(Pieces(*flatten(pieces)))
    return [part.tolist() for part in np.split(ids, ends)[: len(pieces)]]


def walk(machine, sequence):
    """The state a segmentation machine is in after a sequence."""
    if not machine.begins[sequence[0]]:
        return NEVER
    state = machine.begin(sequence[0])
    for token in sequence[1:]:
        if state == NEVER:
            break
        state = machine.follow(state, token)
    return state


def canonical_prefixes(segmenter, texts, usable):
    """Every beginning of the encoding of every text, where all ids of it are usable."""
    found = set()
    for ids in cut(segmenter, texts):
        for length in range(1, len(ids) + 1):
            if ids[length - 1] not in usable:
                break
            found.add(tuple(ids[:length]))
    return found


def sequences(count, most=1500):
    """All sequences of the ids below `count` up to a length at which there are about `most`.

    That is 3 for 11 ids, 4 for 6, 5 for 4 and 6 for 3.
    """
    for length in range(1, int(np.log(most) / np.log(max(count, 2))) + 1):
        yield from product(range(count), repeat=length)


def check_following(machine, state, count):
    """`following` has to say what `follow` says of each token."""
    flags = machine.following(state)
    assert flags.dtype == np.uint8
    expected = [int(machine.follow(state, token) != NEVER) for token in range(count)]
    assert flags.tolist() == expected


def check_sequences(machine, segmenter, texts):
    """Compare every sequence, up to a length, with what its own bytes are cut into."""
    wanted = [each for each in sequences(len(texts)) if all(texts[i] for i in each)]
    encoded = cut(segmenter, [b"".join(texts[i] for i in each) for each in wanted])
    for sequence, ids in zip(wanted, encoded, strict=True):
        state = walk(machine, sequence)
        assert (state != NEVER) == (tuple(ids) == sequence), sequence
        if state != NEVER:
            assert machine.may_end(state)
            check_following(machine, state, len(texts))
