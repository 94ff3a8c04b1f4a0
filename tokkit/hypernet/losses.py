"""What a hypernetwork is trained to make small (arXiv 2405.07883, sections 3.1 and 3.3)."""

from collections.abc import Sequence

import torch

IGNORED = -100
"""The target of places that the language model's loss leaves out."""


def lexical_loss(
    predicted: Sequence[torch.Tensor], own: Sequence[torch.Tensor]
) -> torch.Tensor:
    """Return how far predictions are from the rows that the source has, relative to these.

    ``mean_i ||E'_i - E_i||^2 / mean_i ||E_i||^2``, as a mean over the matrices.

    Args:
        predicted: A matrix for each side, ``float[n, columns]``; of more columns than `own`
            the first count.
        own: The source's rows of the same tokens, ``float[n, hidden]``.
    """
    parts = [
        (made[:, : rows.shape[1]] - rows).square().sum(1).mean() / rows.square().sum(1).mean()
        for made, rows in zip(predicted, own, strict=True)
    ]
    return torch.stack(parts).mean()


def identity_loss(
    predicted: Sequence[torch.Tensor], own: Sequence[torch.Tensor]
) -> torch.Tensor:
    """Return how far predictions are from the source's rows: ``mean_i ||E'_i - E_i||^2``.

    The loss of the warm-up, as a sum over the matrices.
    """
    parts = [
        (made[:, : rows.shape[1]] - rows).square().sum(1).mean()
        for made, rows in zip(predicted, own, strict=True)
    ]
    return torch.stack(parts).sum()


def language_loss(logits: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Return the cross entropy in nats, summed over the tokens to foretell.

    Args:
        logits: ``float[batch, length, vocab]``.
        wanted: The tokens to foretell, ``int64[batch, length]``; `IGNORED` where there is none.
    """
    loss: torch.Tensor = torch.nn.functional.cross_entropy(
        logits.float().flatten(0, 1), wanted.flatten(), ignore_index=IGNORED, reduction="sum"
    )
    return loss
