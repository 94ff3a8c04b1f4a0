"""What merging costs a model, on the texts of one batch."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tokkit.dynamic.boundaries import Boundary
from tokkit.dynamic.measures.level import Level
from tokkit.dynamic.merging import Merged
from tokkit.dynamic.models.rows import TokenRows
from tokkit.dynamic.models.running import Extended, pad
from tokkit.errors import ModelError
from tokkit.kernels._jit import Ids
from tokkit.lm.hf import HFModel
from tokkit.lm.score import batches, token_costs, tokens_at_once

Floats = NDArray[np.float64]
TOKENS, BITS, PREFIX, HALF_BITS, DIVERGENCE, SAME, FIRST_DIVERGENCE, FIRST_SAME = range(8)
"""What is measured of each text; see `Measured`."""
_MEASURES = 8


@dataclass(frozen=True, eq=False)
class Measured:
    """What was found on one batch.

    Attributes:
        sizes: Bytes, tokens of the vocabulary, tokens of the first half, tokens and bytes of
            the second half of each text, ``int64[texts, 5]``.
        values: By level, text and measure, ``float64[levels, texts, 8]``: the tokens that the
            text becomes and their bits; the tokens that its first half becomes; the bits of its
            second half after that; summed over its tokens, the divergence in bits of what was
            expected of the model from what it expects, and how often the likeliest token is the
            same; both of these for the first token of the second half alone.
        merges: Merges of the batch at each level, ``int64[levels]``.
        new: New tokens, ``int64[levels]``.
        fallbacks: Of these, those whose rows could not be made as asked, ``int64[levels]``.
    """

    sizes: NDArray[np.int64]
    values: Floats
    merges: NDArray[np.int64]
    new: NDArray[np.int64]
    fallbacks: NDArray[np.int64]

    def as_json(self) -> dict[str, Any]:
        """Everything, as JSON."""
        return {name: value.tolist() for name, value in vars(self).items()}

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> "Measured":
        """Read what `as_json` wrote; the same to the last bit."""
        values = np.array(told["values"], dtype=np.float64)
        names = ("sizes", "merges", "new", "fallbacks")
        sizes, *counts = (np.array(told[name], dtype=np.int64) for name in names)
        return cls(sizes, values, *counts)


def measure_batch(
    model: HFModel,
    maker: TokenRows,
    texts: Sequence[bytes],
    levels: Sequence[Level],
    boundary: Boundary,
) -> Measured:
    """Measure a model on texts that share their merges.

    Args:
        model: The model.
        maker: Makes the rows of new tokens.
        texts: What it reads, of two tokens at least, and no longer than its context.
        levels: How far to merge; the first one not at all.
        boundary: What merges stay within.
    """
    ids = model.tokenizer.encode_batch(texts, parse_specials=False)
    wholes = [
        _Batch.of(model, maker, level.merge(model.tokenizer, ids, boundary)) for level in levels
    ]
    halves = [own[: len(own) // 2] for own in ids], [own[len(own) // 2 :] for own in ids]
    starts = [
        _Batch.of(model, maker, level.merge(model.tokenizer, halves[0], boundary))
        for level in levels
    ]
    values = np.zeros((len(levels), len(texts), _MEASURES))
    for place, whole in enumerate(wholes):
        values[place, :, TOKENS] = whole.lengths
        values[place, :, BITS] = whole.bits(model)
        values[place, :, PREFIX] = starts[place].lengths
    values[:, :, HALF_BITS:] = _go_on(model, starts, halves[1])
    spelled = model.tokenizer.vocab.tokens
    sizes = [
        (len(text), *map(len, (own, first, rest)), sum(len(spelled[i]) for i in rest.tolist()))
        for text, own, first, rest in zip(texts, ids, *halves, strict=True)
    ]
    return Measured(
        np.array(sizes, dtype=np.int64),
        values,
        np.array([len(each.merged.merges) for each in wholes]),
        np.array([len(each.merged.tokens) for each in wholes]),
        np.array([each.extended.rows.fallbacks for each in wholes]),
    )


@dataclass(frozen=True, eq=False)
class _Batch:
    """A merged batch and the model that reads it."""

    merged: Merged
    extended: Extended

    @classmethod
    def of(cls, model: HFModel, maker: TokenRows, merged: Merged) -> "_Batch":
        rows = maker.rows(merged.tokens, merged.parts)
        return cls(merged, Extended(model.model, merged.base, rows))

    @property
    def lengths(self) -> list[int]:
        """Tokens of each sequence."""
        return [len(own) for own in self.merged.sequences]

    @torch.inference_mode()
    def bits(self, model: HFModel) -> Floats:
        """Return what each sequence costs in its own tokens, ``float64[texts]``."""
        sequences = self.merged.sequences
        found = np.zeros(len(sequences))
        for places in batches(sequences, len(model.start), tokens_at_once(model)):
            chunk = [sequences[place] for place in places]
            logits = self.extended.predict(**_inputs(model, self.extended, chunk))
            flat, owners = _aligned(logits, [0] * len(chunk), chunk, len(model.start))
            targets = torch.from_numpy(np.concatenate(chunk).astype(np.int64))
            costs = token_costs(flat, self.extended.columns(targets).numpy(), model.name)
            found[places] = np.bincount(owners, costs, minlength=len(chunk)) / log(2)
        return found


def _inputs(model: HFModel, extended: Extended, chunk: Sequence[Ids]) -> dict[str, Any]:
    """Return what a model is given to expect every token of some sequences."""
    padded = pad([own[:-1] for own in chunk], start=model.start, device=extended.device)
    # What pads a row is behind all that is asked for, which does not see it.
    return {
        "inputs_embeds": extended.embed(padded.ids),
        "attention_mask": torch.ones_like(padded.mask),
        "use_cache": False,
    }


def _aligned(
    logits: torch.Tensor, skipped: Sequence[int], wanted: Sequence[Ids], lead: int
) -> tuple[torch.Tensor, NDArray[np.int64]]:
    """Take the logits of the tokens that are wanted.

    Args:
        logits: Of a batch, ``[b, n, v]``.
        skipped: How many tokens of each sequence are before these.
        wanted: The tokens of each.
        lead: How many tokens are before every sequence.

    Returns:
        The logits, ``[tokens, v]``, and which sequence each is of.
    """
    counts = np.array([len(own) for own in wanted])
    owners = np.repeat(np.arange(len(counts)), counts)
    ends = np.cumsum(counts)
    places = np.arange(owners.size) - (ends - counts - np.array(skipped))[owners] + lead - 1
    index = torch.from_numpy(np.stack([owners, places])).to(logits.device)
    return logits[index[0], index[1]], owners


@torch.inference_mode()
def _go_on(model: HFModel, starts: Sequence[_Batch], rests: Sequence[Ids]) -> Floats:
    """Measure second halves after first halves, merged or not.

    Returns:
        ``float64[levels, texts, 5]``: the measures from `HALF_BITS` on.
    """
    found = np.zeros((len(starts), len(rests), _MEASURES - HALF_BITS))
    wholes = [np.append(*each) for each in zip(starts[0].merged.sequences, rests, strict=True)]
    for places in batches(wholes, len(model.start), tokens_at_once(model)):
        chunk = [rests[place] for place in places]
        targets = np.concatenate(chunk).astype(np.int64)
        expected: torch.Tensor | None = None
        for number, start in enumerate(starts):
            before = [start.merged.sequences[place] for place in places]
            rows, owners = _after(model, start.extended, before, chunk)
            expected = rows if expected is None else expected
            found[number, places] = _compare(rows, expected, targets, owners)
    return found


def _after(
    model: HFModel, extended: Extended, before: Sequence[Ids], rest: Sequence[Ids]
) -> tuple[torch.Tensor, NDArray[np.int64]]:
    """Return log probabilities of the tokens of second halves, over the model's vocabulary."""
    chunk = [np.append(*each) for each in zip(before, rest, strict=True)]
    logits = model.model(**_inputs(model, extended, chunk)).logits
    flat, owners = _aligned(logits, [len(own) for own in before], rest, len(model.start))
    rows = torch.log_softmax(flat if flat.dtype == torch.float64 else flat.float(), dim=-1)
    if not torch.isfinite(rows.amax(dim=-1)).all():
        raise ModelError(
            f"{model.name}: the model gives logits that are not numbers: its weights are "
            "damaged, or overflow in this dtype: try float32 (--dtype)"
        )
    return rows, owners


def _compare(
    rows: torch.Tensor,
    expected: torch.Tensor,
    targets: NDArray[np.int64],
    owners: NDArray[np.int64],
) -> Floats:
    """Add up, for each text, what `_go_on` returns.

    Args:
        rows: Log probabilities after a merged first half, ``[tokens, v]``.
        expected: The same after an unmerged one.
        targets: What came, ``int64[tokens]``.
        owners: Which text each is of, ascending.
    """
    came = torch.from_numpy(targets).to(rows.device)[:, None]
    own = rows.double().gather(1, came)[:, 0]
    # Where something is impossible both times it does not count.
    apart = torch.nan_to_num(expected.exp() * (expected - rows), nan=0.0).double().sum(dim=-1)
    same = (rows.argmax(dim=-1) == expected.argmax(dim=-1)).double()
    first = np.diff(owners, prepend=-1) > 0
    columns = [-own.cpu().numpy() / log(2), apart.cpu().numpy() / log(2), same.cpu().numpy()]
    columns += [np.where(first, column, 0.0) for column in columns[1:]]
    return np.stack([np.bincount(owners, column) for column in columns], axis=1)
