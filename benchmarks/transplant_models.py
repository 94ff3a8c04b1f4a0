"""Llamas without a trained weight, for `benchmarks.transplant`, of any size in little memory.

    python -m benchmarks.transplant_models FOLDER llama2-512 donor-gpt2 llama3-first-20000 ...

A number of bf16 is drawn by its bits: a random sign and mantissa under one exponent, so that
all have a size between 1/64 and 1/32. Tensors are written block by block as they are drawn.
"""

import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.corpus import SHARED

EXPONENT = 121 << 7  # 2**-6 with the sign and mantissa bits of bf16 clear
SIGN_AND_MANTISSA = 0x807F
ONE = 0x3F80
BLOCK = 1 << 22  # numbers in memory at once
SIZES = {"gpt2": 50257, "llama2": 32000, "llama3": 128256}
ENDS = {
    "gpt2": ("<|endoftext|>", 50256, "<|endoftext|>", 50256),
    "llama2": ("<s>", 1, "</s>", 2),
    "llama3": ("<|begin_of_text|>", 128000, "<|end_of_text|>", 128001),
}


@dataclass(frozen=True)
class Llama:
    """What a synthetic model is: its tokenizer, its shape and how it is stored."""

    tokenizer: str
    hidden: int
    layers: int = 2
    intermediate: int = 0
    shard_bytes: int = 5_000_000_000
    dtype: str = "BF16"

    @property
    def width(self) -> int:
        """The width of the feed-forward layers; 2.6875 times the others unless given."""
        return self.intermediate or self.hidden * 43 // 16


MODELS = {
    "llama2-512": Llama("llama2", 512),
    "llama2-1024": Llama("llama2", 1024),
    "llama2-2048": Llama("llama2", 2048),
    "llama2-8gb": Llama("llama2", 4096, 19, 11008, 1_000_000_000),
    "gpt2-64-float": Llama("gpt2", 64, 1, dtype="F32"),
    "donor-gpt2": Llama("gpt2", 64, 1),
    "donor-llama3": Llama("llama3", 64, 1),
    "donor-gpt2-2048": Llama("gpt2", 2048, 1),
}


def tensors(llama: Llama) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Name every tensor of a Llama, with its shape."""
    square, wide = (llama.hidden, llama.hidden), (llama.width, llama.hidden)
    yield "model.embed_tokens.weight", (SIZES[llama.tokenizer], llama.hidden)
    for layer in range(llama.layers):
        prefix = f"model.layers.{layer}"
        yield f"{prefix}.input_layernorm.weight", (llama.hidden,)
        yield f"{prefix}.mlp.down_proj.weight", wide[::-1]
        yield f"{prefix}.mlp.gate_proj.weight", wide
        yield f"{prefix}.mlp.up_proj.weight", wide
        yield f"{prefix}.post_attention_layernorm.weight", (llama.hidden,)
        for name in "qkvo":
            yield f"{prefix}.self_attn.{name}_proj.weight", square
    yield "model.norm.weight", (llama.hidden,)
    yield "lm_head.weight", (SIZES[llama.tokenizer], llama.hidden)


def drawn(shape: tuple[int, ...], dtype: str, random: np.random.Generator) -> Iterator[bytes]:
    """Draw a tensor, block by block; vectors are all ones, as those of a norm are at first."""
    left = int(np.prod(shape))
    while left:
        count = min(left, BLOCK)
        bits = random.integers(0, 1 << 16, count, dtype=np.uint16) & SIGN_AND_MANTISSA
        bits = np.full(count, ONE, np.uint16) if len(shape) == 1 else bits | EXPONENT
        yield (bits if dtype == "BF16" else bits.astype(np.uint32) << 16).tobytes()
        left -= count


def shards(llama: Llama) -> list[dict[str, dict]]:
    """Share the tensors out to files; the header of each."""
    size = {"BF16": 2, "F32": 4}[llama.dtype]
    files: list[dict[str, dict]] = [{}]
    end = 0
    for name, shape in tensors(llama):
        length = size * int(np.prod(shape))
        if end and end + length > llama.shard_bytes:
            files.append({})
            end = 0
        entry = {"dtype": llama.dtype, "shape": shape, "data_offsets": (end, end + length)}
        files[-1][name] = entry
        end += length
    return files


def write_weights(folder: Path, llama: Llama) -> None:
    """Write the files of a model, and an index if there are several."""
    random = np.random.default_rng(0)
    files = shards(llama)
    places, total = {}, 0
    for number, entries in enumerate(files, 1):
        name = f"model-{number:05}-of-{len(files):05}.safetensors"
        name = name if len(files) > 1 else "model.safetensors"
        header = json.dumps({"__metadata__": {"format": "pt"}} | entries).encode()
        header += b" " * (-len(header) % 8)
        with Path(folder, name).open("wb") as file:
            file.write(len(header).to_bytes(8, "little") + header)
            for tensor, entry in entries.items():
                places[tensor] = name
                file.writelines(drawn(entry["shape"], llama.dtype, random))
        total += entries[tensor]["data_offsets"][1]
    if len(files) > 1:
        index = {"metadata": {"total_size": total}, "weight_map": places}
        Path(folder, "model.safetensors.index.json").write_text(json.dumps(index))


def write_configuration(folder: Path, llama: Llama) -> None:
    """Write ``config.json`` and ``generation_config.json``."""
    _, begin, _, end = ENDS[llama.tokenizer]
    ids = {"bos_token_id": begin, "eos_token_id": end}
    heads = max(1, llama.hidden // 64)
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": llama.hidden,
        "intermediate_size": llama.width,
        "num_hidden_layers": llama.layers,
        "num_attention_heads": heads,
        "num_key_value_heads": heads,
        "vocab_size": SIZES[llama.tokenizer],
        "max_position_embeddings": 4096,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "hidden_act": "silu",
        "tie_word_embeddings": False,
        "torch_dtype": {"BF16": "bfloat16", "F32": "float32"}[llama.dtype],
    }
    Path(folder, "config.json").write_text(json.dumps(config | ids, indent=1))
    Path(folder, "generation_config.json").write_text(json.dumps(ids | {"do_sample": True}))


def write_tokenizer(folder: Path, name: str) -> None:
    """Write the files that a published model of this vocabulary has beside it."""
    name, _, first = name.partition("-first-")
    about = {
        "bos_token": ENDS[name][0],
        "eos_token": ENDS[name][2],
        "clean_up_tokenization_spaces": False,
        "tokenizer_class": "PreTrainedTokenizerFast",
    }
    if name == "llama2":
        import tokkit

        source = SHARED / "tokenizers" / name / "tokenizer.model"
        tokkit.save(tokkit.load(str(source)), folder, to="hf", force=True)
        shutil.copy(source, folder)
        about |= {"tokenizer_class": "LlamaTokenizer", "unk_token": "<unk>", "legacy": False}
    else:
        folder.mkdir(parents=True, exist_ok=True)
        whole = Path(SHARED, "tokenizers", "hf", name, "tokenizer.json").read_text()
        text = json.dumps(shortened(json.loads(whole), int(first))) if first else whole
        Path(folder, "tokenizer.json").write_text(text)
    Path(folder, "tokenizer_config.json").write_text(json.dumps(about))


def shortened(tokenizer: dict, size: int) -> dict:
    """The first tokens of a byte-level BPE and the special tokens that begin and end a text."""
    model = tokenizer["model"]
    vocabulary = {token: rank for token, rank in model["vocab"].items() if rank < size}
    pairs = [pair.split(" ") if isinstance(pair, str) else pair for pair in model["merges"]]
    merges = [pair for pair in pairs if vocabulary.keys() >= {*pair, "".join(pair)}]
    special = tokenizer["added_tokens"][:2]
    added = [token | {"id": size + number} for number, token in enumerate(special)]
    model |= {"vocab": vocabulary, "merges": merges}
    return tokenizer | {"added_tokens": added, "post_processor": None}


def make(folder: Path, name: str) -> Path:
    """Make a model, or only a tokenizer (``gpt2``), if it is not there yet; its folder."""
    done = folder / name
    if not done.exists():
        new = folder / f"{name}.new"
        shutil.rmtree(new, ignore_errors=True)
        llama = MODELS.get(name)
        write_tokenizer(new, llama.tokenizer if llama else name)
        if llama:
            write_configuration(new, llama)
            write_weights(new, llama)
        new.rename(done)
    return done


if __name__ == "__main__":
    for _name in sys.argv[2:]:
        print(make(Path(sys.argv[1]), _name))
