"""Bytes per token on prose that was held out, each algorithm at equal size.

    python -m benchmarks.held_out --sizes 20000 32768

25 MB of the English reference corpora are learned from, by their documents' hashes; every
twentieth document is held out. The last column is text of another kind: questions of GSM8K.
"""

import argparse
import json
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.corpus import SHARED

PROSE = {
    "docs": ("docs_en.jsonl.gz",),
    "web": ("c4_sample.jsonl",),
    "wiki": ("wikitext2_test.txt", "wikitext2_valid.txt"),
    "plays": ("tiny_shakespeare.txt",),
}
ALGORITHMS = ("bpe", "supertokens", "superbpe", "lib")
TRAINING = 25_000_000
PAGE = 20_000  # characters: a file of plain text is documents of this length


def documents(name: str) -> Iterator[bytes]:
    """Yield the documents of a reference corpus."""
    from tokkit.corpus import open_corpus

    for text in open_corpus([SHARED / "corpora" / name]).documents():
        if name.endswith(".txt"):
            page = text.decode()
            yield from (page[i : i + PAGE].encode() for i in range(0, len(page), PAGE))
        else:
            yield text


def is_held_out(text: bytes) -> bool:
    """Choose one document of twenty by its content."""
    return blake2b(text, digest_size=2, person=b"held out").digest()[0] < 13


def split(path: Path) -> dict[str, list[bytes]]:
    """Write what is learned from; return what is held out of each kind of text."""
    held: dict[str, list[bytes]] = {}
    size = 0
    with path.open("w", encoding="utf-8") as file:
        for kind, names in reversed(PROSE.items()):  # the largest last: it is cut off
            held[kind] = []
            for text in (each for name in names for each in documents(name)):
                if is_held_out(text):
                    held[kind].append(text)
                elif size + len(text) <= TRAINING:
                    size += len(text)
                    file.write(json.dumps({"text": text.decode()}) + "\n")
    held["all"] = [text for texts in held.values() for text in texts]
    with (SHARED / "eval" / "gsm8k_test.jsonl").open(encoding="utf-8") as file:
        held["gsm8k"] = [json.loads(line)["question"].encode() for line in file]
    return held


def learn(algorithm: str, corpus: Path, size: int):
    """Learn a tokenizer of exactly `size` tokens with the defaults of the command."""
    from tokkit.corpus import open_corpus
    from tokkit.learn import ALGORITHMS as LEARNERS
    from tokkit.learn.options import Job, LiB, Options
    from tokkit.learn.training import choose_pattern

    options = Options(
        vocab_size=size,
        pattern=choose_pattern(None, "keep", algorithm, None),
        lib=LiB(target_size=size),
    )
    tokenizer, _ = LEARNERS[algorithm](open_corpus([corpus]), options, Job())
    assert len(tokenizer) == size
    return tokenizer


def main() -> None:
    """Learn and print a table per size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=[20_000, 32_768])
    sizes = parser.parse_args().sizes
    with TemporaryDirectory() as folder:
        corpus = Path(folder, "prose.jsonl")
        held = split(corpus)
        kinds = [*PROSE, "all", "gsm8k"]
        print("held out, kB:", {kind: sum(map(len, held[kind])) // 1000 for kind in kinds})
        for size in sizes:
            print(f"\n| {size:,} tokens | {' | '.join(kinds)} | all / bpe | gsm8k / bpe |")
            print(f"|---|{'--:|' * (len(kinds) + 2)}")
            first: dict[str, float] = {}
            for algorithm in ALGORITHMS:
                encode = learn(algorithm, corpus, size).encode_batch
                rates = {
                    kind: sum(map(len, held[kind])) / sum(map(len, encode(held[kind])))
                    for kind in kinds
                }
                first = first or rates
                cells = [f"{rates[kind]:.3f}" for kind in kinds]
                cells += [f"{rates[kind] / first[kind]:.3f}" for kind in ("all", "gsm8k")]
                print(f"| {algorithm} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
