"""Rows of many new tokens on disk, and an index that finds those nearest to a state.

An index is a folder::

    index.json      what it was made from: digests, sizes, kind
    tokens.jsonl    the new tokens, in order
    input.npy       what is read, float16 or float32 [tokens, hidden]
    output.npy      what is predicted with, the same
    bias.npy        what is added to logits, float32 [tokens]; only if the model has a bias
    nearest.faiss   finds the rows with the greatest logits, the bias being one more dimension

Rows are memory-mapped. Logits do not come from the index: it only proposes tokens, so it may
hold rows in eight bits. They are relative to their mean there, which changes all logits by the
same amount, and makes rows easier to tell apart. The model's own tokens are not in it: its head
looks at all of them.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tokkit.corpus.streams import import_extra
from tokkit.dynamic.writing.vocabulary import read_tokens
from tokkit.errors import ModelError, UsageError

Kind = Literal["flat", "ivf"]
RowType = Literal["float32", "float16"]
Floats = NDArray[np.float32]
Places = NDArray[np.int64]

ACCOUNT = "index.json"
TOKENS = "tokens.jsonl"
INPUT = "input.npy"
OUTPUT = "output.npy"
BIAS = "bias.npy"
NEAREST = "nearest.faiss"
FORMAT = 1
PROBE = 0.25
"""Which share of the cells is looked at, unless another is asked for."""
_BLOCK = 1 << 14
"""How many rows are looked at together where all are."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """What ``index.json`` says.

    Attributes:
        size: How many new tokens there are.
        base: How many rows the model has; the id of the first new token.
        hidden: How wide a row is.
        dtype: How rows are stored.
        kind: How the nearest are found: by looking at all of them (``flat``), or at those in
            the nearest cells (``ivf``).
        bias: Whether logits have a bias.
        embeddings: What made the rows; of a hypernetwork with its digest.
        model: The digest of the model's own rows.
        tokenizer: That of its tokenizer.
        tokens: That of the new tokens.
        seed: Of what is random in the index.
        format: The version of this folder.
        tokkit: The version that wrote it.
    """

    size: int
    base: int
    hidden: int
    dtype: RowType
    kind: Kind
    bias: bool
    embeddings: str
    model: str
    tokenizer: str
    tokens: str
    seed: int
    format: int
    tokkit: str

    def as_json(self) -> Mapping[str, Any]:
        """Everything, as JSON."""
        return asdict(self)


class TokenIndex:
    """New tokens, their rows, and what finds the nearest; see `build_index`.

    Attributes:
        folder: Where it is.
        account: What it was made from.
        tokens: The bytes of each.
        input: What is read, ``[tokens, hidden]``, memory-mapped.
        output: What is predicted with, the same.
        bias: What is added to logits, ``float32[tokens]``; None: nothing.
    """

    def __init__(self, folder: str | Path, *, probe: float = PROBE) -> None:
        """Open an index.

        Args:
            folder: Where it is.
            probe: Which share of the cells to look at, if there are cells.

        Raises:
            ModelError: If there is none, or it is damaged.
            UsageError: If `probe` is no share.
            MissingExtraError: If faiss is not installed.
        """
        if not 0 < probe <= 1:
            raise UsageError(f"a share of {probe} of the cells: give one above 0 and up to 1")
        self.folder = Path(folder)
        self.account = read_account(self.folder)
        self.tokens = read_tokens(self.folder / TOKENS)
        self.input = self._map(INPUT)
        self.output = self._map(OUTPUT)
        self.bias = self._map(BIAS) if self.account.bias else None
        self._nearest = read_nearest(self.folder / NEAREST)
        sizes = {len(self.tokens), len(self.input), len(self.output), self._nearest.ntotal}
        if sizes != {self.account.size}:
            raise ModelError(f"{folder}: the files are not of one index: make it again")
        if self.account.kind == "ivf":
            self._nearest.nprobe = max(round(probe * self._nearest.nlist), 1)

    def __len__(self) -> int:
        return self.account.size

    def _map(self, name: str) -> Any:
        try:
            # Private to this process, so that torch may take what it believes to write to.
            return np.load(self.folder / name, mmap_mode="c")
        except (OSError, ValueError) as error:
            raise ModelError(f"{self.folder / name}: cannot be read ({error})") from error

    def search(self, state: Floats, count: int) -> Places:
        """Return the numbers of tokens whose logits should be greatest, ascending.

        Args:
            state: What the head is given, ``float32[hidden]``.
            count: How many, at most.
        """
        query = np.append(state, np.float32(1)) if self.account.bias else state
        _, found = self._nearest.search(query[None], min(count, len(self)))
        return np.unique(found[found >= 0])

    def logits(self, state: Floats) -> Floats:
        """Return the products of all rows with a state, and their bias, ``float32[tokens]``."""
        found = np.empty(len(self), dtype=np.float32)
        for start in range(0, len(self), _BLOCK):
            rows = self.output[start : start + _BLOCK]
            found[start : start + _BLOCK] = rows.astype(np.float32, copy=False) @ state
        return found if self.bias is None else found + self.bias


def read_account(folder: Path) -> Account:
    """Read ``index.json``.

    Raises:
        ModelError: If it is not there, is damaged, or was written by another version.
    """
    try:
        said = json.loads((folder / ACCOUNT).read_bytes())
        account = Account(**{each.name: said[each.name] for each in fields(Account)})
    except (FileNotFoundError, NotADirectoryError):
        raise ModelError(
            f"{folder}: no {ACCOUNT} there: give a folder of tokkit dynamic index"
        ) from None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelError(f"{folder / ACCOUNT}: is damaged ({error}): make it again") from error
    if account.format != FORMAT:
        raise ModelError(
            f"{folder}: was written by tokkit {account.tokkit} in another format: make it again"
        )
    return account


def load_faiss() -> Any:
    """Return the library that finds nearest rows.

    Raises:
        MissingExtraError: If it is not installed.
    """
    return import_extra("faiss", "nearest")


def read_nearest(path: Path) -> Any:
    """Read what finds the nearest rows.

    Raises:
        ModelError: If it cannot be read.
        MissingExtraError: If faiss is not installed.
    """
    library = load_faiss()
    try:
        return library.read_index(str(path))
    except RuntimeError as error:
        raise ModelError(f"{path}: cannot be read: make the index again") from error
