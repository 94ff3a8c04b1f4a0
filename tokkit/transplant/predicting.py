"""Rows that a hypernetwork predicts: loading it for a model, and keeping what it says.

Every tensor that has rows of tokens is written by itself, and a hypernetwork predicts all rows
of a token at once. So it is asked once for each token, before anything is written, and what it
says lies in a file without a name meanwhile: memory does not grow with the vocabulary.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from tokkit.errors import MissingExtraError, UsageError
from tokkit.kernels._jit import Ids
from tokkit.tokenizer import Tokenizer
from tokkit.transplant.context import Progress, Reader, Side
from tokkit.transplant.matrix import Predict
from tokkit.transplant.options import Options
from tokkit.transplant.plan import Plan
from tokkit.weights.checkpoint import Checkpoint
from tokkit.weights.output import told

if TYPE_CHECKING:
    from tokkit.hypernet.hypernet import Hypernet

Part = Literal["input", "output", "bias"]
"""Which rows of a token."""
SIDE_OF: Mapping[Part, Side] = {"input": "input", "output": "output", "bias": "output"}
_NUMBERS = 1 << 20
"""Numbers of one matrix that are predicted at once."""


def load_hypernet(
    options: Options, checkpoint: Checkpoint, source: Tokenizer, progress: Progress
) -> "Hypernet | None":
    """Load the hypernetwork that was named, for the rows of this model; None: none was.

    Raises:
        ModelError: If there is none in its folder, or it was not trained for such a model.
        MissingExtraError: If torch is not installed.
    """
    if options.hypernet is None:
        return None
    progress("reading the hypernetwork", 0, 0)
    try:
        from tokkit.hypernet.hypernet import Hypernet
        from tokkit.hypernet.source import SourceRows
    except ModuleNotFoundError as missing:
        raise MissingExtraError(str(missing.name), "torch") from missing
    rows = SourceRows.of_checkpoint(checkpoint, source)
    return Hypernet.load(options.hypernet, rows, device=options.device, cache=0)


def reader_of(hypernet: "Hypernet | None") -> Reader | None:
    """Return what a plan has to know of a hypernetwork."""
    if hypernet is None:
        return None
    return Reader(hypernet.digest, hypernet.network.config.surface)


def check_hypernet(plan: Plan, options: Options, hypernet: "Hypernet | None") -> None:
    """Refuse a plan whose predictions are another hypernetwork's.

    Raises:
        UsageError: If no hypernetwork was named, or another one.
    """
    if plan.hypernet is None or (hypernet is not None and hypernet.digest == plan.hypernet):
        return
    what = f"{options.plan}: its rows are predicted by the hypernetwork {plan.hypernet}"
    if hypernet is None:
        raise UsageError(f"{what}: name its folder with --hypernet")
    raise UsageError(f"{what}, and --hypernet {options.hypernet} is {hypernet.digest}")


@contextmanager
def predictions(
    plan: Plan,
    hypernet: "Hypernet | None",
    parts: Sequence[Part],
    folder: Path,
    progress: Progress,
) -> Iterator[Mapping[Part, Predict]]:
    """Predict the rows that a plan wants, and keep them while this is entered.

    Args:
        plan: Says which.
        hypernet: What predicts them.
        parts: What the model has of each token.
        folder: Where there is room; nothing is left there.
        progress: Told how many tokens are done.

    Yields:
        What gives the rows of each part; nothing where no row is predicted.

    Raises:
        JobError: If the disk is full.
    """
    wanted = [part for part in parts if plan.halves[SIDE_OF[part]].predicted.size]
    if hypernet is None or not wanted:
        yield {}
        return
    ids = np.unique(np.concatenate([plan.halves[SIDE_OF[part]].predicted for part in wanted]))
    block = max(1, _NUMBERS // hypernet.source.hidden)
    with ExitStack() as stack:
        with told(folder):
            files = {
                part: stack.enter_context(tempfile.TemporaryFile(dir=folder)) for part in wanted
            }
            widths = dict.fromkeys(wanted, 0)
            for start in range(0, ids.size, block):
                progress("predicting rows", start, ids.size)
                some = ids[start : start + block].tolist()
                found = hypernet.predict([plan.target.tokens[token] for token in some])
                for part in wanted:
                    rows: NDArray[np.float32] = getattr(found, part).reshape(len(some), -1)
                    widths[part] = rows.shape[1]
                    files[part].write(rows.tobytes())
            for file in files.values():
                file.flush()
            progress("predicting rows", ids.size, ids.size)
        yield {part: _Kept(files[part], ids, widths[part]) for part in wanted}


@dataclass(frozen=True, eq=False)
class _Kept:
    """Rows in a file.

    Attributes:
        file: The file, ``float32[ids, width]``.
        ids: The target id of each row, ascending.
        width: How wide a row is.
    """

    file: IO[bytes]
    ids: Ids
    width: int

    def __call__(self, ids: Ids) -> NDArray[np.float32]:
        """Return the rows of some target ids, ascending, ``float32[n, width]``."""
        places = np.searchsorted(self.ids, ids)
        first, size = int(places[0]), 4 * self.width
        data = os.pread(self.file.fileno(), (int(places[-1]) + 1 - first) * size, first * size)
        rows = np.frombuffer(data, dtype=np.float32).reshape(-1, self.width)
        return rows[places - first]
