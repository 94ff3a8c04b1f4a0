"""Tiny random models of many architectures, as folders."""

from pathlib import Path

VOCABULARY = 96

_SIZES = {
    "vocab_size": VOCABULARY,
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": 64,
    "pad_token_id": None,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
_KEYS = {"num_key_value_heads": 2}
_GPT = {
    "vocab_size": VOCABULARY,
    "n_embd": 16,
    "n_layer": 2,
    "n_head": 2,
    "n_positions": 64,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
_BERT = {**_SIZES, "pad_token_id": 0}
_TEXT = {**_SIZES, **_KEYS, "head_dim": 8}
_VISION = {
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "image_size": 28,
    "patch_size": 14,
}

ARCHITECTURES = {
    "llama": ("LlamaForCausalLM", {**_SIZES, **_KEYS}),
    "mistral": ("MistralForCausalLM", {**_SIZES, **_KEYS}),
    "qwen2": ("Qwen2ForCausalLM", {**_SIZES, **_KEYS}),
    "qwen3": ("Qwen3ForCausalLM", {**_SIZES, **_KEYS, "head_dim": 8}),
    "gemma": ("GemmaForCausalLM", {**_TEXT}),
    "gemma2": ("Gemma2ForCausalLM", {**_TEXT}),
    "gemma3_text": ("Gemma3ForCausalLM", {**_TEXT}),
    "phi": ("PhiForCausalLM", {**_SIZES}),
    "phi3": ("Phi3ForCausalLM", {**_SIZES, **_KEYS}),
    "olmo2": ("Olmo2ForCausalLM", {**_SIZES, **_KEYS}),
    "mixtral": ("MixtralForCausalLM", {**_SIZES, **_KEYS, "num_local_experts": 2}),
    "gpt2": ("GPT2LMHeadModel", {**_GPT}),
    "gptj": ("GPTJForCausalLM", {**_GPT, "rotary_dim": 4}),
    "gpt_neox": ("GPTNeoXForCausalLM", {**_SIZES}),
    "bloom": (
        "BloomForCausalLM",
        {
            "vocab_size": VOCABULARY,
            "hidden_size": 16,
            "n_layer": 2,
            "n_head": 2,
            "bos_token_id": 1,
            "eos_token_id": 2,
        },
    ),
    "falcon": ("FalconForCausalLM", {**_SIZES}),
    "opt": (
        "OPTForCausalLM",
        {**_SIZES, "ffn_dim": 24, "word_embed_proj_dim": 16, "pad_token_id": 1},
    ),
    "mamba": (
        "MambaForCausalLM",
        {
            "vocab_size": VOCABULARY,
            "hidden_size": 16,
            "num_hidden_layers": 2,
            "state_size": 4,
            "bos_token_id": 1,
            "eos_token_id": 2,
            "pad_token_id": 0,
        },
    ),
    "biogpt": ("BioGptForCausalLM", {**_SIZES, "pad_token_id": 1}),
    "bert": ("BertForMaskedLM", {**_BERT}),
    "roberta": ("RobertaForMaskedLM", {**_BERT}),
    "xlm-roberta": ("XLMRobertaForMaskedLM", {**_BERT}),
    "distilbert": (
        "DistilBertForMaskedLM",
        {
            "vocab_size": VOCABULARY,
            "dim": 16,
            "hidden_dim": 24,
            "n_layers": 2,
            "n_heads": 2,
            "max_position_embeddings": 64,
        },
    ),
    "albert": ("AlbertForMaskedLM", {**_BERT, "embedding_size": 8}),
    "electra": ("ElectraForMaskedLM", {**_BERT, "embedding_size": 8}),
    "modernbert": (
        "ModernBertForMaskedLM",
        {**_BERT, "cls_token_id": 3, "sep_token_id": 4, "global_attn_every_n_layers": 1},
    ),
    "llava": (
        "LlavaForConditionalGeneration",
        {
            "text_config": {"model_type": "llama", **_SIZES, **_KEYS},
            "vision_config": {"model_type": "clip_vision_model", **_VISION},
            "image_token_index": 5,
        },
    ),
    "gemma3": (
        "Gemma3ForConditionalGeneration",
        {
            "text_config": {**_TEXT},
            "vision_config": {"model_type": "siglip_vision_model", **_VISION},
            "image_token_index": 5,
            "boi_token_index": 6,
            "eoi_token_index": 7,
            "mm_tokens_per_image": 4,
        },
    ),
}
"""Name of the architecture -> name of its class, and what its configuration is made from."""

ENCODERS = ("bert", "roberta", "xlm-roberta", "distilbert", "albert", "electra", "modernbert")


def configure(name, **changes):
    """Return the configuration of one of `ARCHITECTURES`, with changes."""
    from transformers import CONFIG_MAPPING

    return CONFIG_MAPPING[name](**{**ARCHITECTURES[name][1], **changes})


def build(name, *, seed=0, dtype="float32", architecture=None, **changes):
    """Return a random model; every parameter differs from zero, biases and norms too.

    `architecture` asks for another class, such as ``"LlamaModel"``.
    """
    import torch
    import transformers

    generator = torch.Generator().manual_seed(seed)
    kind = getattr(transformers, architecture or ARCHITECTURES[name][0])
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = kind(configure(name, **changes))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.2, generator=generator)
    return model.to(getattr(torch, dtype)).eval()


def save(name, folder, *, shard_size=None, **options):
    """Write a random model to a folder and return the model; see `build`."""
    model = build(name, **options)
    Path(folder).mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder, max_shard_size=shard_size or "5GB")
    return model


def load(folder):
    """Load the model in a folder with the class that its configuration names."""
    import transformers

    config = transformers.AutoConfig.from_pretrained(folder)
    kind = getattr(transformers, config.architectures[0])
    return kind.from_pretrained(folder, dtype="auto").eval()
