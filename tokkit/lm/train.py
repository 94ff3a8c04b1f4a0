"""Training small language models from scratch, so that there is something to measure on.

The tokens of all documents are one long row. A step takes windows of it that begin anywhere,
chosen by a hash of the seed and the number of the step: a run that was killed goes on from its
last checkpoint as if nothing had happened.

While a run is under way everything lies in ``FOLDER.partial``, which becomes ``FOLDER`` at the
end: a model folder with its tokenizer, and ``training.json``, which says how it was made.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from tokkit import formats
from tokkit.errors import CorpusError, ModelError, UsageError
from tokkit.lm.hf_load import quiet
from tokkit.lm.roles import BEGINS, FINISHES, special_id
from tokkit.lm.train_model import Architecture, new_model
from tokkit.lm.train_run import Run, Schedule
from tokkit.lm.train_work import CHECKPOINT, hundredths, partial_folder, take_over, work
from tokkit.progress import Progress, silent
from tokkit.tokenizer import Tokenizer

Precision = Literal["float32", "bfloat16"]
ACCOUNT = "training.json"
_BATCH = 1000
"""How many documents become tokens at once."""


@dataclass(frozen=True)
class Training:
    """How a model was made.

    Attributes:
        architecture: What it is.
        schedule: How it was trained.
        parameters: How many numbers its weights are; a tied matrix counts once.
        corpus_tokens: How many tokens all documents have together.
        seen_tokens: How many tokens the steps have read.
        seconds: How long the steps took.
        losses: The mean loss, in nats per token, of each hundredth of the steps.
    """

    architecture: Architecture
    schedule: Schedule
    parameters: int
    corpus_tokens: int
    seen_tokens: int
    seconds: float
    losses: list[float]


def train(
    documents: Iterable[bytes],
    tokenizer: Tokenizer,
    folder: str | Path,
    architecture: Architecture = Architecture(),  # noqa: B008 - frozen
    schedule: Schedule = Schedule(),  # noqa: B008 - frozen
    *,
    dtype: Precision = "float32",
    progress: Progress = silent,
) -> Training:
    """Train a model on documents and write it with its tokenizer.

    A run that left ``FOLDER.partial`` behind is continued. On a CPU, and with equally many
    threads, the weights are the same bit for bit as if it had never been interrupted.

    Args:
        documents: The texts. Each gets the tokenizer's token that begins texts before it, and
            behind it the one that ends them, where that is another.
        tokenizer: How text becomes tokens; it needs a special token that begins or ends texts.
        folder: What to write; `AutoModelForCausalLM` and `tokkit.lm.HFModel` load it.
        architecture: What model.
        schedule: How to train.
        dtype: As what to write the weights.
        progress: Told ``("training", steps done, steps)``.

    Returns:
        What ``training.json`` says too.

    Raises:
        UsageError: If the folder exists, or the run that was begun there was another one.
        ModelError: If the tokenizer has no token that begins or ends texts.
        CorpusError: If there are not enough tokens to fill a window.
        JobError: If the loss is not a number any more.
    """
    folder = Path(os.path.abspath(folder))
    if folder.exists():
        raise UsageError(f"{folder} exists: choose another place, or remove it")
    stream = token_stream(documents, tokenizer)
    if len(stream) <= architecture.context:
        raise CorpusError(
            f"the documents have {len(stream)} tokens, which fill no window of "
            f"{architecture.context + 1}: give more text"
        )
    model = new_model(architecture, len(tokenizer), *begin_and_end(tokenizer), schedule.seed)
    request = {
        "architecture": asdict(architecture),
        "schedule": asdict(schedule),
        "dtype": dtype,
        "tokenizer": tokenizer.digest,
        "stream": hashlib.blake2b(stream.tobytes(), digest_size=16).hexdigest(),
    }
    place = partial_folder(folder)
    take_over(place, request)
    run = Run(model, schedule, architecture.context)
    work(run, stream, place / CHECKPOINT, progress)
    training = _account(run, architecture, len(stream))
    _write(place, folder, model.to(getattr(torch, dtype)), tokenizer, training)
    return training


def token_stream(documents: Iterable[bytes], tokenizer: Tokenizer) -> NDArray[np.int32]:
    """Return the tokens of all documents in a row, with those between them, ``int32[n]``.

    Raises:
        ModelError: If the tokenizer has no token that begins or ends texts.
    """
    begins, ends = begin_and_end(tokenizer)
    before = np.array([begins], dtype=np.int32)
    after = np.array([ends] if ends != begins else [], dtype=np.int32)
    parts: list[NDArray[np.int32]] = []
    waiting: list[bytes] = []

    def flush() -> None:
        for ids in tokenizer.encode_batch(waiting, parse_specials=False):
            parts.extend((before, ids, after))
        waiting.clear()

    for document in documents:
        waiting.append(document)
        if len(waiting) == _BATCH:
            flush()
    flush()
    return np.concatenate([np.zeros(0, dtype=np.int32), *parts])


def begin_and_end(tokenizer: Tokenizer) -> tuple[int, int]:
    """Return the ids that begin and end texts; one that is not there is the other.

    Raises:
        ModelError: If there is neither.
    """
    begins, ends = special_id(tokenizer, BEGINS), special_id(tokenizer, FINISHES)
    found = ends if begins is None else begins
    if found is None:
        raise ModelError(
            "the tokenizer has no special token that begins or ends a text: learn one with "
            "--special '<|endoftext|>'"
        )
    return found, found if ends is None else ends


def _account(run: Run, architecture: Architecture, corpus_tokens: int) -> Training:
    """Say how a model was made."""
    schedule = run.schedule
    return Training(
        architecture,
        schedule,
        parameters=sum(weights.numel() for weights in run.model.parameters()),
        corpus_tokens=corpus_tokens,
        seen_tokens=schedule.steps * schedule.batch * architecture.context,
        seconds=round(run.seconds, 1),
        losses=hundredths(run.losses),
    )


def _write(
    place: Path, folder: Path, model: Any, tokenizer: Tokenizer, training: Training
) -> None:
    """Write the model folder inside `place`, then put it where it belongs."""
    result = place / "folder"
    shutil.rmtree(result, ignore_errors=True)
    with quiet():
        model.save_pretrained(result)
    formats.save(tokenizer, result, force=True)
    content = json.dumps(asdict(training), indent=1)
    (result / ACCOUNT).write_text(content + "\n", encoding="utf-8")
    os.replace(result, folder)
    shutil.rmtree(place)
