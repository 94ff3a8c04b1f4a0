"""Rows for tokens that a batch has made: mixed from rows of their parts, or predicted.

A model knows no embedding of a new token. Whatever makes one is a `TokenRows`: it is given the
bytes of new tokens and the tokens of the vocabulary that each was merged from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from tokkit.errors import MissingExtraError, UsageError

try:
    import torch
except ModuleNotFoundError as missing:
    raise MissingExtraError("torch", "torch") from missing

from tokkit.hypernet.source import SourceRows
from tokkit.segment.longest import LongestMatch
from tokkit.tokenizer import Tokenizer
from tokkit.transplant.context import UNUSED, Alignment, Auxiliary, Context, Side
from tokkit.transplant.matrix import Matrix
from tokkit.transplant.methods import METHODS, find_method
from tokkit.transplant.plan import Plan
from tokkit.transplant.planning import make_plan
from tokkit.vocab import Vocabulary
from tokkit.weights.encoding import Values

if TYPE_CHECKING:
    from tokkit.hypernet.hypernet import Hypernet

Parts = Sequence[Sequence[int]]
DEFAULT = "last/front-shrunk"
"""How input and output rows are mixed unless something else is asked for."""
HYPERNET = "hypernet"
MIXED = tuple(
    name for name, each in METHODS.items() if each.needs <= {"auxiliary"} and name != "random"
)
"""The methods of transplanting that need no more than a token and its parts."""


@dataclass(frozen=True, eq=False)
class NewRows:
    """The rows of new tokens.

    Attributes:
        input: What is read, as the embedding matrix has it: ``float32[n, hidden]``.
        output: What is predicted with, as the head has it: ``float32[n, hidden]``.
        bias: What is added to the logits, ``float32[n]``; None: nothing.
        fallbacks: How many of them could not be made as was asked, and are means of parts.
    """

    input: NDArray[np.float32]
    output: NDArray[np.float32]
    bias: NDArray[np.float32] | None = None
    fallbacks: int = 0

    def __len__(self) -> int:
        return len(self.input)


class TokenRows(Protocol):
    """Makes rows for new tokens.

    Attributes:
        name: How it makes them, for results.
    """

    name: str

    def rows(self, tokens: Sequence[bytes], parts: Parts) -> NewRows:
        """Return the rows of new tokens.

        Args:
            tokens: Their bytes.
            parts: The ids of the vocabulary that each was merged from.
        """
        ...


def find_rows(
    source: SourceRows,
    embeddings: str = DEFAULT,
    *,
    hypernet: str | Path | None = None,
    auxiliary: str | Path | None = None,
    device: str = "cpu",
) -> TokenRows:
    """Return what makes rows, by its name.

    Args:
        source: The rows of the model's own tokens.
        embeddings: ``hypernet``, a name of `MIXED`, or two: ``input/output``.
        hypernet: The folder of a hypernetwork that was trained for the model.
        auxiliary: A text encoder, which ``tokenadapt`` asks.
        device: Where the hypernetwork and the encoder are run.

    Raises:
        UsageError: If there is no such method, or what it needs is not named.
        ModelError: If the hypernetwork or the encoder cannot be loaded, or does not fit.
    """
    if embeddings == HYPERNET:
        if hypernet is None:
            raise UsageError("embeddings from a hypernetwork: name its folder with --hypernet")
        return PredictedRows.load(hypernet, source, device)
    first, _, second = embeddings.partition("/")
    names = (first, second or first)
    for name in names:
        if name not in MIXED:
            raise UsageError(
                f"no embeddings {name!r}: choose {HYPERNET} or of {', '.join(MIXED)}; two of "
                "these as INPUT/OUTPUT"
            )
    encoder = None
    if any(find_method(name).needs for name in names):
        encoder = _encoder(auxiliary, device)
    return MixedRows(source, *names, auxiliary=encoder)


def _encoder(auxiliary: str | Path | None, device: str) -> Auxiliary:
    """Load a text encoder that remembers what it was asked."""
    from tokkit.transplant.methods.auxiliary import default_folder, load_auxiliary

    if auxiliary is None:
        raise UsageError("tokenadapt compares tokens by meaning: name an encoder (--aux-model)")
    return _Remembering(load_auxiliary(auxiliary, device, default_folder()))


class _Remembering:
    """Asks an encoder about every text once: batches have most of theirs in common."""

    def __init__(self, encoder: Auxiliary) -> None:
        self._encoder = encoder
        self._known: dict[str, NDArray[np.float32]] = {}

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one vector per text, ``float32[n, d]``."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known.update(zip(new, self._encoder.embed(new), strict=True))
        return np.stack([self._known[text] for text in texts])


class MixedRows:
    """Rows mixed from those of the parts, as methods of `tokkit.transplant` have it."""

    def __init__(
        self,
        source: SourceRows,
        method_in: str = "last",
        method_out: str = "front-shrunk",
        *,
        auxiliary: Auxiliary | None = None,
    ) -> None:
        """Take the rows of a model.

        Args:
            source: The rows of the model's own tokens.
            method_in: The name of a method for what is read.
            method_out: The same for what is predicted with.
            auxiliary: Encodes texts, for methods that need it.
        """
        self.name = method_in if method_in == method_out else f"{method_in}/{method_out}"
        self._tokenizer = source.tokenizer
        self._methods = method_in, method_out
        self._auxiliary = auxiliary
        self._used = source.used
        self._input = _values(source.input)
        self._output = self._input if source.output is None else _values(source.output)
        self._bias = None if source.bias is None else _values(source.bias[:, None])

    def rows(self, tokens: Sequence[bytes], parts: Parts) -> NewRows:
        """Return the rows of new tokens; see `TokenRows`."""
        if not tokens:
            nothing = np.zeros((0, self._input.shape[1]), dtype=np.float32)
            bias = None if self._bias is None else nothing[:, 0]
            return NewRows(nothing, nothing, bias)
        plan = self._plan(tokens, parts)
        bias = None if self._bias is None else _made(plan, "output", self._bias)[:, 0]
        return NewRows(
            _made(plan, "input", self._input), _made(plan, "output", self._output), bias
        )

    def _plan(self, tokens: Sequence[bytes], parts: Parts) -> Plan:
        """Plan as for a tokenizer which has these tokens, and none of the model's."""
        count = len(tokens)
        alignment = Alignment(
            np.full(count, -1, dtype=np.int32),
            np.full(count, UNUSED, dtype=np.uint8),
            np.arange(count, dtype=np.int32),
            np.cumsum([len(own) for own in parts], dtype=np.int64),
            np.array([part for own in parts for part in own], dtype=np.int32),
            self._used,
            np.zeros(0, dtype=np.int32),
        )
        target = Tokenizer(Vocabulary(tuple(tokens)), LongestMatch(tokens, unknown_id=0))
        context = Context(self._tokenizer, target, alignment, tokens, auxiliary=self._auxiliary)
        return make_plan(context, *self._methods)


def _values(tensor: torch.Tensor) -> Values:
    """Return a tensor as a checkpoint has it; bfloat16 as its bits."""
    plain = tensor.detach().cpu().contiguous()
    found: Values = (
        plain.view(torch.uint16) if plain.dtype == torch.bfloat16 else plain
    ).numpy()
    return found


def _made(plan: Plan, side: Side, values: Values) -> NDArray[np.float32]:
    """Return the rows that a plan makes of a matrix."""
    found: NDArray[np.float32] = np.concatenate(
        list(Matrix(plan, side, values).blocks(len(plan.target), "F32"))
    )
    return found


class PredictedRows:
    """Rows predicted by a hypernetwork; of tokens too long for it, the means of their parts."""

    def __init__(self, hypernet: "Hypernet", source: SourceRows) -> None:
        """Take a hypernetwork.

        Args:
            hypernet: A trained one.
            source: The rows of the model's own tokens.
        """
        self.name = f"{HYPERNET} {hypernet.digest[:8]}"
        self._hypernet = hypernet
        self._means = MixedRows(source, "mean", "mean")

    @classmethod
    def load(
        cls, folder: str | Path, source: SourceRows, device: str = "cpu"
    ) -> "PredictedRows":
        """Load a hypernetwork from its folder.

        Raises:
            ModelError: If it cannot be loaded, or was trained for another model.
        """
        from tokkit.hypernet.hypernet import Hypernet

        return cls(Hypernet.load(folder, source, device=device), source)

    def rows(self, tokens: Sequence[bytes], parts: Parts) -> NewRows:
        """Return the rows of new tokens; see `TokenRows`."""
        found = self._hypernet.predict(tokens)
        longest = self._hypernet.network.config.surface
        far = np.flatnonzero([len(own) > longest for own in parts])
        made = NewRows(found.input, found.output, found.bias, far.size)
        if not far.size:
            return made
        places = far.tolist()
        means = self._means.rows([tokens[i] for i in places], [parts[i] for i in places])
        return _replaced(made, far, means)


def _replaced(made: NewRows, places: NDArray[np.intp], other: NewRows) -> NewRows:
    """Put other rows in some places."""
    first, second = made.input.copy(), made.output.copy()
    first[places], second[places] = other.input, other.output
    bias = None if made.bias is None else made.bias.copy()
    if bias is not None and other.bias is not None:
        bias[places] = other.bias
    return NewRows(first, second, bias, made.fallbacks)
