"""The names that architectures give their embeddings."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from tokkit.weights.checkpoint import Checkpoint

INPUTS = (
    "embed_tokens.weight",  # llama, mistral, qwen, gemma, phi, olmo, opt, biogpt
    "wte.weight",  # gpt2, gptj, mpt
    "embed_in.weight",  # gpt_neox
    "word_embeddings.weight",  # bloom, falcon, bert, roberta, distilbert, albert, electra
    "tok_embeddings.weight",  # modernbert
    "backbone.embeddings.weight",  # mamba
    "backbone.embedding.weight",  # mamba before transformers took it up
    "rwkv.embeddings.weight",
)
"""How the names of input embeddings end."""
HEADS = (
    "lm_head.weight",
    "embed_out.weight",  # gpt_neox
    "output_projection.weight",  # biogpt
    "cls.predictions.decoder.weight",  # bert
    "lm_head.decoder.weight",  # roberta, xlm-roberta
    "vocab_projector.weight",  # distilbert
    "predictions.decoder.weight",  # albert
    "generator_lm_head.weight",  # electra
    "decoder.weight",  # modernbert
    "head.weight",  # rwkv
)
"""Names of output heads, below the name of a part such as ``language_model``."""
BIASES = (
    "cls.predictions.decoder.bias",
    "lm_head.decoder.bias",
    "predictions.decoder.bias",
    "cls.predictions.bias",
    "lm_head.bias",
    "predictions.bias",
    "vocab_projector.bias",
    "generator_lm_head.bias",
    "decoder.bias",
)
"""Names of what is added to the logits; where there are several, the first is used."""
_HEADLESS = re.compile(
    r"(?<!Head)(?<!Heads)Model$|For(Sequence|Token)Classification$|ForQuestionAnswering$"
)
"""Names of classes without an output head."""


@dataclass(frozen=True)
class Found:
    """Candidates, before it is clear what is tied.

    Attributes:
        input: The input embedding.
        head: The separate head in the checkpoint, whether it is tied or not.
        biases: Biases in the checkpoint; the first is the one that is used.
        others: Tensors with as many rows or columns by coincidence.
        has_head: Whether the architecture has an output head at all.
    """

    input: str
    head: str | None
    biases: tuple[str, ...]
    others: tuple[str, ...] = ()
    has_head: bool = True


def by_name(checkpoint: Checkpoint) -> Found | None:
    """Find the embeddings by known names; None: they do not decide."""
    tensors = checkpoint.tensors
    inputs = [name for name in matching(tensors, INPUTS) if len(tensors[name].shape) == 2]
    if len(inputs) != 1:
        return None
    rows = tensors[inputs[0]].shape[0]
    left = [name for name, each in tensors.items() if rows in each.shape and name != inputs[0]]
    heads = [name for name in matching(left, HEADS) if len(tensors[name].shape) == 2]
    biases = [name for name in matching(left, BIASES) if tensors[name].shape == (rows,)]
    others = [name for name in left if name not in (*heads, *biases)]
    if len(heads) > 1 or not all(_is_of_body(checkpoint, name, rows) for name in others):
        return None
    has_head = bool(heads) or not is_headless(checkpoint)
    return Found(inputs[0], heads[0] if heads else None, tuple(biases), tuple(others), has_head)


def matching(names: Iterable[str], endings: tuple[str, ...]) -> list[str]:
    """Return the names that end in whole parts of a dotted name, in the order of `endings`."""
    names = tuple(names)
    found = [
        name
        for ending in endings
        for name in names
        if name == ending or name.endswith("." + ending)
    ]
    return list(dict.fromkeys(found))


def _is_of_body(checkpoint: Checkpoint, name: str, rows: int) -> bool:
    """Whether a tensor has as many rows as there are tokens by coincidence, for certain."""
    if not re.search(r"(^|\.)(layers?|h|blocks?)\.\d+\.", name):
        return False
    if re.search(r"embed|head|vocab|token|wte|table|hash", name):
        return False
    config = checkpoint.text_config
    sizes = {
        value for key, value in config.items() if type(value) is int and "vocab" not in key
    }
    # Projections of queries, keys and values, or of gate and input, are often one matrix.
    return any(rows == times * size for size in sizes for times in (1, 2, 3, 4))


def is_headless(checkpoint: Checkpoint) -> bool:
    """Whether the class of a model has no output head."""
    names = checkpoint.config.get("architectures") or ()
    return bool(names) and all(_HEADLESS.search(str(name)) for name in names)
