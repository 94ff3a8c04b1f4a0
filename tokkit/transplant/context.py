"""What a method of initialisation is given, and what it gives back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from tokkit.corpus import Corpus
from tokkit.errors import UsageError
from tokkit.kernels._jit import Ids, Offsets
from tokkit.tokenizer import Tokenizer
from tokkit.transplant.rows import NO_ROWS, Rows

Side = Literal["input", "output"]
SIDES: tuple[Side, ...] = ("input", "output")
Progress = Callable[[str, int, int], None]
MEAN_ROW = 0
"""The virtual row that is the mean of the source's rows."""
PADDING_ROW = 1
"""The virtual row that is the mean of the target's rows."""
VIRTUAL_ROWS = 2
"""How many virtual rows every plan has; methods may add more behind them."""


def silent(stage: str, done: int, total: int) -> None:
    """Report nothing."""


@dataclass(frozen=True)
class Settings:
    """What decides how new rows are made, besides the two tokenizers.

    Attributes:
        temperature: Of TokenAdapt's softmax (arXiv 2505.09738: 0.3).
        top_k: TokenAdapt: nearest old tokens that the global half mixes (3).
        global_weight: TokenAdapt: share of the global half (0.3); 0 or 1: only one half.
        threshold: TokenAdapt: least similarity of a neighbour (0).
        decay: ``front``: what each further piece counts for, relative to the one before.
        slope: ``adaptivocab``: pieces count ``exp(+slope m)`` for input, ``exp(-slope m)`` for
            output.
        atoms: ``omp``: most shared tokens that make up a new one.
        neighbours: ``knn`` and ``wechsel``: nearest tokens that are mixed.
        ridge: ``ridge``: penalty, relative to the mean squared row.
        dimensions: ``focus`` and ``wechsel``: size of the word vectors learned from the corpus.
        epochs: Passes over the corpus when they are learned.
        min_count: Tokens seen less often have no vector.

    Raises:
        UsageError: If a value is out of range.
    """

    temperature: float = 0.3
    top_k: int = 3
    global_weight: float = 0.3
    threshold: float = 0.0
    decay: float = 0.5
    slope: float = 2.0
    atoms: int = 64
    neighbours: int = 10
    ridge: float = 0.01
    dimensions: int = 100
    epochs: int = 3
    min_count: int = 10

    def __post_init__(self) -> None:
        positive = ("atoms", "neighbours", "dimensions", "epochs", "min_count")
        for name in positive:
            if getattr(self, name) < 1:
                raise UsageError(f"{name} cannot be {getattr(self, name)}: give 1 or more")
        if not 0 <= self.global_weight <= 1:
            raise UsageError(f"global_weight cannot be {self.global_weight}: give 0 to 1")
        for name in ("temperature", "top_k", "decay", "slope", "ridge"):
            value = getattr(self, name)
            if not 0 <= value < float("inf"):
                raise UsageError(f"{name} cannot be {value}: give 0 or more")


@dataclass(frozen=True, eq=False)
class Alignment:
    """How the tokens of two tokenizers correspond, by their bytes.

    Attributes:
        matches: For each target id the source id that stands for the same (the same bytes, the
            same role, or as the user said), ``int32[target ids]``; -1 where there is none.
        origins: For each target id why: an index into `ORIGINS`, ``uint8[target ids]``.
        new: The target ids to be composed from pieces, ``int32[n]``, ascending.
        piece_ends: Where the pieces of each new token end, ``int64[n]``.
        piece_ids: The source tokens that spell each new token, ``int32[pieces]``.
        used: Source ids that stand for something, ``int32[k]``, ascending.
        shared: Target ids with bytes whose bytes the source has too, ``int32[s]``; with
            `matches` they are the pairs that donor methods and neighbours are fitted on.
        output: Target special tokens whose output row is made from another source token than
            their input row, and from which: what both begins and ends texts is read as what
            begins them, and predicted as what ends them.
    """

    matches: Ids
    origins: NDArray[np.uint8]
    new: Ids
    piece_ends: Offsets
    piece_ids: Ids
    used: Ids
    shared: Ids
    output: Mapping[int, int] = field(default_factory=dict)


class Auxiliary(Protocol):
    """An encoder of texts, such as a sentence-transformers model."""

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one vector per text, ``float32[n, d]``."""
        ...


@dataclass(frozen=True, eq=False)
class Donor:
    """The embeddings of a model that was trained with the target tokenizer.

    Attributes:
        name: What it is called in reports.
        rows: Its matrix of each side by target id, ``float32[target ids, d]``.
    """

    name: str
    rows: Mapping[Side, NDArray[np.float32]]


@dataclass(frozen=True)
class Reader:
    """What a plan has to know of a hypernetwork, which is nothing of its weights.

    Attributes:
        digest: What it is told from others by.
        most: How many pieces of a token it reads; of more, the first ones and the last.
    """

    digest: str
    most: int


@dataclass(frozen=True, eq=False)
class Context:
    """Everything a method may look at.

    Attributes:
        source: The tokenizer of the model.
        target: The tokenizer it is moved onto.
        alignment: How their tokens correspond.
        tokens: The bytes of each new token, in the order of ``alignment.new``.
        settings: What decides how rows are made.
        seed: Of everything random.
        auxiliary: Encodes texts, for methods that need it.
        corpus: Text to learn word vectors from.
        donor: A model with the target tokenizer.
        hypernet: What predicts rows, for ``zett``.
        dictionary: ``wechsel``: pairs of words of both languages; None: the same words.
        progress: Told how far each step is.
    """

    source: Tokenizer
    target: Tokenizer
    alignment: Alignment
    tokens: Sequence[bytes]
    settings: Settings = field(default_factory=Settings)
    seed: int = 0
    auxiliary: Auxiliary | None = None
    corpus: Corpus | None = None
    donor: Donor | None = None
    hypernet: Reader | None = None
    dictionary: Sequence[tuple[str, str]] | None = None
    progress: Progress = silent

    @property
    def source_size(self) -> int:
        """Source ids, and the number of the first virtual row."""
        return len(self.source.vocab)


@dataclass(frozen=True, eq=False)
class Composition:
    """How a method makes the rows of the new tokens.

    Attributes:
        rows: One row per new token, over source ids and, from ``source_size`` on, virtual rows;
            what weighs nothing in a row was only looked at.
        origins: Why each row is what it is: an index into `ORIGINS`, ``uint8[n]``.
        virtual: Virtual rows of the method's own, numbered from ``source_size +
            VIRTUAL_ROWS`` on, over source ids.
        noise: How many standard deviations (of each dimension of the source's rows) of noise
            each row gets, ``float32[n]``; None: none.
        notes: What the report should say, by name; such as ``"outliers"`` with a list.
    """

    rows: Rows
    origins: NDArray[np.uint8]
    virtual: Rows = NO_ROWS
    noise: NDArray[np.float32] | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)


ORIGINS: tuple[str, ...] = (
    "copied",  # the same bytes
    "role",  # a special token with the same role
    "override",  # as the user said
    "composed",  # from the source tokens that spell it
    "neighbours",  # from source tokens of similar meaning
    "mixed",  # from both
    "donor",  # through a donor model
    "mean",  # nothing is known of it: the mean of the source's rows
    "random",  # drawn
    "unused",  # padding, gaps, reserved ids: unreachable from text
    "predicted",  # by a hypernetwork, which reads the source tokens that spell it
)
"""Why a target row is what it is; the first three are known, the others are guesses.

Plans on disk hold their places here, so new ones come last.
"""
COPIED, ROLE, OVERRIDE, COMPOSED, NEIGHBOURS, MIXED, DONOR, MEAN, RANDOM = range(9)
UNUSED, PREDICTED = 9, 10

Method = Callable[[Context, Side], Composition]
"""A method of initialisation: how the new tokens' rows of one side are made."""
