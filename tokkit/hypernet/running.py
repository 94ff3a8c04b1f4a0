"""Running a network on many tokens: those with equally many pieces together, in chunks."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.checkpoint import checkpoint

from tokkit.hypernet.network import CHUNK, Network, Readable
from tokkit.hypernet.pieces import Pieces

BLOCK = 64
"""Tokens that are predicted at once outside of training, whoever is asked for beside them."""


def groups(pieces: Pieces, chunk: int = CHUNK) -> Iterator[NDArray[np.int64]]:
    """Yield the numbers of tokens that have equally many pieces, at most `chunk` at once."""
    for count in np.unique(pieces.counts).tolist():
        members = np.flatnonzero(pieces.counts == count)
        for start in range(0, members.size, chunk):
            yield members[start : start + chunk]


def run(
    network: Network, source: Readable, pieces: Pieces, *, checkpointing: bool = False
) -> list[torch.Tensor]:
    """Predict the rows of tokens, with gradients.

    Args:
        network: The network.
        source: The model's rows.
        pieces: What spells the tokens.
        checkpointing: Whether to compute again for gradients instead of keeping states.

    Returns:
        One matrix for each side, ``float32[n, columns]``.
    """
    device = source.matrices[0].device
    order, parts = [], []
    for members in groups(pieces):
        ids = select(pieces, members).to(device)
        if checkpointing:
            found = checkpoint(network, source, ids, use_reentrant=False)
        else:
            found = network(source, ids)
        parts.append(found)
        order.append(members)
    if not parts:
        return [torch.zeros(0, each, device=device) for each in network.columns]
    places = torch.from_numpy(np.argsort(np.concatenate(order))).to(device)
    return [torch.cat([part[k] for part in parts])[places] for k in range(len(parts[0]))]


@torch.no_grad()
def predict(network: Network, source: Readable, pieces: Pieces) -> list[NDArray[np.float32]]:
    """Predict the rows of tokens; those of a token do not depend on what the others are.

    Sums depend on the shapes that are added up, so every block has the same number of tokens.

    Returns:
        One matrix for each side, ``float32[n, columns]``.
    """
    device = source.matrices[0].device
    found = [np.empty((pieces.counts.size, each), np.float32) for each in network.columns]
    for members in groups(pieces, BLOCK):
        filled = np.concatenate([members, np.repeat(members[:1], BLOCK - members.size)])
        rows = network(source, select(pieces, filled).to(device))
        for matrix, part in zip(found, rows, strict=True):
            matrix[members] = part[: members.size].cpu().numpy()
    return found


def select(pieces: Pieces, members: NDArray[np.int64]) -> torch.Tensor:
    """Return the pieces of some tokens that have equally many, ``int64[n, count]``."""
    return torch.from_numpy(pieces.ids[members, : int(pieces.counts[members[0]])])
