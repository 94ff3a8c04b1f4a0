"""What configurations say about tied embeddings."""

from collections.abc import Mapping

from tokkit.weights.checkpoint import Checkpoint

DEFAULTS: Mapping[str, bool] = {
    **dict.fromkeys(
        (
            "albert",
            "bert",
            "biogpt",
            "bloom",
            "camembert",
            "cohere",
            "cohere2",
            "distilbert",
            "electra",
            "falcon",
            "falcon_mamba",
            "gemma",
            "gemma2",
            "gemma3_text",
            "gpt2",
            "gpt_bigcode",
            "gpt_neo",
            "lfm2",
            "mamba",
            "modernbert",
            "mpt",
            "opt",
            "recurrent_gemma",
            "roberta",
            "smollm3",
            "starcoder2",
            "xglm",
            "xlm-roberta",
        ),
        True,
    ),
    **dict.fromkeys(
        (
            "deepseek_v2",
            "deepseek_v3",
            "gpt_neox",
            "gpt_oss",
            "gptj",
            "granite",
            "llama",
            "mamba2",
            "mistral",
            "mixtral",
            "olmo",
            "olmo2",
            "olmo3",
            "phi",
            "phi3",
            "qwen2",
            "qwen2_moe",
            "qwen3",
            "qwen3_moe",
            "stablelm",
        ),
        False,
    ),
}
"""Whether embeddings are tied where the configuration does not say, by ``model_type``."""


def is_tied_by_config(checkpoint: Checkpoint) -> bool:
    """Whether transformers would tie the head where the weights leave that open.

    A flag decides. A multi-modal model has it twice, and which one counts differs from
    architecture to architecture: where that matters transformers is asked, as it is about
    architectures whose default is not known here.
    """
    flag = checkpoint.config.get("tie_word_embeddings")
    if checkpoint.text_config is checkpoint.config:
        if isinstance(flag, bool):
            return flag
        kind = str(checkpoint.config.get("model_type"))
        if kind in DEFAULTS:
            return DEFAULTS[kind]
    elif flag is True:
        return True
    from tokkit.weights.architecture import is_tied

    return is_tied(checkpoint)
