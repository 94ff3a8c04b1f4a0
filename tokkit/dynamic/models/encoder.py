"""Encoders, such as BERT, over a merged batch."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tokkit.dynamic.merging import Merged
from tokkit.dynamic.models.rows import NewRows
from tokkit.dynamic.models.running import Extended, pad

States = list[NDArray[np.float32]]


def encode_states(model: Any, merged: Merged, rows: NewRows) -> States:
    """Return the states of the last layer, one for each token.

    Args:
        model: What `AutoModel`, `AutoModelForMaskedLM` or `AutoModelForSequenceClassification`
            give, in evaluation mode.
        merged: The batch; special tokens, such as ``[CLS]``, are in it.
        rows: The rows of its new tokens, as a `TokenRows` makes them.

    Returns:
        ``float32[tokens, hidden]`` of each sequence.
    """
    states = _run(model.base_model, merged, rows).last_hidden_state.float().cpu().numpy()
    return [own[: len(ids)] for own, ids in zip(states, merged.sequences, strict=True)]


def encoder_logits(model: Any, merged: Merged, rows: NewRows) -> NDArray[np.float32]:
    """Return what the head of an encoder says.

    Args:
        model: An encoder with a head, in evaluation mode.
        merged: The batch.
        rows: The rows of its new tokens.

    Returns:
        Logits: ``float32[b, labels]`` of a classifier; ``float32[b, longest, vocabulary]`` of a
        masked language model, whose rows behind the end of a sequence mean nothing.
    """
    logits: NDArray[np.float32] = _run(model, merged, rows).logits.float().cpu().numpy()
    return logits


def pool_states(states: States) -> NDArray[np.float32]:
    """Return the mean of the states of each sequence, ``float32[b, hidden]``.

    Raises:
        ValueError: If a sequence has no tokens.
    """
    if any(not len(own) for own in states):
        raise ValueError("a sequence without tokens has no mean")
    return np.stack([own.mean(axis=0) for own in states])


@torch.inference_mode()
def _run(model: Any, merged: Merged, rows: NewRows) -> Any:
    """Run a model once over a batch, padded on the right."""
    extended = Extended(model, merged.base, rows)
    padded = pad(merged.sequences, device=extended.device)
    return model(inputs_embeds=extended.embed(padded.ids), attention_mask=padded.mask)
