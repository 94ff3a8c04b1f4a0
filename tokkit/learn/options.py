"""What to learn, and with what means: the part every algorithm shares, and each one's own."""

from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tokkit.patterns import Pattern
from tokkit.progress import Progress, silent
from tokkit.tokenizer import Tokenizer


@dataclass(frozen=True, kw_only=True)
class SuperBPE:
    """SuperBPE (arXiv 2503.13423).

    Attributes:
        transition: Share of the vocabulary learned inside pretokens before merging across them.
        max_words: Most words a token may hold.
    """

    transition: float = 0.75
    max_words: int = 4


@dataclass(frozen=True, kw_only=True)
class Supertokens:
    """Stochastic chunks (TokenAdapt, arXiv 2505.09738).

    Attributes:
        chunks: Weight of each range of chunk lengths, in characters: ``{(4, 5): 0.044, ...}``.
        max_bytes: Longest token, in bytes.
    """

    chunks: Mapping[tuple[int, int], float] = field(default_factory=dict)
    max_bytes: int = 30


@dataclass(frozen=True, kw_only=True)
class LiB:
    """Less-is-Better (arXiv 2403.00417); see `LIB_PRESETS` and `tokkit.learn.lib`.

    Attributes:
        alpha: Probability of considering the pair of adjacent units just read.
        omega: Share of the lexicon, its tail, put on probation after each document.
        life: Documents a unit on probation survives unseen (tau_0).
        delta: How far re-ranking moves a unit, relative to its rank; less than 1.
        max_length: Longest unit, in characters.
        document_size: Lines per document, drawn with replacement (fewer if they are long: at
            most 100 characters times this).
        epochs: Documents to read.
        line_ends: Whether units may hold the newlines that end a line; nothing goes past them.
        text_limit: Characters of text to draw lines from; a larger corpus is sampled.
        target_size: Exact number of tokens wanted; None: at most ``Options.vocab_size``.
    """

    alpha: float = 1.0
    omega: float = 0.0001
    life: int = 10
    delta: float = 0.2
    max_length: int = 24
    document_size: int = 400
    epochs: int = 2500
    line_ends: bool = True
    text_limit: int = 100_000_000
    target_size: int | None = None


LIB_PRESETS: Mapping[str, LiB] = {
    "prose": LiB(),
    "2020": LiB(alpha=0.25, max_length=12, document_size=200, epochs=5000, line_ends=False),
    "2026": LiB(
        alpha=0.25,
        omega=0.005,
        life=50,
        delta=0.4,
        max_length=16,
        document_size=100,
        epochs=5000,
    ),
}
"""Settings by name: tokkit's own; those of CogALex 2020 (github.com/ray306/LiB), for speech
and other short lines; those of the authors' paper of 2026 (github.com/antalvdb/LiB)."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What to learn.

    Attributes:
        vocab_size: Number of tokens wanted, special tokens included.
        pattern: How text is cut before merging.
        min_count: Pairs (or pieces) seen less often are not learned.
        specials: Special tokens; they take the first ids, in this order.
        seed: Of everything random.
        init: A tokenizer whose vocabulary is kept and extended.
        superbpe: Settings of ``superbpe``.
        supertokens: Settings of ``supertokens``.
        lib: Settings of ``lib``.
    """

    vocab_size: int
    pattern: Pattern
    min_count: int = 1
    specials: tuple[str, ...] = ()
    seed: int = 0
    init: Tokenizer | None = None
    superbpe: SuperBPE = SuperBPE()
    supertokens: Supertokens = Supertokens()
    lib: LiB = LiB()


@dataclass(frozen=True, kw_only=True)
class Job:
    """With what means to learn.

    Attributes:
        executor: Where independent parts run; this process if None. Results are the same.
        parts: Into how many parts independent work is divided.
        progress: Told how far the job is.
        workspace: A folder for what a killed job can resume from; nothing is kept if None.
    """

    executor: Executor | None = None
    parts: int = 1
    progress: Progress = silent
    workspace: Path | None = None


@dataclass
class History:
    """How learning went.

    Attributes:
        curve: One row per recorded step, such as ``{"vocab_size": 4096, "tokens": 1.2e6}``.
        summary: Final figures, such as the description length and bytes per token.
    """

    curve: list[dict[str, Any]] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)
