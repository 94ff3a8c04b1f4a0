"""Bits per byte of text under a model, the text segmented as its tokenizer does.

That is the code length of one sequence of tokens of several that spell a text, so it bounds
the text's own from above; `tokkit.byteprobs` computes that one. What is compared between models
with different tokenizers has to be cut into the same bytes, each after the same start:
`segments` cuts without asking a tokenizer.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log

import numpy as np
import torch
from numpy.typing import NDArray

from tokkit.errors import ModelError
from tokkit.lm.hf import HFModel
from tokkit.progress import Progress, silent

Nats = NDArray[np.float64]
Counts = NDArray[np.int64]
SIZE = 1024
"""How many bytes a segment has at most, if nothing else is asked for."""
_LOGITS, _DEVICE_LOGITS = 1 << 23, 1 << 27
"""How many logits a forward pass may give, on a processor and elsewhere."""
_FEWEST, _MOST = 256, 8192
"""How many tokens it takes at least and at most."""


@dataclass(frozen=True, eq=False)
class Scores:
    """What segments cost under a model.

    Attributes:
        nats: ``-ln P(tokens | start)`` of each segment, ``float64[n]``.
        tokens: How many tokens it has, ``int64[n]``.
        sizes: How many bytes, ``int64[n]``.
        ids: The tokens of all segments in a row, ``int32[sum of tokens]``.
        token_nats: What each of them costs, ``float64[sum of tokens]``.
        altered: How many segments the tokenizer rewrites, so that its tokens spell other
            bytes; bits per byte then do not compare with another tokenizer's.
    """

    nats: Nats
    tokens: Counts
    sizes: Counts
    ids: NDArray[np.int32]
    token_nats: Nats
    altered: int

    @property
    def bits_per_byte(self) -> float:
        """All bits divided by all bytes; not a number if there are none."""
        size = int(self.sizes.sum())
        return float(self.nats.sum()) / log(2) / size if size else float("nan")


def segments(documents: Iterable[bytes], size: int = SIZE) -> list[bytes]:
    r"""Cut documents into segments of at most `size` bytes, none of them empty.

    A cut is behind the last line break in the second half of what fits, or else before the
    last space there, or else between two characters.

    Example:
        >>> segments([b"one two\nthree four"], size=12)
        [b'one two\n', b'three four']

    Raises:
        ValueError: If `size` is less than 4, which may not hold a character.
    """
    if size < 4:
        raise ValueError(f"segments of {size} bytes may not hold a character")
    return [part for document in documents for part in _cut(document, size)]


def _cut(document: bytes, size: int) -> Iterator[bytes]:
    start = 0
    while len(document) - start > size:
        end = start + size
        middle = start + size // 2
        line = document.rfind(b"\n", middle, end) + 1
        # A token rarely has a space inside or at its end, and often at its beginning.
        space = document.rfind(b" ", middle, end)
        if line > 0:
            end = line
        elif space > start:
            end = space
        else:
            end = _character(document, start, end)
        yield document[start:end]
        start = end
    if start < len(document):
        yield document[start:]


def _character(document: bytes, start: int, end: int) -> int:
    """Return the last place up to `end` where a character begins; `end` if there is none."""
    for place in range(end, max(start, end - 4), -1):
        if document[place] & 0xC0 != 0x80:
            return place
    return end


def fitting_segments(
    documents: Sequence[bytes], models: Sequence[HFModel], size: int = SIZE
) -> list[bytes]:
    """Cut documents into segments that all of these models have the context for.

    They have `size` bytes or the half, a quarter and so on: the same for every model.

    Raises:
        ModelError: If a context holds not even a character.
    """
    while True:
        parts = segments(documents, size)
        tight = next((model for model in models if not _fits(model, parts)), None)
        if tight is None:
            return parts
        if size < 8:
            raise ModelError(
                f"{tight.name}: its context of {tight.context} tokens holds no segment: take "
                "another model"
            )
        size //= 2


def _fits(model: HFModel, parts: Sequence[bytes]) -> bool:
    """Whether the context holds every segment; the last token needs no place."""
    if model.context is None:
        return True
    most = model.context - len(model.start) + 1
    encoded = model.tokenizer.encode_batch(parts, parse_specials=False)
    return max(map(len, encoded), default=0) <= most


def score(
    model: HFModel,
    segments: Sequence[bytes],
    *,
    batch_tokens: int | None = None,
    progress: Progress = silent,
) -> Scores:
    """Compute what segments cost, each by itself after the model's start.

    Args:
        model: Torch model and tokenizer; special tokens written in a text are text.
        segments: Texts, such as `segments` cuts them.
        batch_tokens: How many tokens a forward pass takes, padding included, if that is more
            than a segment's; None: as many as give no more logits than fit the caches of a
            processor, or the memory of a GPU.
        progress: Told ``("scoring", segments done, segments)``.

    Returns:
        The costs, in the order of the segments. ``sum(nats) / ln 2 / sum(sizes)`` is bits per
        byte.

    Raises:
        ModelError: If a segment is longer than the context, or a logit is not a number.
    """
    encoded = model.tokenizer.encode_batch(segments, parse_specials=False)
    _check(model, encoded)
    costs: list[Nats] = [np.zeros(0)] * len(segments)
    done = 0
    progress("scoring", 0, len(segments))
    most = tokens_at_once(model) if batch_tokens is None else batch_tokens
    for batch in batches(encoded, len(model.start), most):
        found = _run(model, [encoded[place] for place in batch])
        for place, own in zip(batch, found, strict=True):
            costs[place] = own
        done += len(batch)
        progress("scoring", done, len(segments))
    decode = model.tokenizer.decode
    return Scores(
        np.array([own.sum() for own in costs], dtype=np.float64),
        np.array([len(ids) for ids in encoded], dtype=np.int64),
        np.array([len(part) for part in segments], dtype=np.int64),
        np.concatenate([np.zeros(0, dtype=np.int32), *encoded]),
        np.concatenate([np.zeros(0), *costs]),
        sum(decode(ids) != part for ids, part in zip(encoded, segments, strict=True)),
    )


def tokens_at_once(model: HFModel) -> int:
    """Return how many tokens to run at once: each gives a row of logits, which are large."""
    is_cpu = model.model.get_input_embeddings().weight.device.type == "cpu"
    logits = _LOGITS if is_cpu else _DEVICE_LOGITS
    return min(max(logits // model.vocab_size, _FEWEST), _MOST)


def _check(model: HFModel, encoded: Sequence[NDArray[np.int32]]) -> None:
    """Refuse segments that the model has no context for."""
    longest = max(map(len, encoded), default=0) + len(model.start) - 1
    if model.context is not None and longest > model.context:
        raise ModelError(
            f"{model.name}: a segment of {longest} tokens is longer than the context of "
            f"{model.context}: cut the text into smaller segments"
        )


def batches(encoded: Sequence[NDArray[np.int32]], lead: int, most: int) -> Iterator[list[int]]:
    """Put segments of like length together, the longest first; those without tokens in none."""
    order = sorted(range(len(encoded)), key=lambda place: -len(encoded[place]))
    order = [place for place in order if len(encoded[place])]
    start = 0
    while start < len(order):
        width = lead + len(encoded[order[start]]) - 1
        end = start + max(most // width, 1)
        yield order[start:end]
        start = end


@torch.inference_mode()
def _run(model: HFModel, batch: Sequence[NDArray[np.int32]]) -> list[Nats]:
    """Return what each token of each sequence costs."""
    lead = len(model.start)
    lengths = np.array([len(ids) for ids in batch])
    rows = np.zeros((len(batch), lead + int(lengths.max()) - 1), dtype=np.int64)
    for row, ids in zip(rows, batch, strict=True):
        # What pads a row is behind all that is asked for, which does not see it.
        row[: lead + len(ids) - 1] = [*model.start, *ids[:-1]]
    device = model.model.get_input_embeddings().weight.device
    # Some models warn where ids may be padding and there is no mask.
    mask = torch.ones(rows.shape, dtype=torch.int64, device=device)
    inputs = torch.from_numpy(rows).to(device)
    output = model.model(input_ids=inputs, attention_mask=mask, use_cache=False)
    inside = np.arange(int(lengths.max())) < lengths[:, None]
    logits = output.logits[:, lead - 1 :][torch.from_numpy(inside).to(device)]
    flat = token_costs(logits, np.concatenate(batch), model.name)
    return [flat[start:end] for start, end in pairwise([0, *np.cumsum(lengths).tolist()])]


def token_costs(logits: torch.Tensor, ids: NDArray[np.int32], name: str) -> Nats:
    """Return what ``ids: int32[n]`` cost by ``logits: [n, vocab_size]``, ``float64[n]``."""
    if logits.dtype != torch.float64:
        logits = logits.float()
    targets = torch.from_numpy(ids.astype(np.int64)).to(logits.device)
    costs = torch.nn.functional.cross_entropy(logits, targets, reduction="none")
    if not torch.isfinite(costs).all():
        raise ModelError(
            f"{name}: the model gives a token no probability, or one that is not a number: its "
            "weights are damaged, or overflow in this dtype: try float32 (--dtype)"
        )
    flat: Nats = costs.double().cpu().numpy()
    return flat
