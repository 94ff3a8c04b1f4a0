"""Writing in the tokens of a large vocabulary, beside writing in a model's own.

    python -m benchmarks.dynamic_generate MODEL CORPUS PROMPTS [--embeddings mean last/front]
        [--hypernet DIR] [--boost 0 2] [--size 100000] [--words 2] [--texts 16] [--bytes 200]

Words of CORPUS become tokens; documents of PROMPTS, cut after 100 bytes, are gone on from, once
greedily and once drawn (min-p 0.1), both with a repetition penalty of 1.1. Bits per byte are
those of the texts under the model itself, in its own tokens, after the prompt: how much it
thinks of what was written. Times are the processor's, with one thread; recall is the index's,
of the best of all tokens and of the best new one.
"""

import argparse
import resource
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice, product
from pathlib import Path

import numpy as np
import torch

from tokkit.corpus import open_corpus
from tokkit.dynamic.models.embedding import find_rows
from tokkit.dynamic.writing.choices import Options
from tokkit.dynamic.writing.generate import Writer
from tokkit.dynamic.writing.index import TokenIndex
from tokkit.dynamic.writing.indexing import build_index
from tokkit.dynamic.writing.vocabulary import frequent_tokens
from tokkit.hypernet.source import SourceRows
from tokkit.lm.hf import HFModel
from tokkit.streaming import read_documents

PROMPT = 100
WAYS = {
    "greedy": Options(temperature=0.0, repetition_penalty=1.1),
    "drawn": Options(),
}


def main() -> None:
    """Measure and print."""
    given = arguments()
    torch.set_num_threads(1)
    source = SourceRows.read(given.model)
    corpus = open_corpus([given.corpus])
    tokens = frequent_tokens(source.tokenizer, corpus, given.size, words=given.words)
    documents = (text for text in read_documents([given.prompts]) if len(text) > 2 * PROMPT)
    prompts = [cut(text) for text in islice(documents, given.texts)]
    model = HFModel.load(given.model, dtype="float32")
    print(f"{len(tokens):,} new tokens, {len(prompts)} prompts, {given.bytes} bytes of each\n")
    print(f"{'rows':22} boost way     bytes/token  new  bits/byte   ms/token  recall  of new")
    show("none", Writer(model), prompts, given)
    folder = Path(tempfile.mkdtemp())
    makers = [find_rows(source, name) for name in given.embeddings]
    if given.hypernet:
        makers.append(find_rows(source, hypernet=given.hypernet))
    for rows in makers:
        began = time.process_time()
        build_index(source, tokens, rows, folder / "index", kind=given.kind, force=True)
        seconds = time.process_time() - began
        size = sum(path.stat().st_size for path in (folder / "index").iterdir()) / 1e6
        print(f"index of {rows.name}: {seconds:.1f} s, {size:.0f} MB")
        index = TokenIndex(folder / "index", probe=given.probe)
        show(rows.name, Writer(model, index), prompts, given, given.boost)
    shutil.rmtree(folder)
    print(f"\npeak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("corpus")
    parser.add_argument("prompts")
    parser.add_argument("--embeddings", nargs="*", default=["last/front-shrunk", "last/front"])
    parser.add_argument("--hypernet")
    parser.add_argument("--size", type=int, default=100_000)
    parser.add_argument("--words", type=int, default=2)
    parser.add_argument("--texts", type=int, default=16)
    parser.add_argument("--bytes", type=int, default=200)
    parser.add_argument("--boost", type=float, nargs="*", default=[0.0])
    parser.add_argument("--kind", choices=["flat", "ivf"])
    parser.add_argument("--probe", type=float, default=0.25)
    return parser.parse_args()


def cut(text: bytes) -> bytes:
    """Return the beginning of a text, up to the last space in it."""
    return text[:PROMPT].rpartition(b" ")[0]


def show(
    name: str,
    writer: Writer,
    prompts: list[bytes],
    given: argparse.Namespace,
    boosts: Sequence[float] = (0.0,),
) -> None:
    """Write texts and print a line for each way."""
    for boost, (way, options) in product(boosts, WAYS.items()):
        found, spent = [], 0.0
        for seed, prompt in enumerate(prompts):
            own = replace(options, max_bytes=given.bytes, boost=boost, seed=seed)
            began = time.process_time()
            writing = writer.begin(prompt, own)
            for _ in writing:
                pass
            spent += time.process_time() - began
            found.append(writing.result())
        exact = [writer.write(prompt, options, exact=True) for prompt in prompts[:4]]
        recall = [(each.recall, each.recall_new) for each in exact if each.recall is not None]
        size = sum(len(each.data) for each in found)
        count = sum(len(each.tokens) for each in found)
        pairs = zip(prompts, found, strict=True)
        bits = np.mean([thinks(writer.model, prompt, each.data) for prompt, each in pairs])
        new = sum(each.new for each in found) / count
        shares = np.mean(recall, axis=0) if recall else []
        print(
            f"{name:22} {boost:5.1f} {way:7} {size / count:11.2f} {new:5.1%} {bits:9.2f} "
            f"{1000 * spent / count:10.2f} {' '.join(f'{share:7.1%}' for share in shares)}",
            flush=True,
        )


@torch.inference_mode()
def thinks(model: HFModel, prompt: bytes, text: bytes) -> float:
    """Return the bits per byte of a text after a prompt, in the model's own tokens."""
    before = [*model.start, *model.tokenizer.encode(prompt).tolist()]
    ids = model.tokenizer.encode(text).tolist()
    if not ids:
        return 0.0
    logits = model.model(input_ids=torch.tensor([[*before, *ids]])).logits[0]
    rows = logits[len(before) - 1 : -1].log_softmax(-1)
    nats = -rows[torch.arange(len(ids)), torch.tensor(ids)].sum()
    return float(nats) / np.log(2) / len(text)


if __name__ == "__main__":
    main()
