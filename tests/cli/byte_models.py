"""Small models for tests of ``tokkit byte-probs``."""

import shutil

import torch
import transformers

import tokkit as library

DOCUMENTS = ["It was the best of times", "", "été 東京", "the worst"]
CONTEXT = 64


def make_model(folder, tokenizer, **changes):
    """Write a small random model beside a tokenizer's files."""
    size = len(library.load(tokenizer))
    end = library.load(tokenizer).vocab.specials["<|end|>"]
    torch.manual_seed(0)
    settings = {
        "vocab_size": size,
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "max_position_embeddings": CONTEXT,
        "bos_token_id": end,
        "eos_token_id": end,
        "initializer_range": 0.4,
    }
    config = transformers.LlamaConfig(**(settings | changes))
    model = transformers.LlamaForCausalLM(config)
    model.save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(tokenizer / name, folder / name)
    return model
