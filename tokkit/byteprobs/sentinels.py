"""The tokens that tell a model which text lies before a gap and which after it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from tokkit.errors import UsageError
from tokkit.tokenizer import Tokenizer

Order = Literal["auto", "psm", "psm-line", "spm", "plain"]
Part = Literal["PRE", "SUF", "MID", "prefix", "suffix", "lines", "line"]
Layout = tuple[Part, ...]
"""What comes in which order; the middle follows the last part."""

PSM: Layout = ("PRE", "prefix", "SUF", "suffix", "MID")
SPM: Layout = ("PRE", "SUF", "suffix", "MID", "prefix")
LINE: Layout = ("PRE", "lines", "SUF", "suffix", "MID", "line")


class _Family(NamedTuple):
    """How models that were trained alike write their sentinels; the first order is theirs."""

    prefix: str
    suffix: str
    middle: str
    layouts: Mapping[str, Layout]


_BOTH = {"psm": PSM, "spm": SPM}
FAMILIES: Mapping[str, _Family] = {
    # CodeGemma and Granite write them like Qwen; CodeGemma knows both orders.
    "Qwen": _Family("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", _BOTH),
    # Trained half on each order; so was Granite Code, which writes them the same.
    "StarCoder": _Family("<fim_prefix>", "<fim_suffix>", "<fim_middle>", _BOTH),
    "SantaCoder": _Family("<fim-prefix>", "<fim-suffix>", "<fim-middle>", _BOTH),
    "DeepSeek": _Family("<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>", {"psm": PSM}),
    # Trained half on each order; at the token level its authors advise against spm, because a
    # prefix then ends inside a token. Over bytes it does not matter where it ends.
    "CodeLlama": _Family("▁<PRE>", "▁<SUF>", "▁<MID>", {"spm": SPM, "psm": PSM}),
    "CodeLlama without spaces": _Family("<PRE>", "<SUF>", "<MID>", {"spm": SPM, "psm": PSM}),
    "Codestral": _Family(
        "[PREFIX]", "[SUFFIX]", "", {"spm": ("SUF", "suffix", "PRE", "prefix")}
    ),
    "Seed-Coder": _Family(
        "<[fim-prefix]>",
        "<[fim-suffix]>",
        "<[fim-middle]>",
        {"spm": ("SUF", "suffix", "PRE", "prefix", "MID")},
    ),
}
"""Spellings and orders as the models' papers and cards give them."""

_ENDS = (
    "▁<EOT>",
    "<EOT>",
    "<|endoftext|>",
    "<|file_separator|>",
    "<|file_sep|>",
    "<file_sep>",
    "<|fim_pad|>",
    "<fim_pad>",
)
"""What a model may write after a middle, besides what ends its texts."""


@dataclass(frozen=True)
class Sentinels:
    """The ids that mark the parts of a text with a gap.

    Attributes:
        prefix: Before what lies before the gap.
        suffix: Before what lies after it.
        middle: Before what is to be filled in; empty for models without.
        ends: Ids that end the middle, besides those that end the model's texts.
        layouts: Which orders the model was trained on, the best first.
    """

    prefix: tuple[int, ...]
    suffix: tuple[int, ...]
    middle: tuple[int, ...]
    ends: frozenset[int] = frozenset()
    layouts: Mapping[str, Layout] = field(default_factory=lambda: _BOTH)

    def layout(self, order: Order) -> Layout:
        """Return the layout for an order; ``auto`` is the first there is.

        Raises:
            UsageError: If the model was not trained on it.
        """
        if order == "psm-line" and self.layouts.get("psm") == PSM:
            return LINE
        chosen = next(iter(self.layouts)) if order == "auto" else order
        if chosen not in self.layouts:
            raise UsageError(
                f"models with these fill-in-the-middle tokens have no order {order!r}; "
                f"choose one of {', '.join(self.layouts)}"
            )
        return self.layouts[chosen]

    @classmethod
    def named(
        cls,
        tokenizer: Tokenizer,
        prefix: str,
        suffix: str,
        middle: str,
        ends: Sequence[str] = (),
    ) -> "Sentinels":
        """Look up sentinels by how they are written.

        Raises:
            UsageError: If the tokenizer has no such token.
        """
        ids = []
        for name in (prefix, suffix, middle, *ends):
            found = _find(tokenizer, name)
            if found is None:
                known = ", ".join(_names(tokenizer)) or "none"
                raise UsageError(
                    f"the tokenizer has no token {name!r}; its special tokens are {known}"
                )
            ids.append(found)
        for name, each in zip(ends, ids[3:], strict=True):
            if tokenizer.vocab.tokens[each]:
                raise UsageError(f"the token {name!r} is text; a middle cannot end with it")
        stops = frozenset(ids[3:]) or _known_ends(tokenizer)
        return cls((ids[0],), (ids[1],), (ids[2],), stops)


def find_sentinels(tokenizer: Tokenizer) -> Sentinels | None:
    """Find the sentinels of a tokenizer by the spellings of `FAMILIES`; None without any."""
    for family in FAMILIES.values():
        names = (family.prefix, family.suffix, family.middle)
        ids = [(_find(tokenizer, name),) if name else () for name in names]
        if all(None not in each for each in ids):
            prefix, suffix, middle = (tuple(i for i in each if i is not None) for each in ids)
            ends = _known_ends(tokenizer)
            return Sentinels(prefix, suffix, middle, ends, family.layouts)
    return None


def _known_ends(tokenizer: Tokenizer) -> frozenset[int]:
    """Find what may end a middle; a token that carries text goes on with it instead."""
    found = (_find(tokenizer, name) for name in _ENDS)
    tokens = tokenizer.vocab.tokens
    return frozenset(each for each in found if each is not None and not tokens[each])


def _find(tokenizer: Tokenizer, name: str) -> int | None:
    """Return the id of a token that is written like this, special or not."""
    specials = tokenizer.vocab.specials
    if name in specials:
        return specials[name]
    added = (each.token_id for each in tokenizer.added.tokens if each.content == name)
    spelled = name.replace("▁", " ").encode()
    return next(added, tokenizer.vocab.ids.get(spelled))


def _names(tokenizer: Tokenizer) -> Iterable[str]:
    """Some of the special tokens, for a message."""
    return [*tokenizer.vocab.specials][:40]
