"""Contexts with a donor, and what a composition makes of a source's matrix."""

import numpy as np

from tests.transplant.small import context, tokenizer
from tokkit.transplant.context import VIRTUAL_ROWS, Donor

SHARED = [bytes([a, b]) for a in b"abcdef" for b in b"ghijkl"]
NEW = [b"new", b"newer", b"newest", b"other", b"zz", b"y" * 9]


def with_donor(rows, *, shared=(), new=NEW, **settings):
    """A context whose donor has rows made by `rows(ids)`; all bytes are shared too."""
    source = tokenizer(*shared, b"only", specials=("<s>",))
    target = tokenizer(*new, *shared)
    made = rows(len(target.vocab))
    sides = made if isinstance(made, dict) else {"input": made, "output": made}
    return context(source, target, donor=Donor("donor", sides), **settings)


def random_rows(width, seed=0, mean=0.5):
    """Random rows around a mean."""

    def make(size):
        rng = np.random.default_rng(seed)
        return (rng.standard_normal((size, width)) + mean).astype(np.float32)

    return make


def parts(context, side="input"):
    """The donor's rows of shared and of new tokens, and the source ids of the shared."""
    alignment, rows = context.alignment, context.donor.rows[side]
    return rows[alignment.shared], rows[alignment.new], alignment.matches[alignment.shared]


def apply(composition, source):
    """The rows that a composition makes of a matrix, in float64."""
    size, width = source.shape
    own = composition.virtual.dense(size) @ source.astype(np.float64)
    whole = np.vstack([source, np.zeros((VIRTUAL_ROWS, width)), own])
    return composition.rows.dense(len(whole)) @ whole
