"""Where sources come from: a rule, chance, or a file."""

import csv
import json
from pathlib import Path

import numpy as np

from tokkit.errors import UsageError
from tokkit.studies.markov.source import MOST_CONTEXTS, Matrix, Source


def switching(order: int, p: float, q: float) -> Source:
    """Return the source of two symbols whose next one depends on that `order` places back.

    After 0 there comes 1 with probability `p`; after 1, 0 with `q`. It is `order` chains of
    order 1 shuffled together (arXiv 2404.08335): a model that sees only single characters, or
    fewer than `order` back, cannot tell it from coins.

    Raises:
        UsageError: If `p` or `q` is no probability, or the order is less than 1.
    """
    if order < 1 or not (0 <= p <= 1 and 0 <= q <= 1):
        raise UsageError(f"order {order}, p {p}, q {q}: give an order from 1, p and q in 0–1")
    _require_few(2, order)
    oldest = np.arange(2**order) >> (order - 1)
    ones = np.where(oldest == 0, p, 1 - q)
    name = f"switching, order {order}, p {p:g}, q {q:g}"
    return Source(name, order, np.stack([1 - ones, ones], axis=1))


def random_source(order: int, size: int, seed: int) -> Source:
    """Return a source whose rows are drawn uniformly from all distributions.

    Raises:
        UsageError: If there are too many contexts, or fewer than two symbols.
    """
    if order < 0 or size < 2:
        raise UsageError(f"order {order}, {size} symbols: give an order from 0 and 2 symbols")
    _require_few(size, order)
    rows = np.random.default_rng(seed).dirichlet(np.ones(size), size**order)
    return Source(f"random, order {order}, {size} symbols, seed {seed}", order, rows)


def _require_few(size: int, order: int) -> None:
    """Refuse a matrix that would not fit before it is made."""
    if order * np.log2(size) > np.log2(MOST_CONTEXTS) + 1e-9:
        raise UsageError(
            f"order {order} with {size} symbols has more than the {MOST_CONTEXTS} contexts "
            "that can be solved exactly: take a lower order or fewer symbols"
        )


def read_source(path: str | Path) -> Source:
    """Read a source from a file with one row per context and one column per symbol.

    The order is found from the shape: four rows of two columns are order 2. Contexts are in
    lexicographic order, the oldest symbol first: ``00 01 10 11``.

    Args:
        path: ``.csv`` (numbers only), ``.json`` (a list of lists), or ``.npy``.

    Raises:
        UsageError: If there is no such file, it is no matrix of numbers, has no order, or a
            row is no distribution.
    """
    path = Path(path)
    reader = _READERS.get(path.suffix.lower())
    if reader is None or not path.is_file():
        raise UsageError(f"{path}: give the matrix as a .csv, .json or .npy file that exists")
    try:
        matrix = reader(path)
    except (ValueError, TypeError, EOFError) as error:
        raise UsageError(f"{path}: this is no matrix of numbers: {error}") from error
    if matrix.ndim != 2 or not matrix.size:
        raise UsageError(f"{path}: give rows of numbers, one row per context")
    rows, size = matrix.shape
    order = next((k for k in range(rows.bit_length()) if size**k >= rows), 0)
    if size**order != rows:
        raise UsageError(
            f"{path}: {rows} rows of {size} columns have no order: with {size} symbols there "
            f"are {', '.join(str(size**k) for k in range(4))}, … contexts"
        )
    return Source(f"{path}, order {order}, {size} symbols", order, matrix)


def _read_csv(path: Path) -> Matrix:
    rows: list[list[float]] = []
    with path.open(encoding="utf-8-sig", newline="") as file:
        for number, cells in enumerate(csv.reader(file), 1):
            if not cells:
                continue
            try:
                rows.append([float(cell) for cell in cells])
            except ValueError as error:
                raise ValueError(f"line {number}: {error}") from error
            if len(rows[-1]) != len(rows[0]):
                raise ValueError(
                    f"line {number} has {len(rows[-1])} columns, the first one {len(rows[0])}"
                )
    return np.array(rows, dtype=np.float64)


def _read_json(path: Path) -> Matrix:
    return np.array(json.loads(path.read_text(encoding="utf-8")), dtype=np.float64)


def _read_npy(path: Path) -> Matrix:
    return np.asarray(np.load(path, allow_pickle=False), dtype=np.float64)


_READERS = {".csv": _read_csv, ".json": _read_json, ".npy": _read_npy}
