"""Which models can be run as trees: told by their type, or found out on a small tree."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from tokkit.errors import ModelError
from tokkit.lm.hf_run import Runner
from tokkit.lm.hf_tree import HFTree
from tokkit.lm.model import Logprobs, Usage

KNOWN = frozenset(
    ("gemma", "gpt2", "gpt_neox", "llama", "mistral", "olmo", "olmo2", "phi", "qwen2", "qwen3")
)
"""Model types whose attention takes any mask and any positions: not worth finding out."""
_UNIFORM = frozenset(["mistral", "mixtral", "phi3", "starcoder2"])
"""Model types whose one sliding window is that of every layer."""
_TOLERANCE = {torch.float64: 1e-5, torch.float32: 1e-4}
"""How far log probabilities may be apart; the norms of many models work in ``float32``."""
_LONGEST = 24
"""How long a window may be for that it is tried what lies behind it."""

Windows = Mapping[str, int | None]


@dataclass(frozen=True)
class Verdict:
    """How a model is to be run.

    Attributes:
        trees: Whether trees can be run as they are, or whole prefixes have to be.
        windows: See `Runner`.
        limit: The most slots for which a tree can be run; None: any number.
    """

    trees: bool
    windows: Windows
    limit: int | None = None


FULL: Windows = {"full_attention": None}


def judge(runner: Runner, ids: Sequence[int], usage: Usage) -> Verdict:
    """Find out how a model is to be run.

    Args:
        runner: Runs it.
        ids: Ids to try it with, a few.
        usage: Where the forward passes for it are counted.

    Raises:
        ModelError: If what the model says of a text depends on what comes after it.
    """
    candidates = list(_candidates(runner.model.config))
    if candidates and _is_known(runner.model) and len(candidates[0].windows) == 1:
        return candidates[0]
    asked, runner.usage = runner.usage, usage
    try:
        shortest = min((w for c in candidates for w in c.windows.values() if w), default=9)
        expected = _expected(runner, ids, min(shortest, _LONGEST) + 3)
        for verdict in candidates:
            if _agrees(runner, ids, verdict, expected):
                return verdict
    finally:
        runner.usage, runner.windows = asked, FULL
    return Verdict(False, FULL)


def _is_known(model: Any) -> bool:
    """Tell whether there is no doubt that a model takes masks, positions and a cache."""
    return (
        model.config.model_type in KNOWN
        and getattr(model.config, "_attn_implementation", None) in ("sdpa", "eager")
        and getattr(model, "_supports_cache_class", True)
    )


def _candidates(config: Any) -> Iterator[Verdict]:
    """Give the ways in which a model may be run as a tree, the best first."""
    text = config.get_text_config()
    window = getattr(text, "sliding_window", None)
    sizes = {
        "full_attention": None,
        "sliding_attention": window,
        "chunked_attention": getattr(text, "attention_chunk_size", None),
    }
    kinds = sorted(set(getattr(text, "layer_types", None) or []))
    if any(kind not in sizes for kind in kinds):
        return
    if not kinds:
        kinds = ["full_attention"]
        if window is not None and getattr(text, "use_sliding_window", True):
            kinds = ["sliding_attention"]
    windows = {kind: sizes[kind] for kind in kinds}
    limited = any(windows.values())
    by_place = "chunked_attention" in kinds
    guessed = not getattr(text, "layer_types", None) and text.model_type not in _UNIFORM
    if not by_place and not (limited and guessed):
        yield Verdict(True, windows)
    if limited:
        shortest = min(size for size in windows.values() if size)
        yield Verdict(True, FULL, limit=shortest)


def _trees(ids: Sequence[int], long: int) -> tuple[HFTree, HFTree]:
    """Make two trees with brothers and cousins, one of them `long`."""
    picks = np.random.default_rng(0).choice(np.array(ids), size=long + 16).tolist()
    first, second = HFTree(tuple(picks[:4])), HFTree(tuple(picks[2:4]))
    node = 0
    for token in picks[4:long]:
        node = first.add(node, token)
    brother = first.add(0, picks[-1])
    first.add(brother, picks[-2])
    second.add(0, picks[-3])
    return first, second


def _grow(trees: tuple[HFTree, HFTree], ids: Sequence[int]) -> None:
    """Go on below both branches of the first tree, which have been run by now."""
    first, second = trees
    brother = len(first.parents) - 2
    first.keep([brother - 1, brother + 1])
    first.add(brother + 1, ids[0])
    first.add(brother - 1, ids[-1])
    second.add(1, ids[0])


def _expected(runner: Runner, ids: Sequence[int], long: int) -> tuple[int, list[Logprobs]]:
    """Run all sequences of the two trees as they are."""
    trees = _trees(ids, long)
    _grow(trees, ids)
    alone = HFTree(trees[0].context)
    *rows, row = runner.run_prefixes([*trees, alone])
    if not _close(runner, [row], [rows[0][:1]]):
        raise ModelError(
            f"{runner.name}: what it says of a text depends on what comes after it: this is "
            "not a causal language model, or runs in training mode"
        )
    return long, rows


def _agrees(
    runner: Runner, ids: Sequence[int], verdict: Verdict, expected: tuple[int, list[Logprobs]]
) -> bool:
    """Tell whether a way to run trees gives the rows that the sequences themselves have."""
    long, rows = expected
    if verdict.limit is not None and verdict.limit < _LONGEST + 32:
        # Too short to be tried for what it may be used for.
        return False
    runner.windows = verdict.windows
    trees = _trees(ids, long)
    try:
        before = runner.run_trees(trees[:1])
        _grow(trees, ids)
        after = runner.run_trees(trees)
    except Exception:
        # Whatever an architecture raises that was not made for this.
        return False
    found = [np.concatenate([before[0], after[0]]), after[1]]
    return _close(runner, found, rows)


def _close(runner: Runner, found: list[Logprobs], expected: list[Logprobs]) -> bool:
    """Tell whether rows are equal but for rounding."""
    tolerance = _TOLERANCE.get(runner.dtype, 0.1)
    return all(
        np.allclose(one, other, rtol=0, atol=tolerance)
        for one, other in zip(found, expected, strict=True)
    )
