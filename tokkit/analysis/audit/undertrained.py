"""Which tokens a model has hardly been trained on, by its embeddings (arXiv 2405.05417).

What was never trained is known from the tokenizer alone: rows beyond its vocabulary, ids that
stand for nothing, and tokens that no text gives.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tokkit.analysis.audit.indicators import NORM, Floats, distances, norms
from tokkit.analysis.audit.reachability import Reachability
from tokkit.analysis.audit.undertrained_result import PERCENTILE, Undertrained
from tokkit.errors import UsageError
from tokkit.progress import Progress, silent
from tokkit.tokenizer import Tokenizer
from tokkit.weights.checkpoint import Checkpoint
from tokkit.weights.encoding import decode
from tokkit.weights.headers import Stored
from tokkit.weights.locate import locate
from tokkit.weights.tensors import read_rows

_BLOCK = 1 << 22
"""Numbers that are read at a time."""
_PROVEN = ("not UTF-8", "spelled otherwise", "merges", "scores", "normalized")
"""Causes that are proven even where the rest was found by trying."""


def undertrained(
    model: str | Path,
    tokenizer: Tokenizer,
    reachability: Reachability,
    *,
    verify: int = 0,
    progress: Progress = silent,
) -> Undertrained:
    """Find the tokens that a model has hardly been trained on.

    Args:
        model: A folder with safetensors weights, or a Hub id; only embeddings are read.
        tokenizer: Its tokenizer.
        reachability: What `tokkit.analysis.audit.reachability.reach` says of it.
        verify: How many candidates the model is asked to repeat; 0: it is not even loaded.
        progress: Told what is done.

    Raises:
        ModelError: If the embeddings cannot be read, or the model cannot be loaded.
        MissingExtraError: If torch is needed and not installed.
        UsageError: If no tested token has a row, or the indicator cannot be computed.
    """
    checkpoint = Checkpoint.open(model)
    places = locate(checkpoint)
    table = checkpoint.tensors[places.input]
    output = checkpoint.tensors[places.output] if places.output else table
    size = min(table.shape[0], output.shape[0])
    unused = unused_ids(tokenizer, reachability, size)
    known = [token for ids in unused.values() for token in ids]
    progress("reading embeddings", 0, 0)
    indicators: dict[str, Floats] = {}
    if places.output is not None or not known:
        indicators[NORM] = norms(partial(_blocks, table, size))
    if known:
        indicators |= distances(partial(_blocks, output, size), known, size)
    if not indicators:
        indicators[NORM] = norms(partial(_blocks, table, size))
    name = checkpoint.folder.resolve().name if Path(model).exists() else str(model)
    found = judge(name, tokenizer, indicators, unused, places.tied, table.shape[1])
    if not verify:
        return found
    from tokkit.analysis.audit.verifying import verified

    return verified(found, str(checkpoint.folder), verify, progress)


def judge(
    name: str,
    tokenizer: Tokenizer,
    indicators: Mapping[str, Floats],
    unused: Mapping[str, Sequence[int]],
    tied: bool,
    hidden: int,
) -> Undertrained:
    """Choose candidates by the first indicator.

    Raises:
        UsageError: If no token that text gives has a row.
    """
    values = next(iter(indicators.values()))
    special = set(tokenizer.vocab.specials.values())
    apart = special.union(*unused.values())
    tested = np.array(
        [
            token
            for token, data in enumerate(tokenizer.vocab.tokens[: len(values)])
            if data and token not in apart
        ],
        dtype=np.int64,
    )
    if not tested.size:
        raise UsageError(f"{name}: no token of the tokenizer has a row: it is of another model")
    threshold = float(np.percentile(values[tested], PERCENTILE, method="lower"))
    below = tested[values[tested] <= threshold]
    order = np.lexsort((below, values[below]))
    return Undertrained(
        name,
        tokenizer,
        (len(values), hidden),
        tied,
        indicators,
        unused,
        tested,
        threshold,
        tuple(below[order].tolist()),
    )


def unused_ids(
    tokenizer: Tokenizer, reachability: Reachability, rows: int
) -> dict[str, list[int]]:
    """Return the ids that no text can have trained, by how that is known.

    Kinds: ``padding`` (beyond the vocabulary), ``empty`` (ids that stand for nothing and are no
    special tokens), ``unreachable`` (tokens that, as is proven, no text gives).
    """
    vocab = tokenizer.vocab
    special = set(vocab.specials.values())
    empty = [token for token, data in enumerate(vocab.tokens) if not data]
    found = {
        "padding": list(range(len(vocab), rows)),
        "empty": [token for token in empty if token not in special and token < rows],
        "unreachable": [
            token
            for token, cause in sorted(reachability.causes.items())
            if token < rows and token not in special
            if reachability.exact or cause in _PROVEN
        ],
    }
    return {kind: ids for kind, ids in found.items() if ids}


def _blocks(stored: Stored, size: int) -> Iterator[NDArray[Any]]:
    """Read the first `size` rows of a matrix, some at a time, as numbers."""
    step = max(1, _BLOCK // max(stored.shape[1], 1))
    for start in range(0, size, step):
        yield decode(read_rows(stored, np.arange(start, min(start + step, size))))
