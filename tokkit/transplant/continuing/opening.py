"""Opening what continued training needs; nothing is written."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tokkit.corpus import Corpus
from tokkit.errors import UsageError
from tokkit.lm.hf import HFModel
from tokkit.lm.hf_load import load_tokenizer
from tokkit.lm.processes import Processes
from tokkit.progress import Progress
from tokkit.transplant.continuing.request import LENGTH, RATE, ROW_RATE, Request
from tokkit.transplant.continuing.trained import embeddings, new_rows
from tokkit.transplant.settings.roles import find_roles
from tokkit.weights.checkpoint import Checkpoint


@dataclass(eq=False)
class Opened:
    """A model that can be trained on.

    Attributes:
        source: Where it lies.
        request: What is asked for, with a rate and a length.
        processes: Who shares the batches.
        model: The model, its weights in single precision.
        new: The ids of new rows, if those alone are trained.
        corpus: What to train on.
        measured: What to measure on, by the name of the slice.
    """

    source: Checkpoint
    request: Request
    processes: Processes
    model: HFModel
    new: NDArray[np.int64] | None
    corpus: Corpus
    measured: Mapping[str, Corpus]

    @property
    def around(self) -> tuple[list[int], list[int]]:
        """The ids before and after a document."""
        roles = find_roles(
            self.model.tokenizer, str(self.source.folder), self.source.text_config
        )
        ends = roles.get("end_of_text", roles.get("eos"))
        start = list(self.model.start)
        return start, [] if ends is None or ends in start else [ends]

    @property
    def decisive(self) -> dict[str, Any]:
        """All that decides the weights that come out, as JSON; files by size and time."""
        state = hashlib.blake2b(repr(self.source.config).encode(), digest_size=16)
        for name in self.source.shards:
            status = (self.source.folder / name).stat()
            state.update(f"{name} {status.st_size} {status.st_mtime_ns}".encode())
        return {
            **self.request.decisive(),
            "model": state.hexdigest(),
            "tokenizer": self.model.tokenizer.digest,
            "text": self.corpus.key,
            "new rows": None if self.new is None else int(self.new.size),
        }


def open_all(
    model: str | Path, request: Request, processes: Processes, progress: Progress
) -> Opened:
    """Open model and texts.

    Raises:
        UsageError: If what is asked for does not go together.
        ModelError: If the model cannot be used.
        CorpusError: If a text is missing.
    """
    windows = request.batch * request.accumulate
    if windows < processes.count:
        raise UsageError(
            f"a step of {windows} windows cannot be shared by "
            f"{processes.count} processes: raise --batch or --accumulate"
        )
    source = Checkpoint.open(model)
    corpus = request.open(request.corpus)
    measured = {Path(each).name: request.open([each]) for each in request.evaluate}
    progress("loading the model", 0, 0)
    loaded = load_model(source.folder, processes, dtype="float32")
    new = new_rows(source.folder, loaded) if request.train == "new-rows" else None
    length = _length(request.length, loaded.context)
    request = replace(request, length=length, rate=_rate(request, loaded))
    return Opened(source, request, processes, loaded, new, corpus, measured)


def load_model(folder: Path, processes: Processes, dtype: str = "auto") -> HFModel:
    """Load a model; without a token that begins or ends texts, they begin after a line."""
    config = Checkpoint.open(folder).text_config
    roles = find_roles(load_tokenizer(str(folder)), str(folder), config)
    begins = any(role in roles for role in ("bos", "eos", "cls"))
    return HFModel.load(
        folder, device=str(processes.device), dtype=dtype, start=None if begins else "\n"
    )


def _rate(request: Request, model: HFModel) -> float:
    """Return the highest learning rate; that of embeddings goes by how large they are."""
    if request.rate is not None or request.train == "all":
        return RATE if request.rate is None else request.rate
    matrices, _ = embeddings(model.model)
    spread = [float(each.detach().norm()) / each.numel() ** 0.5 for each in matrices]
    return float(f"{ROW_RATE * sum(spread) / len(spread):.3g}")


def _length(asked: int | None, limit: int | None) -> int:
    """Return how many tokens a window has."""
    if asked is None:
        return LENGTH if limit is None else min(LENGTH, limit)
    if asked < 1 or (limit is not None and asked > limit):
        most = "1 or more" if limit is None else f"1 to {limit}"
        raise UsageError(f"--length {asked}: the model has context for {most} tokens")
    return asked
