"""Where a checkpoint keeps its embeddings: by known names, else by asking the architecture.

Known names decide where nothing else in the checkpoint could be meant, which is nearly always
and needs no torch. What they leave open is asked of transformers (`architecture`), which builds
the model without memory for its weights.

Tied is what transformers 5 ties when it loads (`tests/weights/test_locate.py`): only where
``tie_word_embeddings`` is true, given or by default of the architecture, and the checkpoint has
either no separate head or one that equals the input embedding. A head that differs is used,
whatever the flag says; a head that is absent without the flag would be made up at random, so
that is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from tokkit.errors import ModelError
from tokkit.weights.checkpoint import Checkpoint, text_config
from tokkit.weights.headers import FLOATS, Stored, opened
from tokkit.weights.names import Found, by_name, is_headless, matching
from tokkit.weights.tensors import BUFFER, fill
from tokkit.weights.ties import is_tied_by_config

PER_LAYER = ("embed_tokens_per_layer.weight",)
"""How the names of tables end that have rows for tokens and feed every layer (gemma3n)."""


@dataclass(frozen=True)
class Embeddings:
    """Where the rows of tokens are.

    Attributes:
        input: The tensor of input embeddings, ``[rows, hidden]``.
        output: The tensor of the output head, ``[rows, hidden]``; None: `tied`, or no head.
        bias: What is added to the logits, ``[rows]``; None: nothing.
        tied: Whether the head is the input embedding.
        others: Tensors with as many rows or columns by coincidence, to be left as they are.
        twins: Tensors that repeat another one (a tied head that was saved all the same), with
            the name of that one: they have to be written with the same content.
    """

    input: str
    output: str | None
    bias: str | None
    tied: bool
    others: tuple[str, ...] = ()
    twins: Mapping[str, str] = field(default_factory=dict)


def locate(checkpoint: Checkpoint) -> Embeddings:
    """Find the embeddings of a decoder or encoder of text.

    Raises:
        ModelError: If there are none, the architecture is not supported, tensors that depend
            on the vocabulary would be left behind, or config and weights contradict.
        MissingExtraError: If transformers has to be asked and is not installed.
    """
    _refuse_kinds(checkpoint)
    found = by_name(checkpoint)
    if found is None:
        from tokkit.weights.architecture import by_architecture

        found = by_architecture(checkpoint)
    _check_rows(checkpoint, found)
    return _settle(checkpoint, found)


def _refuse_kinds(checkpoint: Checkpoint) -> None:
    """Refuse what is no decoder or encoder of text, or has a second table of tokens."""
    folder, config = checkpoint.folder, checkpoint.config
    if config.get("is_encoder_decoder"):
        raise ModelError(
            f"{folder}: an encoder-decoder ({config.get('model_type')}), whose halves may have "
            "embeddings of their own: only decoders and encoders can be moved"
        )
    for name in matching(checkpoint.tensors, PER_LAYER):
        raise ModelError(
            f"{folder}: {name} has a row for every token in every layer, and nothing is "
            "known to make those for new tokens: take a model without such a table"
        )


def _check_rows(checkpoint: Checkpoint, found: Found) -> None:
    """Refuse embeddings that transformers could not load, or that are no numbers."""
    stored = checkpoint.tensors[found.input]
    for name in (found.input, found.head, *found.biases):
        if name is not None and checkpoint.tensors[name].dtype not in FLOATS:
            raise ModelError(
                f"{checkpoint.folder}: {name} is {checkpoint.tensors[name].dtype}, which is "
                "quantised: take the model before it was quantised"
            )
    said = text_config(checkpoint.config).get("vocab_size")
    if type(said) is int and said != stored.shape[0]:
        raise ModelError(
            f"{checkpoint.folder}: config.json has a vocab_size of {said}, but {found.input} "
            f"has {stored.shape[0]} rows: they are not of the same model"
        )


def _settle(checkpoint: Checkpoint, found: Found) -> Embeddings:
    """Decide what is tied, the way transformers does when it loads."""
    bias = found.biases[0] if found.biases else None
    twins = dict.fromkeys(found.biases[1:], bias or "")
    head, tied = found.head, False
    if head is None:
        tied = is_tied_by_config(checkpoint)
        if not tied and found.has_head:
            raise ModelError(
                f"{checkpoint.folder}: there is no output head in the weights, and the config "
                "does not tie it to the input embedding (tie_word_embeddings): the model is "
                "incomplete, fetch it again"
            )
    elif head != found.input and is_tied_by_config(checkpoint):
        tied = equal(checkpoint.tensors[found.input], checkpoint.tensors[head])
        if tied:
            twins[head] = found.input
            head = None
    return Embeddings(found.input, head, bias, tied, found.others, twins)


def equal(one: Stored, other: Stored) -> bool:
    """Whether two tensors hold the same bytes; read in blocks."""
    if (one.shape, one.dtype) != (other.shape, other.dtype):
        return False
    blocks = np.empty((2, min(BUFFER, max(one.size, 1))), np.uint8)
    with opened(one.path) as first, opened(other.path) as second:
        for start in range(0, one.size, blocks.shape[1]):
            size = min(blocks.shape[1], one.size - start)
            fill(first, one, one.start + start, blocks[0, :size])
            fill(second, other, other.start + start, blocks[1, :size])
            if not np.array_equal(blocks[0, :size], blocks[1, :size]):
                return False
    return True


def head_name(checkpoint: Checkpoint, embeddings: Embeddings) -> str:
    """Return the name of the head that a model gets when it is untied.

    Its config needs ``tie_word_embeddings`` to be false too, wherever it is given.

    Raises:
        ModelError: If the architecture cannot have a head of its own.
    """
    if embeddings.output is not None:
        return embeddings.output
    for twin, of in embeddings.twins.items():
        if of == embeddings.input:
            return twin
    if embeddings.bias is not None or is_headless(checkpoint):
        raise ModelError(
            f"{checkpoint.folder}: the head of {_kind(checkpoint)} cannot be untied here: only "
            "that of a decoder without output bias can"
        )
    for table, head in _UNTIED.items():
        if embeddings.input == table:
            return head
    from tokkit.weights.architecture import untied_head

    return untied_head(checkpoint)


def _kind(checkpoint: Checkpoint) -> str:
    names = checkpoint.config.get("architectures") or [checkpoint.config.get("model_type")]
    return str(names[0])


_UNTIED = {
    "model.embed_tokens.weight": "lm_head.weight",
    "model.language_model.embed_tokens.weight": "lm_head.weight",
    "language_model.model.embed_tokens.weight": "language_model.lm_head.weight",
    "transformer.wte.weight": "lm_head.weight",
    "transformer.word_embeddings.weight": "lm_head.weight",
    "backbone.embeddings.weight": "lm_head.weight",
    "gpt_neox.embed_in.weight": "embed_out.weight",
    "biogpt.embed_tokens.weight": "output_projection.weight",
}
"""Input embeddings -> the head of architectures that call them so, in checkpoints."""
