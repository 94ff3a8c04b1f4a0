"""What a hypernetwork reads of a model: its tokenizer and the rows of its tokens."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch

from tokkit.byte_spelling import usual_ids
from tokkit.errors import FormatError, ModelError
from tokkit.formats import load
from tokkit.kernels._jit import Ids
from tokkit.tokenizer import Tokenizer
from tokkit.weights.checkpoint import Checkpoint
from tokkit.weights.headers import Stored
from tokkit.weights.locate import locate
from tokkit.weights.tensors import read


@dataclass(frozen=True, eq=False)
class SourceRows:
    """The rows that a model has for the tokens of its tokenizer.

    Attributes:
        tokenizer: The tokenizer.
        input: The input embedding, ``[rows, hidden]``, in any float dtype.
        output: The head, ``[rows, hidden]``; None: it is the input embedding.
        bias: What is added to the logits, ``[rows]``; None: nothing.
    """

    tokenizer: Tokenizer
    input: torch.Tensor
    output: torch.Tensor | None
    bias: torch.Tensor | None

    @classmethod
    def read(cls, model: str | Path, tokenizer: str | Path | None = None) -> Self:
        """Read just the embeddings of a model, in the dtype they have.

        Args:
            model: A folder written by ``save_pretrained``, or a Hub id.
            tokenizer: Where its tokenizer is, if not in its folder.

        Raises:
            ModelError: If the model cannot be used.
        """
        checkpoint = Checkpoint.open(model)
        try:
            loaded = load(tokenizer or checkpoint.folder)
        except FormatError as error:
            raise ModelError(f"{error}; name the model's tokenizer") from error
        return cls.of_checkpoint(checkpoint, loaded)

    @classmethod
    def of_checkpoint(cls, checkpoint: Checkpoint, tokenizer: Tokenizer) -> Self:
        """Read the embeddings of a model on disk."""
        names = locate(checkpoint)
        found = [
            None if name is None else _tensor(checkpoint.tensors[name])
            for name in (names.input, names.output, names.bias)
        ]
        assert found[0] is not None
        rows = found[0].shape[0]
        bias = None if found[2] is None else found[2].reshape(rows)
        return cls(tokenizer, found[0], found[1], bias)

    @classmethod
    def of(cls, model: Any, tokenizer: Tokenizer) -> Self:
        """Take the rows of a torch model in memory; they stay where they are."""
        first = model.get_input_embeddings().weight.detach()
        head = model.get_output_embeddings()
        if head is None:
            return cls(tokenizer, first, None, None)
        weight, bias = head.weight, getattr(head, "bias", None)
        output = None if weight is model.get_input_embeddings().weight else weight.detach()
        return cls(tokenizer, first, output, None if bias is None else bias.detach())

    def __post_init__(self) -> None:
        """Refuse rows that do not fit together.

        Raises:
            ModelError: If there are fewer rows than tokens, or the sides differ in shape.
        """
        if self.input.shape[0] < len(self.tokenizer.vocab):
            raise ModelError(
                f"the model has {self.input.shape[0]} rows, but its tokenizer "
                f"{len(self.tokenizer.vocab)} tokens: name the one it was trained with"
            )
        if self.output is not None and self.output.shape[1] != self.input.shape[1]:
            raise ModelError(
                f"the input embedding is {self.input.shape[1]} wide and the head "
                f"{self.output.shape[1]}: a hypernetwork needs both alike"
            )

    @property
    def hidden(self) -> int:
        """How wide a row is."""
        return int(self.input.shape[1])

    @property
    def tied(self) -> bool:
        """Whether the head is the input embedding."""
        return self.output is None

    @property
    def matrices(self) -> list[torch.Tensor]:
        """The input embedding, and the head if that is another one."""
        return [self.input] if self.output is None else [self.input, self.output]

    @cached_property
    def used(self) -> Ids:
        """Ids that text can have, ``int32[k]``, ascending."""
        tokens = self.tokenizer.vocab.tokens
        return np.flatnonzero([bool(token) for token in tokens]).astype(np.int32)

    @cached_property
    def ids(self) -> dict[bytes, int]:
        """The id that stands for the bytes of each token."""
        return dict(usual_ids(self.tokenizer))


def _tensor(stored: Stored) -> torch.Tensor:
    """Read a tensor; bfloat16 as such."""
    values = torch.from_numpy(read(stored))
    return values.view(torch.bfloat16) if stored.dtype == "BF16" else values
