"""Small models that know nothing yet."""

from dataclasses import dataclass
from typing import Any, Literal

import torch
import transformers

from tokkit.errors import UsageError

Family = Literal["llama", "gpt2"]


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """A small decoder.

    Attributes:
        family: ``llama``: rotary positions, gated SiLU, root-mean-square norms, no biases;
            ``gpt2``: learned positions, GELU, layer norms, biases.
        hidden_size: Width; a multiple of `heads`, with ``llama`` of twice their number.
        layers: Blocks of attention and feed-forward.
        heads: Heads of attention.
        context: The most tokens a sequence may have, and the length of training windows.
        tied: Whether the output uses the input's embeddings.
        spread: Standard deviation of all weights in the beginning (``gpt2``: less in the
            matrices that end a block). That of large models, 0.02, makes small ones learn
            slowly.
    """

    family: Family = "llama"
    hidden_size: int = 192
    layers: int = 3
    heads: int = 3
    context: int = 256
    tied: bool = False
    spread: float = 0.06


def new_model(
    architecture: Architecture, vocab_size: int, begins: int, ends: int, seed: int
) -> Any:
    """Return a model that knows nothing, its weights drawn with `seed` on the CPU.

    Args:
        architecture: What model.
        vocab_size: How many tokens there are.
        begins: The token that begins texts.
        ends: The token that ends texts.
        seed: The same one gives the same weights.

    Raises:
        UsageError: If the heads do not share the width evenly.
    """
    shares = architecture.heads * (2 if architecture.family == "llama" else 1)
    if architecture.hidden_size % shares:
        what = "twice their number" if architecture.family == "llama" else "their number"
        raise UsageError(
            f"{architecture.heads} heads cannot share a width of {architecture.hidden_size}: "
            f"it has to be a multiple of {what}"
        )
    shared = {
        "vocab_size": vocab_size,
        "tie_word_embeddings": architecture.tied,
        "initializer_range": architecture.spread,
        "bos_token_id": begins,
        "eos_token_id": ends,
    }
    make = _llama if architecture.family == "llama" else _gpt2
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make(architecture, shared)


def _llama(architecture: Architecture, shared: dict[str, Any]) -> Any:
    config = transformers.LlamaConfig(
        hidden_size=architecture.hidden_size,
        # Of the usual 8/3 of the width, the next multiple of 64.
        intermediate_size=-(-architecture.hidden_size * 8 // (3 * 64)) * 64,
        num_hidden_layers=architecture.layers,
        num_attention_heads=architecture.heads,
        num_key_value_heads=architecture.heads,
        max_position_embeddings=architecture.context,
        **shared,
    )
    return transformers.LlamaForCausalLM(config)


def _gpt2(architecture: Architecture, shared: dict[str, Any]) -> Any:
    config = transformers.GPT2Config(
        n_embd=architecture.hidden_size,
        n_layer=architecture.layers,
        n_head=architecture.heads,
        n_positions=architecture.context,
        # GPT-2's own approximation of GELU, computed at once: a quarter less time for a step.
        activation_function="gelu_pytorch_tanh",
        # Small models on endless data need no noise, and steps without it repeat anywhere.
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        **shared,
    )
    return transformers.GPT2LMHeadModel(config)
