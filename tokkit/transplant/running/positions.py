"""What the head of a model sees at the positions of a text."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tokkit.errors import ModelError
from tokkit.lm.hf import HFModel
from tokkit.transplant.context import Progress, silent

_BATCH = 4096
"""Tokens in a forward pass."""
_LOGITS = 1 << 25
"""Logits that are computed at once."""


class _Reached(Exception):  # noqa: N818 - it is no error
    """The head has been reached: what it would compute is not needed."""


@dataclass(frozen=True, eq=False)
class Positions:
    """Places in texts, each with the state the head turns into the next token's logits.

    Attributes:
        hidden: The states, ``float32[n, width]``, where the model is.
        following: The ids that come next, ``int64[n]``.
        owners: The number of the text that each is from, ``int64[n]``.
    """

    hidden: torch.Tensor
    following: torch.Tensor
    owners: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.owners)

    def where(self, chosen: NDArray[np.bool_]) -> "Positions":
        """Return some of them, by a mask."""
        mask = torch.from_numpy(chosen).to(self.hidden.device)
        return Positions(self.hidden[mask], self.following[mask], self.owners[chosen])

    def chunks(self, width: int) -> Iterator[slice]:
        """Divide them into parts of which `width` numbers per position can be computed."""
        step = max(_LOGITS // width, 1)
        for start in range(0, len(self), step):
            yield slice(start, start + step)


def collect(
    model: HFModel, segments: Sequence[bytes], most: int, progress: Progress = silent
) -> Positions:
    """Run texts through a model, up to its head.

    Args:
        model: The model.
        segments: Texts; those are left out that are not needed any more.
        most: About how many positions are wanted.
        progress: Told ``("hidden states", positions done, positions)``.

    Raises:
        ModelError: If nothing is to be had: no text, or a model that does not use its head.
    """
    lead = len(model.start)
    encoded = model.tokenizer.encode_batch(segments, parse_specials=False)
    lengths = np.array([len(ids) for ids in encoded], dtype=np.int64)
    lengths = lengths[: int(np.searchsorted(np.cumsum(lengths), most)) + 1]
    total = int(lengths.sum())
    states: list[torch.Tensor] = []
    following: list[NDArray[np.int32]] = []
    done = 0
    for part in _batches(lengths, lead):
        found = _states(model, [encoded[number] for number in part])
        for number, own in zip(part, found, strict=True):
            states.append(own[lead - 1 : lead - 1 + lengths[number]])
            following.append(encoded[number])
        done += int(lengths[part].sum())
        progress("hidden states", done, total)
    if not states:
        raise ModelError(f"{model.name}: there is no text to run it on")
    hidden = torch.cat(states)
    ids = torch.from_numpy(np.concatenate(following).astype(np.int64)).to(hidden.device)
    return Positions(hidden, ids, np.repeat(np.arange(len(lengths)), lengths))


def _batches(lengths: NDArray[np.int64], lead: int) -> Iterator[list[int]]:
    """Put texts together until there are tokens enough."""
    batch: list[int] = []
    longest = 0
    for number, length in enumerate(lengths.tolist()):
        longest = max(longest, length + lead)
        if batch and (len(batch) + 1) * longest > _BATCH:
            yield batch
            batch, longest = [], length + lead
        batch.append(number)
    if batch:
        yield batch


def _states(model: HFModel, batch: Sequence[NDArray[np.int32]]) -> torch.Tensor:
    """Return what the head is given for some texts, ``float32[texts, longest, width]``."""
    width = len(model.start) + max(len(ids) for ids in batch) - 1
    rows = np.zeros((len(batch), width), dtype=np.int64)
    for row, ids in zip(rows, batch, strict=True):
        row[: len(model.start) + len(ids) - 1] = [*model.start, *ids[:-1]]
    return states_of(model, torch.from_numpy(rows))


@torch.inference_mode()
def states_of(model: HFModel, ids: torch.Tensor) -> torch.Tensor:
    """Run a model up to its head.

    Args:
        model: The model.
        ids: Whole sequences, ``int64[n, length]``.

    Returns:
        What the head is given, ``float32[n, length, width]``, where the model is.

    Raises:
        ModelError: If the model does not use its head.
    """
    found: list[torch.Tensor] = []

    def stop(module: Any, inputs: tuple[torch.Tensor, ...]) -> None:
        found.append(inputs[0].detach().float())
        raise _Reached

    hook = model.model.get_output_embeddings().register_forward_pre_hook(stop)
    try:
        logits_of(model, ids)
    except _Reached:
        return found[0]
    finally:
        hook.remove()
    raise ModelError(f"{model.name}: it does not use its output embeddings")


@torch.inference_mode()
def logits_of(model: HFModel, ids: torch.Tensor) -> torch.Tensor:
    """Return the logits of whole sequences, ``[n, length, ids]``."""
    ids = ids.to(model.model.get_input_embeddings().weight.device)
    output = model.model(input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=False)
    logits: torch.Tensor = output.logits
    return logits
