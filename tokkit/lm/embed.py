"""Embeddings of a model with other rows than its own."""

import copy
from typing import Any

import torch
from torch.func import functional_call


def embed(table: Any, rows: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    """Return what an embedding would give if these were its rows, its scaling included.

    Args:
        table: The embedding of a torch model; it is not changed.
        rows: ``float[n, width]``.
        ids: Which rows, ``int64[...]``.
    """
    # What pads has an id that few rows do not reach.
    plain = copy.copy(table)
    plain.padding_idx = None
    found: torch.Tensor = functional_call(plain, {"weight": rows}, (ids,))
    return found
