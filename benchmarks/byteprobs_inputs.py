"""The models and texts of `benchmarks.byteprobs`, made once: ``python -m ...inputs FOLDER``.

* ``stories``: stories260k, the only real model, with a story that it wrote itself;
* ``gpt2``: a model of 4 layers with the vocabulary of GPT-2, taught for a minute so that its
  probabilities have the shape that text gives them, with prose it has not seen;
* ``deep``: one with the 12 layers of GPT-2 and random weights, where the forward pass rules;
* ``llama3``: one layer and the 128,256 ids of Llama 3, where everything else rules.
"""

import json
import shutil
import sys
from pathlib import Path

from benchmarks.corpus import ROOT, SHARED

DEFAULT = ROOT / "build" / "benchmarks" / "byteprobs"
STORY = b"Once upon a time, there was a little girl named Lily. "
MODELS = ("stories", "gpt2", "deep", "llama3")


def tokenizer_folder(folder: Path, name: str, special: tuple[str, str]) -> None:
    """Copy a ``tokenizer.json`` and say beside it what begins and what ends a text."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(SHARED / "tokenizers" / "hf" / name / "tokenizer.json", folder)
    about = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": special[0],
        "eos_token": special[1],
        "clean_up_tokenization_spaces": False,
    }
    Path(folder, "tokenizer_config.json").write_text(json.dumps(about))


def prose() -> bytes:
    """Paragraphs of Wikipedia in which no word was left out, without headings."""
    lines = (SHARED / "corpora" / "wikitext2_test.txt").read_text().splitlines()
    paragraphs = [line.strip() for line in lines if len(line) > 200 and "<unk>" not in line]
    return "\n".join(paragraphs).replace(" @-@ ", "-").replace(" @,@ ", ",").encode()


def gpt2(folder: Path, layers: int, width: int, steps: int) -> None:
    """A small GPT-2 with random weights, taught for some steps of 512 tokens."""
    import tokenizers
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    tokenizer_folder(folder, "gpt2", ("<|endoftext|>", "<|endoftext|>"))
    torch.manual_seed(0)
    shape = {"n_layer": layers, "n_embd": width, "n_head": width // 32}
    model = GPT2LMHeadModel(GPT2Config(**shape, bos_token_id=50256, eos_token_id=50256))
    tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    lesson = (SHARED / "corpora" / "wikitext2_valid.txt").read_text()
    ids = torch.tensor(tokenizer.encode(lesson).ids)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    for step in range(steps):
        batch = ids[step * 512 :][:512].reshape(4, 128)
        model(input_ids=batch, labels=batch).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.save_pretrained(folder)
    Path(folder, "text").write_bytes(prose())


def llama3(folder: Path) -> None:
    """One layer of random weights with a large vocabulary."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer_folder(folder, "llama3", ("<|begin_of_text|>", "<|end_of_text|>"))
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1}
    config = LlamaConfig(
        **shape,
        vocab_size=128256,
        num_attention_heads=2,
        max_position_embeddings=8192,
        initializer_range=0.2,
        bos_token_id=128000,
        eos_token_id=128001,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    Path(folder, "text").write_bytes(prose())


def stories(folder: Path) -> None:
    """stories260k, and a story of 1,100 bytes that it draws."""
    import sentencepiece
    import torch
    from transformers import AutoModelForCausalLM

    source = SHARED / "models" / "stories260k"
    shutil.copytree(source, folder)
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_pretrained(source)
    spelled = sentencepiece.SentencePieceProcessor(str(source / "tokenizer.model"))
    ids = [1, *spelled.encode(STORY.decode().strip())]
    with torch.inference_mode():
        while len(spelled.decode(ids[1:]).encode()) < 1100:
            logits = model(torch.tensor([ids])).logits[0, -1] / 0.7
            logits[:3] = -torch.inf
            ids.append(int(torch.multinomial(torch.softmax(logits, 0), 1)))
    Path(folder, "text").write_bytes(spelled.decode(ids[1:]).encode())


def make(folder: Path) -> None:
    """Make every folder that is not there yet."""
    makers = {
        "stories": stories,
        "gpt2": lambda path: gpt2(path, layers=4, width=128, steps=80),
        "deep": lambda path: gpt2(path, layers=12, width=768, steps=0),
        "llama3": llama3,
    }
    for name, maker in makers.items():
        if not Path(folder, name, "text").exists():
            shutil.rmtree(folder / name, ignore_errors=True)
            maker(folder / name)


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT)
