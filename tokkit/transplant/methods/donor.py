"""Reading a donor: a model that was trained with the target tokenizer."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tokkit.errors import ModelError
from tokkit.formats import load
from tokkit.tokenizer import Tokenizer
from tokkit.transplant.context import Donor
from tokkit.weights.checkpoint import Checkpoint
from tokkit.weights.encoding import decode
from tokkit.weights.headers import Stored
from tokkit.weights.locate import locate
from tokkit.weights.tensors import read


def load_donor(path: str | Path, target: Tokenizer) -> Donor:
    """Read the embeddings of a model that was trained with the target tokenizer.

    Args:
        path: Its folder, with its tokenizer, or its id on the Hugging Face Hub.
        target: The tokenizer that the donor must have.

    Returns:
        Its input and output embeddings as float32; if they are tied, or it has no output
        embeddings, both are the same array.

    Raises:
        ModelError: If the checkpoint cannot be read, the donor has another tokenizer, has rows
            for only some of its tokens, or rows that are not finite.
        FormatError: If its tokenizer cannot be read.
    """
    checkpoint = Checkpoint.open(path)
    check_tokenizer(checkpoint.folder, load(checkpoint.folder), target)
    found = locate(checkpoint)
    size = len(target.vocab)
    given = _read(checkpoint.tensors[found.input], size)
    if found.tied or found.output is None:
        return Donor(str(path), {"input": given, "output": given})
    return Donor(
        str(path), {"input": given, "output": _read(checkpoint.tensors[found.output], size)}
    )


def check_tokenizer(folder: Path, own: Tokenizer, target: Tokenizer) -> None:
    """Check that a donor's tokenizer gives every token with bytes the id `target` gives it.

    Raises:
        ModelError: If it does not.
    """
    if own.vocab.digest == target.vocab.digest:
        return
    theirs = own.vocab.tokens + (b"",) * len(target.vocab)
    wrong = [i for i, token in enumerate(target.vocab.tokens) if token and theirs[i] != token]
    if wrong:
        token = target.vocab.tokens[wrong[0]]
        raise ModelError(
            f"{folder}: its tokenizer is not the target tokenizer ({len(wrong)} ids stand for "
            f"something else, such as {wrong[0]}, which is {token!r} in the target): choose a "
            "donor that was trained with the target tokenizer"
        )


def _read(stored: Stored, size: int) -> NDArray[np.float32]:
    """Read the first `size` rows of a matrix, ``float32[size, d]``."""
    if stored.shape[0] < size:
        raise ModelError(
            f"{stored.path}: {stored.name} has {stored.shape[0]} rows for the {size} tokens of "
            "the target tokenizer: choose a donor that has them all"
        )
    rows = np.asarray(decode(read(stored))[:size], dtype=np.float32)
    bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if bad.size:
        raise ModelError(
            f"{stored.path}: row {bad[0]} of {stored.name} is not finite: choose another donor"
        )
    return rows
