"""Which parameters are trained, and what holds embeddings near where they began."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tokkit.errors import UsageError
from tokkit.hypernet.losses import lexical_loss
from tokkit.lm.hf import HFModel
from tokkit.transplant.continuing.request import Trained
from tokkit.transplant.plan import PLAN_FILE, Plan
from tokkit.transplant.running.new_rows import NewRows


def new_rows(folder: Path, model: HFModel) -> NDArray[np.int64]:
    """Return the ids whose rows a transplantation guessed.

    Args:
        folder: The model's folder.
        model: The model.

    Raises:
        UsageError: If no plan is there, or it is not of this model's tokenizer, or says that
            there are none.
    """
    if not (folder / PLAN_FILE).is_file():
        raise UsageError(
            f"{folder}: has no {PLAN_FILE}, which says which rows are new: take --train "
            "embeddings, or a folder that `tokkit transplant` wrote"
        )
    plan = Plan.load(folder)
    if plan.target != model.tokenizer.vocab:
        raise UsageError(f"{folder}: its {PLAN_FILE} is for another tokenizer than it has")
    ids = np.flatnonzero(plan.halves["input"].guesses)
    if not ids.size:
        raise UsageError(f"{folder}: its {PLAN_FILE} has no new rows: take --train embeddings")
    return ids


@contextmanager
def trainable(
    model: HFModel, train: Trained, new: NDArray[np.int64] | None
) -> Iterator[list[torch.Tensor]]:
    """Let gradients go to what is to be trained, and to nothing else.

    Args:
        model: The model. Where only new rows are trained they are written into it in the end,
            unless that is an error.
        train: What to train.
        new: The ids of new rows, for ``new-rows``.

    Yields:
        The rows of embeddings among it: one matrix, or one for each side if they are not tied.
    """
    matrices, bias = embeddings(model.model)
    if new is not None:
        with NewRows(model, new) as rows:
            yield rows.parameters
            values = [each.detach() for each in rows.parameters]
        with torch.no_grad():
            for matrix, own in zip(matrices, values, strict=True):
                matrix[torch.from_numpy(new).to(matrix.device)] = own.to(matrix.dtype)
        return
    if train == "embeddings":
        model.model.requires_grad_(False)
        for each in (*matrices, *bias):
            each.requires_grad_(True)
    yield matrices


def embeddings(model: Any) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Return the embedding matrices of a model, each once, and the bias of its head if any."""
    head = model.get_output_embeddings()
    first, second = model.get_input_embeddings().weight, head.weight
    bias = getattr(head, "bias", None)
    return ([first] if first is second else [first, second]), [] if bias is None else [bias]


def lexical_penalty(
    matrices: Sequence[torch.Tensor], weight: float, dtype: torch.dtype
) -> Callable[[], torch.Tensor] | None:
    """Return what asks how far rows have moved from where they are now, times a weight.

    ``weight * mean_i ||E_i - E0_i||^2 / mean_i ||E0_i||^2`` over all rows that are trained, as
    a mean over the matrices: ZeTT's code leaves no row out either where the lexical loss is
    against the initial embeddings (``apply_lexical_loss_to_init``).

    Args:
        matrices: The rows that are trained, ``float32[n, width]`` each.
        weight: How much it counts; with 0 there is no penalty.
        dtype: What rows are usually stored as, which may be enough to hold where they began.
    """
    if not weight:
        return None
    began = [_compact(each.detach(), dtype) for each in matrices]
    return lambda: weight * lexical_loss(matrices, [each.float() for each in began])


def _compact(rows: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Copy rows in another dtype, if that changes nothing."""
    found = rows.to(dtype, copy=True)
    return found if torch.equal(found.to(rows.dtype), rows) else rows.clone()
