"""Making an index: rows block by block, then what finds the nearest of them.

While that is under way everything lies in ``FOLDER.partial``, which a later call goes on with.
The rows of a token depend on nothing but the token, and the index on nothing but rows and seed:
one that was interrupted ends as if it had not been.
"""

import hashlib
import json
import math
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap

from tokkit import __version__
from tokkit.byte_spelling import spell
from tokkit.dynamic.models.embedding import NewRows, TokenRows
from tokkit.dynamic.writing import index as files
from tokkit.dynamic.writing.index import Account, Floats, Kind, RowType, TokenIndex, load_faiss
from tokkit.dynamic.writing.vocabulary import new_tokens, write_tokens
from tokkit.errors import UsageError
from tokkit.hypernet.source import SourceRows
from tokkit.outputs import refuse_existing, replace_folder
from tokkit.progress import Progress, silent
from tokkit.weights.output import check_space

BLOCK = 4096
"""How many tokens get their rows at once."""
FLAT = 50_000
"""The most tokens that are all looked at, if nothing else is asked for."""
EMBEDDINGS = "last/front"
"""What makes rows if nothing else is asked for. Rows that are moved towards the mean, which are
better for reading and predicting a text that is there, are hardly ever chosen."""
_REQUEST = "request.json"
_PER_CELL = 64
"""How many rows for each cell decide where the cells are."""


def build_index(
    source: SourceRows,
    tokens: Sequence[bytes],
    rows: TokenRows,
    folder: str | Path,
    *,
    kind: Kind | None = None,
    dtype: RowType = "float32",
    seed: int = 0,
    force: bool = False,
    progress: Progress = silent,
) -> TokenIndex:
    """Write an index of new tokens for a model.

    Args:
        source: The model's tokenizer and rows.
        tokens: The bytes of new tokens; those that the model has are left out.
        rows: What makes rows for them.
        folder: What to write.
        kind: How the nearest are found; None: ``flat`` up to 50,000 tokens, then ``ivf``.
        dtype: How rows are stored.
        seed: Of what is random in the index.
        force: Whether an index that is there may be replaced.
        progress: Told ``("making rows", tokens, tokens)`` and ``("indexing", rows, rows)``.

    Raises:
        UsageError: If the folder is taken, no token is new, or a run that was begun there was
            another one.
        MissingExtraError: If faiss is not installed.
        JobError: If the disk has no room.
    """
    load_faiss()
    folder = Path(os.path.abspath(folder))
    refuse_existing(folder, force=force, sign=files.ACCOUNT)
    tokens = new_tokens(source.tokenizer, tokens)
    if not tokens:
        raise UsageError("the model has all of these tokens already: give others")
    account = Account(
        size=len(tokens),
        base=int(source.input.shape[0]),
        hidden=source.hidden,
        dtype=dtype,
        kind=kind or ("flat" if len(tokens) <= FLAT else "ivf"),
        bias=source.bias is not None,
        embeddings=rows.name,
        model=digest_rows(source),
        tokenizer=source.tokenizer.digest,
        tokens=_digest_tokens(tokens),
        seed=seed,
        format=files.FORMAT,
        tokkit=__version__,
    )
    place = _begin(folder, account)
    _Rows(place / "folder", account).fill(source, tokens, rows, progress)
    _index(place / "folder", account, progress)
    write_tokens(place / "folder" / files.TOKENS, tokens)
    content = json.dumps(account.as_json(), indent=1)
    (place / "folder" / files.ACCOUNT).write_text(content + "\n", encoding="utf-8")
    replace_folder(place / "folder", folder)
    shutil.rmtree(place)
    return TokenIndex(folder)


def digest_rows(source: SourceRows) -> str:
    """Hash the rows of a model, 32 hexadecimal digits; those in bfloat16 as in float32."""
    state = hashlib.blake2b(digest_size=16)
    for each in (*source.matrices, source.bias):
        if each is None:
            continue
        state.update(f"{tuple(each.shape)}".encode())
        for start in range(0, len(each), BLOCK):
            block = each[start : start + BLOCK].detach().float().cpu()
            state.update(block.contiguous().numpy().data)
    return state.hexdigest()


def _digest_tokens(tokens: Sequence[bytes]) -> str:
    """Hash tokens in their order."""
    state = hashlib.blake2b(digest_size=16)
    for token in tokens:
        state.update(len(token).to_bytes(4, "little") + token)
    return state.hexdigest()


def _begin(folder: Path, account: Account) -> Path:
    """Make the folder to work in, or take over the one an earlier run left."""
    place = folder.with_name(f"{folder.name}.partial")
    file = place / _REQUEST
    if file.is_file():
        if json.loads(file.read_bytes()) != account.as_json():
            raise UsageError(
                f"{place} is of an index of other tokens, rows or kind: ask for the same, or "
                "remove it"
            )
        return place
    bytes_per_token = 2 * account.hidden * np.dtype(account.dtype).itemsize
    check_space(folder, 2 * account.size * bytes_per_token)
    (place / "folder").mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(account.as_json()), encoding="utf-8")
    return place


class _Rows:
    """The files of rows, filled from the first token to the last."""

    def __init__(self, folder: Path, account: Account) -> None:
        self._folder = folder
        self._account = account
        self._done = folder.with_name("done")
        shape = (account.size, account.hidden)
        self._maps = {name: self._open(name, shape) for name in (files.INPUT, files.OUTPUT)}
        if account.bias:
            self._maps[files.BIAS] = self._open(files.BIAS, (account.size,))

    def _open(self, name: str, shape: tuple[int, ...]) -> Any:
        """Open a file of rows, a new one if no rows are there yet."""
        path = self._folder / name
        if self._done.is_file():
            return open_memmap(path, mode="r+")
        dtype = np.float32 if name == files.BIAS else np.dtype(self._account.dtype)
        return open_memmap(path, mode="w+", dtype=dtype, shape=shape)

    def fill(
        self, source: SourceRows, tokens: Sequence[bytes], rows: TokenRows, progress: Progress
    ) -> None:
        """Write the rows that are not there yet."""
        done = int(self._done.read_text()) if self._done.is_file() else 0
        for start in range(done, len(tokens), BLOCK):
            progress("making rows", start, len(tokens))
            block = tokens[start : start + BLOCK]
            ends, ids = spell(source.tokenizer, block)
            parts = [ids[a:b].tolist() for a, b in pairwise([0, *ends.tolist()])]
            self._put(start, rows.rows(block, parts))
            self._keep(start + len(block))
        progress("making rows", len(tokens), len(tokens))

    def _put(self, start: int, made: NewRows) -> None:
        place = slice(start, start + len(made))
        self._maps[files.INPUT][place] = made.input
        self._maps[files.OUTPUT][place] = made.output
        if self._account.bias:
            self._maps[files.BIAS][place] = 0 if made.bias is None else made.bias

    def _keep(self, done: int) -> None:
        """Note how many rows are on disk."""
        for each in self._maps.values():
            each.flush()
        partial = self._done.with_name(".done")
        partial.write_text(str(done))
        os.replace(partial, self._done)


def _index(folder: Path, account: Account, progress: Progress) -> None:
    """Write what finds the nearest rows."""
    library = load_faiss()
    output = np.load(folder / files.OUTPUT, mmap_mode="r")
    bias = np.load(folder / files.BIAS) if account.bias else None
    starts = range(0, account.size, BLOCK)

    def block(places: Any) -> Floats:
        rows = output[places].astype(np.float32)
        return rows if bias is None else np.column_stack([rows, bias[places]])

    total = sum(block(slice(start, start + BLOCK)).sum(0, dtype=np.float64) for start in starts)
    mean = (total / account.size).astype(np.float32)
    with _one_thread(library):
        nearest = _new_index(library, mean.size, account)
        if not nearest.is_trained:
            count = min(_PER_CELL * nearest.nlist, account.size)
            random = np.random.default_rng(account.seed)
            chosen = random.choice(account.size, count, replace=False)
            nearest.train(block(np.sort(chosen)) - mean)
        for start in starts:
            progress("indexing", start, account.size)
            nearest.add(block(slice(start, start + BLOCK)) - mean)
        progress("indexing", account.size, account.size)
    library.write_index(nearest, str(folder / files.NEAREST))


def _new_index(library: Any, width: int, account: Account) -> Any:
    """Return an empty index for rows of a width."""
    if account.kind == "flat":
        return library.IndexFlatIP(width)
    cells = max(round(math.sqrt(account.size)), 1)
    name = f"IVF{cells},SQ8"
    nearest = library.index_factory(width, name, library.METRIC_INNER_PRODUCT)
    nearest.cp.seed = account.seed
    nearest.cp.min_points_per_centroid = 1  # fewer than 39 are warned of on standard error
    return nearest


@contextmanager
def _one_thread(library: Any) -> Iterator[None]:
    """Let one thread build, so that sums are always the same."""
    before = library.omp_get_max_threads()
    library.omp_set_num_threads(1)
    try:
        yield
    finally:
        library.omp_set_num_threads(before)
