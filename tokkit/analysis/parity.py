"""What the same texts cost in different languages, under several tokenizers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tokkit.analysis import inequality
from tokkit.analysis.groups import FAMILY, families
from tokkit.analysis.parallel import Parallel
from tokkit.analysis.parity_counts import MOST_UNKNOWN, Counts, Sizes, count, join, measure
from tokkit.analysis.parity_draws import Draws
from tokkit.errors import CorpusError
from tokkit.prices import Price
from tokkit.tokenizer import Tokenizer

if TYPE_CHECKING:
    import pandas as pd

DEFINITIONS: Mapping[str, str] = {
    "premium": "tokens of a language by tokens of the pivot, a ratio of sums over documents",
    "premium_mean_of_ratios": "the mean over documents of the same ratio in each of them",
    "gini_tokens_per_line": "Σᵢ Σⱼ |cᵢ - cⱼ| / (2 n² μ) over languages, c: tokens per document",
    "gini_tokens_per_byte": "the same, c: tokens per byte of UTF-8",
    "words_per_window": "words, as white space parts them, in so many tokens of a language; "
    "none for scripts that are written without spaces",
    "pivot_words_per_window": "words of the pivot that say what fits in so many tokens of a "
    "language",
    "cost_premium": "dollars of a language by dollars of the pivot, same tokenizer and model",
    "dollars_per_million_pivot_words": "of prompts that say what a million words of the pivot "
    "say",
    "flagged": f"more than {MOST_UNKNOWN:.0%} of the tokens are unknown, so that they do not "
    "say what the text says: left out of summaries, groups and Lorenz curves",
    "interval": "95 %, documents drawn anew, the same ones for all languages and tokenizers",
}
LAYOUTS: Mapping[str, str] = {
    "lines": "each document is encoded alone",
    "joined": "all documents of a language are joined by one space and encoded as one text, "
    "empty lines too (Petrov et al., arXiv 2305.15425); there are no intervals",
}


@dataclass(frozen=True, kw_only=True)
class Parity:
    """What parallel texts become.

    Attributes:
        pivot: The language that others are compared with.
        layout: One of `LAYOUTS`.
        window: The tokens of a context window.
        sizes: How long the texts are.
        counts: Their tokens, by what each tokenizer is called.
        groups: What languages are grouped by: names of groups by language, by what they are.
        incomplete: How many documents were left out because a language lacks them.
        prices: What models cost, each with the tokenizers it is used with.
        seed: Of the draws.
    """

    pivot: str
    layout: str
    window: int
    sizes: Sizes
    counts: Mapping[str, Counts]
    groups: Mapping[str, Mapping[str, str]]
    incomplete: int = 0
    prices: Sequence[tuple[str, Price | None, Sequence[str]]] = ()
    seed: int = 0

    @cached_property
    def draws(self) -> Draws:
        """The documents drawn anew."""
        return Draws(self.sizes, self.counts, self.pivot, self.seed)

    @cached_property
    def languages(self) -> "pd.DataFrame":
        """One row per tokenizer and language, languages as they were given."""
        from tokkit.analysis.parity_frames import language_rows

        return language_rows(self)

    @cached_property
    def summaries(self) -> "pd.DataFrame":
        """One row per tokenizer: extremes, middle, and Gini's coefficients."""
        from tokkit.analysis.parity_frames import summary_rows

        return summary_rows(self)

    @cached_property
    def by_group(self) -> "pd.DataFrame":
        """One row per tokenizer and group of languages: their premiums."""
        from tokkit.analysis.parity_frames import group_rows

        return group_rows(self)

    @cached_property
    def lorenz(self) -> "pd.DataFrame":
        """Lorenz curves: one row per tokenizer, measure and language, least tokens first."""
        from tokkit.analysis.parity_frames import lorenz_rows

        return lorenz_rows(self)

    @cached_property
    def costs(self) -> "pd.DataFrame":
        """One row per model, tokenizer and language: dollars, as prompts."""
        from tokkit.analysis.parity_frames import cost_rows

        return cost_rows(self)

    @property
    def frames(self) -> "Mapping[str, pd.DataFrame]":
        """Every table, by its name."""
        frames = {
            "languages": self.languages,
            "summaries": self.summaries,
            "groups": self.by_group,
            "lorenz": self.lorenz,
        }
        return {**frames, "costs": self.costs} if self.prices else frames

    def used(self, name: str) -> NDArray[np.bool_]:
        """Return which languages a tokenizer knows well enough to be summed up."""
        return ~self.counts[name].flagged

    def gini(self, name: str, per: str) -> float:
        """Return Gini's coefficient of tokens per ``"line"`` or per ``"byte"``."""
        return float(inequality.gini(self.amounts(name, per)[self.used(name)]))

    def amounts(self, name: str, per: str) -> NDArray[np.float64]:
        """Return the tokens per ``"line"`` or ``"byte"`` of each language."""
        whole = self.sizes.documents if per == "line" else self.sizes.bytes.sum(axis=0)
        amounts: NDArray[np.float64] = self.counts[name].tokens.sum(axis=0) / whole
        return amounts

    def as_json(self) -> dict[str, Any]:
        """Everything, as JSON."""
        from tokkit.analysis.parity_frames import records

        tables = {name: records(frame) for name, frame in self.frames.items()}
        return {
            "pivot": self.pivot,
            "layout": self.layout,
            "layout_definition": LAYOUTS[self.layout],
            "documents": self.sizes.documents,
            "incomplete_documents": self.incomplete,
            "window": self.window,
            "definitions": dict(DEFINITIONS),
            **tables,
        }

    def __rich__(self) -> Any:
        from rich.console import Group

        from tokkit.analysis.parity_showing import parity_parts

        return Group(*parity_parts(self))


def parity(
    tokenizers: Mapping[str, Tokenizer],
    parallel: Parallel,
    *,
    pivot: str | None = None,
    layout: str = "lines",
    window: int = 8192,
    groups: Mapping[str, Mapping[str, str]] | None = None,
    prices: Sequence[tuple[str, Price | None, Sequence[str]]] = (),
    seed: int = 0,
    progress: Callable[[str, int, int], None] | None = None,
) -> Parity:
    """Measure what the same texts become in different languages.

    Args:
        tokenizers: By what they are called.
        parallel: The texts.
        pivot: The language that others are compared with; None: English.
        layout: ``"lines"``: each document is encoded alone; ``"joined"``: all of a language as
            one text, as Petrov et al. do.
        window: The tokens of a context window.
        groups: What else than script and family languages are grouped by: the group of each
            language by the kind of group, such as ``{"branch": {"de": "Germanic"}}``.
        prices: Models, what they cost, and the names of the tokenizers they are used with.
        seed: Of the draws of intervals.
        progress: Told ``("counting tokens", languages done, all)``.

    Raises:
        UsageError: If the pivot is no language of these.
        CorpusError: If nothing is left of the pivot.
    """
    language = parallel.pivot(pivot)
    texts = join(parallel.texts) if layout == "joined" else parallel.texts
    sizes, counts = measure(texts), {}
    done, total = 0, len(tokenizers) * len(texts)
    for name, tokenizer in tokenizers.items():
        counted = []
        for each in texts.values():
            counted.append(count(tokenizer, each))
            done += 1
            if progress:
                progress("counting tokens", done, total)
        counts[name] = Counts.of(counted)
        if not counts[name].tokens[:, list(texts).index(language)].any():
            raise CorpusError(f"{name} has no token for any text in {language!r}, the pivot")
    return Parity(
        pivot=language,
        layout=layout,
        window=window,
        sizes=sizes,
        counts=counts,
        groups=_groups(sizes) | dict(groups or {}),
        incomplete=parallel.incomplete,
        prices=prices,
        seed=seed,
    )


def _groups(sizes: Sizes) -> dict[str, Mapping[str, str]]:
    """Group languages by script, and by family where any is known."""
    scripts = dict(zip(sizes.languages, sizes.scripts, strict=True))
    found = families(sizes.languages)
    return {"script": scripts, FAMILY: found} if found else {"script": scripts}
