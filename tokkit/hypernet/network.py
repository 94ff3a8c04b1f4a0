"""The network: a small transformer that reads the pieces of a token and predicts its rows.

After arXiv 2405.07883 (section 3.2) and its code: what is read of a piece are its input and
output rows together, each dimension scaled to mean 0 and variance 1; a projection and a
transformer follow; from its state at the first piece one head for each matrix predicts a row.
Norms come before the sublayers, where RoBERTa has them behind: it learns from the first step.
"""

from collections.abc import Sequence
from typing import Any

import torch

from tokkit.errors import ModelError
from tokkit.hypernet.config import Config
from tokkit.hypernet.pieces import BYTES
from tokkit.hypernet.source import SourceRows

_NN: Any = torch.nn
DECAY = 0.5
"""What each further piece counts for in the head, relative to the one before."""
CHUNK = 4_096
"""Tokens that are run through the network at once."""


class _Projector(_NN.Module):  # type: ignore[misc]
    """Two layers beside the identity, and a norm (``ProjectorBlock``)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.rise = _NN.Linear(width, 2 * width)
        self.fall = _NN.Linear(2 * width, width)
        self.norm = _NN.LayerNorm(width)

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        gelu = torch.nn.functional.gelu
        found: torch.Tensor = self.norm(states + gelu(self.fall(gelu(self.rise(states)))))
        return found


class Network(_NN.Module):  # type: ignore[misc]
    """Predicts rows from pieces.

    Attributes:
        config: Its shape.
        columns: How wide each matrix is that it predicts: the input embedding, then the head if
            that is another one; with the output bias as a last column of the last one.
    """

    def __init__(self, config: Config, source: SourceRows) -> None:
        """Make a network for a model; its first weights depend on torch's random state.

        Args:
            config: Its shape.
            source: The model; how its rows are distributed is kept with the weights.
        """
        super().__init__()
        self.config = config
        width = config.width or source.hidden
        heads = config.heads or max(width // 64, 1)
        if width % heads:
            raise ModelError(f"{heads} heads cannot share a width of {width} evenly")
        read = source.hidden * len(source.matrices)
        self.columns = [each.shape[1] for each in targets(source)]
        self.enter = _NN.Linear(read, width)
        self.projector = _Projector(width)
        self.positions = _NN.Parameter(torch.randn(config.surface, width) * 0.02)
        self.layers = _NN.ModuleList(
            _NN.TransformerEncoderLayer(
                width, heads, 2 * width, 0.0, "gelu", batch_first=True, norm_first=True
            )
            for _ in range(config.layers)
        )
        self.norm = _NN.LayerNorm(width)
        self.leave = _NN.ModuleList(_Projector(width) for _ in self.columns)
        self.heads = _NN.ModuleList(_NN.Linear(width, each) for each in self.columns)
        self.fallback = _NN.Parameter(torch.randn(BYTES, read))
        if config.residual:
            for head in self.heads:
                _NN.init.zeros_(head.weight)
                _NN.init.zeros_(head.bias)
        self._measure(source)

    def _measure(self, source: SourceRows) -> None:
        """Keep the mean and the deviation of each dimension of the source's rows."""
        used = torch.from_numpy(source.used).long()
        for number, matrix in enumerate(targets(source)):
            rows = matrix[used.to(matrix.device)].float()
            self.register_buffer(f"mean_{number}", rows.mean(0))
            self.register_buffer(f"spread_{number}", rows.std(0, correction=0).clamp_min(1e-8))
            # A fitted rescaler changes these two; see `fit`.
            self.register_buffer(f"shift_{number}", torch.zeros(matrix.shape[1]))
            self.register_buffer(f"stretch_{number}", torch.ones(matrix.shape[1]))

    def forward(self, source: "Readable", ids: torch.Tensor) -> list[torch.Tensor]:
        """Predict the rows of tokens that have equally many pieces.

        Args:
            source: The model's rows.
            ids: The pieces, ``int64[n, pieces]``.

        Returns:
            One matrix for each side, ``float32[n, columns]``.
        """
        states = self.projector(self.enter(self._features(source, ids)))
        states = states + self.positions[: ids.shape[1]]
        for layer in self.layers:
            states = layer(states)
        first = self.norm(states[:, 0])
        found = []
        for number, (leave, head) in enumerate(zip(self.leave, self.heads, strict=True)):
            said = head(leave(first)).float()
            said = (said - getattr(self, f"shift_{number}")) * getattr(
                self, f"stretch_{number}"
            )
            scaled = said * getattr(self, f"spread_{number}")
            found.append(self._base(source, ids, number) + scaled)
        return found

    def fit(self, source: "Readable", ids: Sequence[torch.Tensor]) -> None:
        """Scale predictions so that those for some tokens are distributed as the source's rows.

        Done once, before training, to a network that predicts whole rows (``init_rescaler``).

        Args:
            source: The model's rows.
            ids: Pieces of tokens, grouped by how many they have.
        """
        with torch.no_grad():
            parts = [self(source, each) for each in ids]
        for number in range(len(self.columns)):
            rows = torch.cat([part[number] for part in parts])
            spread, mean = getattr(self, f"spread_{number}"), getattr(self, f"mean_{number}")
            said = (rows - mean) / spread
            getattr(self, f"shift_{number}").copy_(said.mean(0))
            getattr(self, f"stretch_{number}").copy_(
                said.std(0, correction=0).clamp_min(1e-8).reciprocal()
            )

    def _features(self, source: "Readable", ids: torch.Tensor) -> torch.Tensor:
        """Return what is read of each piece, ``float32[n, pieces, read]``."""
        hidden = source.hidden
        known = ids.clamp_max(source.rows - 1)
        parts = [
            (matrix[known].float() - getattr(self, f"mean_{number}")[:hidden])
            / getattr(self, f"spread_{number}")[:hidden]
            for number, matrix in enumerate(source.matrices)
        ]
        found = torch.cat(parts, dim=-1)
        unknown = (ids - source.rows).clamp_min(0)
        return torch.where((ids >= source.rows)[..., None], self.fallback[unknown], found)

    def _base(self, source: "Readable", ids: torch.Tensor, number: int) -> torch.Tensor:
        """Return what a prediction is added to: the best heuristic, or the mean row."""
        mean: torch.Tensor = getattr(self, f"mean_{number}")
        count = ids.shape[1]
        if not self.config.residual:
            return mean.expand(ids.shape[0], -1)
        rows = source.target(number, ids.clamp_max(source.rows - 1))
        rows = torch.where((ids >= source.rows)[..., None], mean, rows)
        if len(self.columns) == 2 and number == 0:
            return rows[:, -1]
        decay = 1.0 if len(self.columns) == 1 else DECAY
        weights = decay ** torch.arange(count, dtype=torch.float32, device=ids.device)
        composed = (rows * (weights / weights.sum())[:, None]).sum(1)
        return composed / count + (1 - 1 / count) * mean


class Readable:
    """The rows of a model on a device, for a network to read.

    Attributes:
        hidden: How wide a row is.
        rows: How many there are.
        matrices: The input embedding, and the head if that is another one.
    """

    def __init__(self, source: SourceRows, device: torch.device | str) -> None:
        self.hidden = source.hidden
        self.rows = int(source.input.shape[0])
        self.matrices = [each.to(device) for each in source.matrices]
        self._bias = None if source.bias is None else source.bias.to(device)

    def target(self, number: int, ids: torch.Tensor) -> torch.Tensor:
        """Return rows of what is predicted, the bias behind those of the last matrix."""
        rows = self.matrices[number][ids].float()
        if self._bias is None or number != len(self.matrices) - 1:
            return rows
        return torch.cat([rows, self._bias[ids].float()[..., None]], dim=-1)


def targets(source: SourceRows) -> list[torch.Tensor]:
    """Return the matrices whose rows are predicted, with the output bias as a last column."""
    found = source.matrices
    if source.bias is not None:
        bias = source.bias.to(found[-1].dtype)[:, None]
        found = [*found[:-1], torch.cat([found[-1], bias], dim=1)]
    return found
