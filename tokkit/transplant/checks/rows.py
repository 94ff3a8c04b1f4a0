"""Proving from two folders of weights that one is the other moved onto another tokenizer.

Nothing here looks at a plan: which rows have to be equal follows from the bytes of the tokens,
and every other tensor has to be there unchanged.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tokkit.tokenizer import Tokenizer
from tokkit.transplant.checks.check import Check, Status
from tokkit.weights.checkpoint import Checkpoint
from tokkit.weights.headers import Stored
from tokkit.weights.locate import Embeddings
from tokkit.weights.tensors import read_rows
from tokkit.weights.writing import hash_tensor

_BLOCK = 2048
_SHOWN = 3
_FAR = 6.0
"""Standard deviations from the mean norm of the source's rows that are out of the ordinary."""


@dataclass(frozen=True, eq=False)
class Weights:
    """Two folders of weights and what the ids of each stand for.

    Attributes:
        before: The model.
        after: The same with another tokenizer.
        old: Where the embeddings of the model are.
        new: Where the embeddings of the other are.
        source: The tokenizer of the model.
        target: The other tokenizer.
        made: Target ids whose rows the user had made from others.
    """

    before: Checkpoint
    after: Checkpoint
    old: Embeddings
    new: Embeddings
    source: Tokenizer
    target: Tokenizer
    made: Collection[int] = ()

    def pairs(self) -> Iterator[tuple[str, Stored, Stored]]:
        """Give each tensor that has a row per token: its side, before and after."""
        old, new = self.old, self.new
        yield "input", self.before.tensors[old.input], self.after.tensors[new.input]
        if new.output is not None:
            yield (
                "output",
                self.before.tensors[old.output or old.input],
                self.after.tensors[new.output],
            )
        if old.bias is not None and new.bias is not None:
            yield "bias", self.before.tensors[old.bias], self.after.tensors[new.bias]

    def candidates(self) -> dict[int, list[int]]:
        """Return the source ids with the bytes of each target id that has some."""
        owners: dict[bytes, list[int]] = {}
        rows = self.before.tensors[self.old.input].shape[0]
        for token_id, token in enumerate(self.source.vocab.tokens[:rows]):
            if token:
                owners.setdefault(token, []).append(token_id)
        tokens = self.target.vocab.tokens
        return {
            token_id: owners[token]
            for token_id, token in enumerate(tokens)
            if token in owners and token_id not in self.made
        }


def check_rows(weights: Weights) -> Iterator[Check]:
    """Check every tensor of both folders."""
    yield _check_shared(weights)
    yield _check_body(weights)
    yield from _check_values(weights)


def _check_shared(weights: Weights) -> Check:
    """Rows of tokens whose bytes the source has too are that token's, bit for bit."""
    candidates = weights.candidates()
    ids = list(candidates)
    wrong: list[str] = []
    for side, before, after in weights.pairs():
        for start in range(0, len(ids), _BLOCK):
            block = ids[start : start + _BLOCK]
            bad = _differing(before, after, block, [candidates[token] for token in block])
            wrong += [f"{side} row of {_show(weights.target, token)}" for token in bad]
    if wrong:
        return Check("shared rows", "failed", f"not the source's: {_some(wrong)}")
    return Check("shared rows", "ok", f"{len(ids):,} tokens have the source's rows bit for bit")


def _differing(
    before: Stored, after: Stored, ids: Sequence[int], candidates: Sequence[Sequence[int]]
) -> list[int]:
    """Return the ids whose new row is none of the old rows it may be."""
    new = _bits(read_rows(after, np.array(ids)))
    left = set(range(len(ids)))
    for turn in range(max(map(len, candidates), default=0)):
        asked = [place for place in sorted(left) if len(candidates[place]) > turn]
        if not asked:
            break
        rows = read_rows(before, np.array([candidates[place][turn] for place in asked]))
        old = _bits(_converted(rows, before.dtype, after.dtype))
        equal = (old == new[asked]).all(axis=1)
        left -= {place for place, same in zip(asked, equal.tolist(), strict=True) if same}
    return [ids[place] for place in sorted(left)]


def _bits(rows: NDArray[Any]) -> NDArray[np.uint8]:
    """Return the bytes of each row, ``uint8[n, bytes]``."""
    return np.ascontiguousarray(rows).reshape(len(rows), -1).view(np.uint8)


def _converted(rows: NDArray[Any], old: str, new: str) -> NDArray[Any]:
    """Convert rows as stored to another dtype, with torch."""
    if old == new:
        return rows
    import torch

    kinds = {
        "F64": torch.float64,
        "F32": torch.float32,
        "F16": torch.float16,
        "BF16": torch.bfloat16,
    }
    numbers = torch.from_numpy(_bits(rows)).view(kinds[old]).to(kinds[new])
    found: NDArray[Any] = numbers.view(torch.uint8).numpy()
    return found


def _check_body(weights: Weights) -> Check:
    """All other tensors are there, and have the SHA-256 they had."""
    old, new = weights.before.tensors, weights.after.tensors
    moved = {name for _, before, after in weights.pairs() for name in (before.name, after.name)}
    moved |= {*weights.old.twins, *weights.new.twins}
    missing = sorted(old.keys() - new.keys() - moved)
    extra = sorted(new.keys() - old.keys() - moved)
    if missing or extra:
        return Check(
            "other weights", "failed", f"missing or too many: {_some(missing + extra)}"
        )
    body = sorted(old.keys() - moved)
    changed = [name for name in body if hash_tensor(old[name]) != hash_tensor(new[name])]
    if changed:
        return Check("other weights", "failed", f"not what they were: {_some(changed)}")
    return Check("other weights", "ok", f"{len(body):,} tensors have the SHA-256 they had")


def _check_values(weights: Weights) -> Iterator[Check]:
    """No row is NaN or infinite, none that a text can reach is zero; norms are told."""
    shared = weights.candidates().keys()
    tokens = weights.target.vocab.tokens
    new = [i for i, token in enumerate(tokens) if token and i not in shared]
    broken: list[str] = []
    zero: list[str] = []
    far: list[str] = []
    for side, before, after in weights.pairs():
        norms, good = _norms(after)
        broken += [f"{side} row {row}" for row in np.flatnonzero(~good).tolist()]
        if side == "bias":
            continue
        zero += [f"{side} row of {_show(weights.target, i)}" for i in new if not norms[i]]
        usual, _ = _norms(before)
        usual = usual[usual > 0]
        spread = max(float(usual.std()), 1e-12) if usual.size else 1.0
        centre = float(usual.mean()) if usual.size else 0.0
        outside = [i for i in new if abs(norms[i] - centre) > _FAR * spread]
        far += [f"{side} row of {_show(weights.target, i)}" for i in outside]
    state: Status = "failed" if broken else "ok"
    yield Check("finite rows", state, _some(broken) if broken else "none is NaN or infinite")
    state = "failed" if zero else "ok"
    detail = f"zero though a text can have it: {_some(zero)}" if zero else "none is zero"
    yield Check("rows of text", state, detail)
    state = "warning" if far else "ok"
    detail = f"more than {_FAR:.0f} standard deviations off: {_some(far)}" if far else "usual"
    yield Check("norms of new rows", state, detail)


def _norms(stored: Stored) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the norm of each row, and whether it is finite."""
    norms: list[NDArray[np.float64]] = [np.zeros(0)]
    good: list[NDArray[np.bool_]] = [np.zeros(0, dtype=bool)]
    for start in range(0, stored.shape[0], _BLOCK):
        ids = np.arange(start, min(start + _BLOCK, stored.shape[0]))
        raw = read_rows(stored, ids).reshape(len(ids), -1)
        rows = (raw.astype(np.uint32) << 16).view(np.float32) if stored.dtype == "BF16" else raw
        values = rows.astype(np.float64)
        good.append(np.asarray(np.isfinite(values).all(axis=1)))
        finite = np.nan_to_num(values, posinf=0, neginf=0)
        norms.append(np.sqrt(np.square(finite).sum(axis=1)))
    return np.concatenate(norms), np.concatenate(good)


def _show(tokenizer: Tokenizer, token: int) -> str:
    return f"{tokenizer.vocab.tokens[token].decode('utf-8', 'backslashreplace')!r} ({token})"


def _some(names: Sequence[str]) -> str:
    """List a few of several names, and how many there are."""
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
