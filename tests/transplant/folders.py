"""Tokenizer folders of a few dozen tokens in the manner of well-known families."""

import json
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from tokkit.alphabet import to_byte_level

BYTES = [to_byte_level(bytes([value])) for value in range(256)]


def byte_level(specials, merges=(), *, plain=()):
    """A byte-level BPE: specials first, then all bytes, merges, and added text tokens."""
    tokens = dict.fromkeys([*specials, *BYTES, *("".join(pair) for pair in merges)])
    model = models.BPE(vocab={token: i for i, token in enumerate(tokens)}, merges=list(merges))
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(list(specials))
    tokenizer.add_tokens([AddedToken(text, special=False, normalized=False) for text in plain])
    return tokenizer


def write(folder: Path, tokenizer, config=None, **files) -> Path:
    """Write tokenizer.json, tokenizer_config.json and other JSON files (dots as __)."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    if config is not None:
        (folder / "tokenizer_config.json").write_text(json.dumps(config))
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return folder


LLAMA_2 = ("<unk>", "<s>", "</s>")
LLAMA_3 = (
    *("<|begin_of_text|>", "<|end_of_text|>", "<|finetune_right_pad_id|>"),
    *("<|start_header_id|>", "<|end_header_id|>", "<|eom_id|>", "<|eot_id|>"),
    "<|python_tag|>",
)
CHATML = (
    *("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|fim_prefix|>", "<|fim_middle|>"),
    *("<|fim_suffix|>", "<|image_pad|>"),
)
GEMMA = ("<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "<start_of_turn>", "<end_of_turn>")
PHI_3 = ("<unk>", "<s>", "<|endoftext|>")
PHI_3_PLAIN = ("<|assistant|>", "<|system|>", "<|end|>", "<|user|>")
BERT = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
XLM_R = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
