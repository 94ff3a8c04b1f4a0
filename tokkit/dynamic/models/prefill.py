"""Decoders that read a merged batch, and go on in tokens of their own vocabulary."""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from tokkit.dynamic.merging import Merged
from tokkit.dynamic.models.rows import NewRows
from tokkit.dynamic.models.running import Extended, Side, pad
from tokkit.errors import ModelError
from tokkit.lm.hf import HFModel


@dataclass(frozen=True, eq=False)
class Prefilled:
    """What a model has read, and what it expects next.

    Attributes:
        logits: Of the next token after each sequence, over the model's own vocabulary,
            ``[b, vocabulary]``.
        hidden: What its head was given for them, ``[b, hidden]``.
        past_key_values: The cache that `go_on` goes on from, and adds to.
        mask: Which places of the cache hold a token, ``int64[b, n]``.
    """

    logits: torch.Tensor
    hidden: torch.Tensor
    past_key_values: Any
    mask: torch.Tensor


def prefill(model: HFModel, merged: Merged, rows: NewRows, *, side: Side = "left") -> Prefilled:
    """Read the sequences of a merged batch, each after the model's start.

    Args:
        model: The model.
        merged: The batch.
        rows: The rows of its new tokens, as a `TokenRows` makes them.
        side: Where shorter sequences are padded.

    Raises:
        ModelError: If a sequence is longer than the context, or the model keeps no cache.
    """
    extended = Extended(model.model, merged.base, rows)
    padded = pad(merged.sequences, start=model.start, side=side, device=extended.device)
    _check(model, padded.ids.shape[1])
    return _read(model.model, extended.embed(padded.ids), padded.mask, padded.mask, None)


def go_on(
    model: HFModel, before: Prefilled, ids: torch.Tensor, extended: Extended | None = None
) -> Prefilled:
    """Read on from what was read.

    Args:
        model: The model.
        before: What was read; its cache is added to.
        ids: As many tokens for each sequence, ``int64[b, n]``.
        extended: Knows the new ones among them; None: there are none.

    Raises:
        ModelError: If a sequence becomes longer than the context.
    """
    embed = model.model.get_input_embeddings() if extended is None else extended.embed
    fresh = torch.ones_like(ids)
    mask = torch.cat([before.mask, fresh], dim=1)
    _check(model, int(mask.sum(dim=1).max()))
    return _read(model.model, embed(ids), fresh, mask, before.past_key_values)


def _check(model: HFModel, longest: int) -> None:
    """Refuse sequences that the model has no context for."""
    if model.context is not None and longest > model.context:
        raise ModelError(
            f"{model.name}: a sequence of {longest} tokens is longer than the context of "
            f"{model.context}: cut the text into shorter ones"
        )


@torch.inference_mode()
def _read(
    model: Any, embeds: torch.Tensor, fresh: torch.Tensor, mask: torch.Tensor, cache: Any
) -> Prefilled:
    """Run a decoder once over the new places of a cache."""
    width = fresh.shape[1]
    positions = (mask.cumsum(dim=1) - 1).clamp(min=0)[:, -width:]
    inputs = {"position_ids": positions} if _takes(model, "position_ids") else {}
    with _seen_by_head(model) as seen:
        output = model(
            inputs_embeds=embeds,
            attention_mask=mask,
            past_key_values=cache,
            use_cache=True,
            **inputs,
        )
    kept = getattr(output, "past_key_values", None)
    if kept is None:
        raise ModelError(
            f"{type(model).__name__} keeps no keys and values to go on from: take a model with "
            "attention"
        )
    last = _last(fresh)
    rows = torch.arange(len(last), device=last.device)
    return Prefilled(output.logits[rows, last], seen[0][rows, last], kept, mask)


def _last(mask: torch.Tensor) -> torch.Tensor:
    """Return where the last token of each row is, ``int64[b]``."""
    return mask.shape[1] - 1 - mask.flip(1).argmax(dim=1)


def _takes(model: Any, name: str) -> bool:
    """Tell whether a model can be told something."""
    return name in inspect.signature(model.forward).parameters


@contextmanager
def _seen_by_head(model: Any) -> Iterator[list[torch.Tensor]]:
    """Give a list that gets what the head of a model is given."""
    seen: list[torch.Tensor] = []

    def note(module: Any, arguments: Any) -> None:
        seen.append(arguments[0])

    handle = model.get_output_embeddings().register_forward_pre_hook(note)
    try:
        yield seen
    finally:
        handle.remove()
