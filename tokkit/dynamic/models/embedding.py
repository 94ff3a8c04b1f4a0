"""Rows for tokens that a batch has made, by the name of what makes them."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tokkit.errors import MissingExtraError, UsageError

try:
    import torch  # noqa: F401
except ModuleNotFoundError as missing:
    raise MissingExtraError("torch", "torch") from missing

from tokkit.dynamic.models.mixing import MixedRows, Remembering
from tokkit.dynamic.models.rows import NewRows, Parts, TokenRows
from tokkit.hypernet.source import SourceRows
from tokkit.transplant.context import Auxiliary
from tokkit.transplant.methods import METHODS, find_method

if TYPE_CHECKING:
    from tokkit.hypernet.hypernet import Hypernet

__all__ = ["MixedRows", "NewRows", "PredictedRows", "TokenRows", "find_rows"]

DEFAULT = "last/front-shrunk"
"""How input and output rows are mixed unless something else is asked for."""
HYPERNET = "hypernet"
MIXED = tuple(
    name for name, each in METHODS.items() if each.needs <= {"auxiliary"} and name != "random"
)
"""The methods of transplanting that need no more than a token and its parts."""


def find_rows(
    source: SourceRows,
    embeddings: str | None = None,
    *,
    default: str = DEFAULT,
    hypernet: str | Path | None = None,
    auxiliary: str | Path | None = None,
    device: str = "cpu",
) -> TokenRows:
    """Return what makes rows, by its name.

    Args:
        source: The rows of the model's own tokens.
        embeddings: ``hypernet``, a name of `MIXED`, or two: ``input/output``; None: the
            hypernetwork if there is one, else `default`.
        default: What is made without.
        hypernet: The folder of a hypernetwork that was trained for the model.
        auxiliary: A text encoder, which ``tokenadapt`` asks.
        device: Where the hypernetwork and the encoder are run.

    Raises:
        UsageError: If there is no such method, or what it needs is not named.
        ModelError: If the hypernetwork or the encoder cannot be loaded, or does not fit.
    """
    if embeddings is None:
        embeddings = default if hypernet is None else HYPERNET
    if (embeddings == HYPERNET) != (hypernet is not None):
        raise UsageError(
            "embeddings from a hypernetwork: name its folder with --hypernet"
            if hypernet is None
            else f"--hypernet is not for the embeddings {embeddings!r}: leave one of them out"
        )
    if hypernet is not None:
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
    return Remembering(load_auxiliary(auxiliary, device, default_folder()))


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
