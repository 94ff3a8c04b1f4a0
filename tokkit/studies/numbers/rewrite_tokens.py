"""Which groups of digits are tokens, and tokens for those that are none."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, cast

import numpy as np

from tokkit.errors import UsageError
from tokkit.formats.huggingface_model import model_kind, model_tokens
from tokkit.pretokenize import Pieces
from tokkit.tokenizer import Tokenizer
from tokkit.vocab import flatten

MOST_ADDED = 4
"""Digits of the longest groups that tokens can be added for: 11,110 in all."""
_LEAD = 1e-4
"""By how much, in nats, a piece is preferred: little, yet told apart in single precision."""
_DIGITS = frozenset(b"0123456789")
_SPELLINGS: Mapping[str, str] = {r"\s": " ", "[ ]": " "}


@dataclass(frozen=True)
class Coverage:
    """How many groups of some length are one token when they are cut off from everything.

    Attributes:
        digits: Digits of the groups.
        tokens: How many are one token.
        spaced: How many are one token with the space before them; None where a space never
            goes with a number.
    """

    digits: int
    tokens: int
    spaced: int | None

    @property
    def of(self) -> int:
        """How many groups there are."""
        return cast("int", 10**self.digits)

    def as_json(self) -> dict[str, Any]:
        """All of it, as JSON."""
        said: dict[str, Any] = {"digits": self.digits, "tokens": self.tokens, "of": self.of}
        said["share"] = self.tokens / self.of
        return said if self.spaced is None else {**said, "spaced": self.spaced}


def find_coverage(tokenizer: Tokenizer, size: int, before: str) -> list[Coverage]:
    """Count the groups of each length that are one token.

    A token of its vocabulary counts if merging, or the best segmentation, arrives at it.

    Args:
        tokenizer: What cuts numbers into groups.
        size: Digits of the longest groups.
        before: What may go with a group, as in its pattern.

    Returns:
        One for each length from 1 to `size`.
    """
    plain = _lengths(tokenizer, size, "")
    spaced = _lengths(tokenizer, size, _SPELLINGS.get(before, before)) if before else None
    return [
        Coverage(digits, plain[digits], None if spaced is None else spaced[digits])
        for digits in range(1, size + 1)
    ]


def has_spaced_digits(tokenizer: Tokenizer) -> bool:
    """Say whether some token is a space with digits behind it."""
    return any(
        token.startswith(b" ") and len(token) > 1 and _DIGITS.issuperset(token[1:])
        for token in tokenizer.vocab.tokens
    )


def _lengths(tokenizer: Tokenizer, size: int, before: str) -> list[int]:
    """Count the one-token groups by their length, with `before` in front of each."""
    found = {
        token.lstrip(b" ")
        for token in tokenizer.vocab.tokens
        if 1 <= len(token.lstrip(b" ")) <= size and _DIGITS.issuperset(token.lstrip(b" "))
    }
    reached = _reached(tokenizer, sorted(found), before)
    lengths = [len(group) for group in reached]
    return [lengths.count(length) for length in range(size + 1)]


def _reached(tokenizer: Tokenizer, groups: list[bytes], before: str) -> list[bytes]:
    """Keep the groups that are one token as a piece of their own."""
    pieces = Pieces(*flatten([before.encode() + group for group in groups]))
    _, ends = tokenizer.segmenter.segment(pieces)
    single = np.diff(ends, prepend=0) == 1
    return [group for group, is_one in zip(groups, single.tolist(), strict=True) if is_one]


def add_groups(content: Mapping[str, Any], tokenizer: Tokenizer, size: int) -> dict[str, Any]:
    """Add a token for each group of at most `size` digits that is none, behind all others.

    Merges that build them come last, so that they change nothing that another merge reaches;
    and numbers are all they can change, as numbers are cut off from everything else.

    Args:
        content: The ``tokenizer.json``.
        tokenizer: What it says.
        size: Digits of the longest groups.

    Returns:
        The new ``tokenizer.json``.

    Raises:
        UsageError: If there would be too many, or the model's vocabulary has gaps.
    """
    if size > MOST_ADDED:
        raise UsageError(
            f"tokens cannot be added for groups of {size} digits, {10**size:,} of them: "
            f"ask for at most {MOST_ADDED}"
        )
    every = [group for length in range(1, size + 1) for group in _all_groups(length)]
    reached = set(_reached(tokenizer, [group.encode() for group in every], ""))
    model = content["model"]
    # A digit may be one token for being the byte it is.
    known = model_tokens(model)
    missing = [group for group in every if group not in known or group.encode() not in reached]
    add = _add_to_list if model_kind(model) == "Unigram" else _add_to_bpe
    return {**content, "model": add(model, tokenizer, missing)}


def _all_groups(length: int) -> Iterator[str]:
    return map("".join, product("0123456789", repeat=length))


def _add_to_bpe(
    model: Mapping[str, Any], tokenizer: Tokenizer, missing: Iterable[str]
) -> dict[str, Any]:
    """Give groups ids and merges, whichever way their last two parts come about."""
    # The library numbers added tokens that are not in the vocabulary from its size on.
    vocab = dict(model["vocab"])
    vocab |= {added.content: added.token_id for added in tokenizer.added.tokens}
    merges = list(model["merges"])
    is_text = bool(merges) and isinstance(merges[0], str)
    following = len(tokenizer.vocab)
    for group in missing:
        if group not in vocab:
            vocab[group] = following
            following += 1
        pairs = [[group[:cut], group[cut:]] for cut in range(1, len(group))]
        merges += [" ".join(pair) for pair in pairs] if is_text else pairs
    return {**model, "vocab": vocab, "merges": merges}


def _add_to_list(
    model: Mapping[str, Any], tokenizer: Tokenizer, missing: Iterable[str]
) -> dict[str, Any]:
    """Put groups behind a list of pieces, with scores that let them win, and nothing else."""
    vocab = [list(entry) for entry in model["vocab"]]
    scores = _winning_scores({str(entry[0]): entry[1] for entry in vocab}, missing)
    places = {entry[0]: number for number, entry in enumerate(vocab)}
    for added in sorted(tokenizer.added.tokens, key=lambda added: added.token_id):
        if added.content not in places:
            places[added.content] = len(vocab)
            vocab.append([added.content, 0.0])
        if places[added.content] != added.token_id:
            raise UsageError(
                f"tokens cannot be added: there are no tokens before {added.content!r}, which "
                f"is {added.token_id}"
            )
    for group, score in scores.items():
        if group in places:
            vocab[places[group]][1] = score
        else:
            vocab.append([group, score])
    return {**model, "vocab": vocab}


def _winning_scores(scores: Mapping[str, float], missing: Iterable[str]) -> dict[str, float]:
    """Give each group a little more than the best way to put it together from smaller ones.

    More than that, and it would also be part of larger groups that are one token so far.

    Args:
        scores: Of all pieces.
        missing: The groups, shorter ones first.
    """
    best = dict(scores)
    lowest = min(scores.values(), default=0.0)
    won = {}
    for group in missing:
        splits = [best[group[:cut]] + best[group[cut:]] for cut in range(1, len(group))]
        won[group] = best[group] = max(splits, default=lowest) + _LEAD
    return won
