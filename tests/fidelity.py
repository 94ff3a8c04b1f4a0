"""Compare every tokenizer with its own library, id by id, over real and random text.

    python tests/fidelity.py                          # everything: takes an hour
    python tests/fidelity.py llama3 --megabytes 5 --fuzz 10000
    python tests/fidelity.py --only hf --slice 2/8    # the second of eight parts
    python tests/fidelity.py path/to/tokenizer.model  # one of your own

Prints one line for each tokenizer, and exits 1 if there was any mismatch. Real text is what the
folder of reference data holds (TOKKIT_SHARED_DATA): documents in more than thirty languages,
code, books, web pages. Random text is made of code points, of the tokenizer's own tokens and of
pieces of real text.
"""

import argparse
import gzip
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import numpy as np

import tokkit
from tokkit.formats.check import AWKWARD
from tokkit.tokenizer import Tokenizer

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("TOKKIT_SHARED_DATA", ROOT.parent / "shared" / "data"))

Encode = Callable[[Sequence[str]], list[list[int]]]


@dataclass(frozen=True)
class Pair:
    """A tokenizer as tokkit reads it and as its own library does."""

    tokenizer: Tokenizer
    encode: Encode


def real_texts(corpora: Path) -> Iterator[str]:
    """Documents of the reference corpora, the most varied first."""
    for record in _records(corpora / "parallel_fastapi.jsonl.gz"):
        yield from record["text"].values()
    for record in _records(corpora / "udhr.jsonl"):
        yield from _strings(record["segments"])
    for name in ("zh_gsdsimp_dev.jsonl", "zh_gsdsimp_test.jsonl", "c4_sample.jsonl"):
        for record in _records(corpora / name):
            yield record["text"]
    for name in ("wikitext2_test.txt", "wikitext2_valid.txt", "br-text.txt", "br-phono.txt"):
        yield (corpora / name).read_text(encoding="utf-8")
    yield (corpora / "tiny_shakespeare.txt").read_text(encoding="utf-8")
    for record in _records(corpora.parent / "eval" / "gsm8k_test.jsonl"):
        yield record["question"]
    for name in ("code.jsonl.gz", "docs_en.jsonl.gz"):
        for record in _records(corpora / name):
            yield record["text"]


def _records(path: Path) -> Iterator[Any]:
    """The records of a file of JSON lines."""
    unpack = gzip.open if path.suffix == ".gz" else open
    with unpack(path, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


def _strings(value: Any) -> Iterator[str]:
    """Every string in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _strings(each)


def take(texts: Iterator[str], size: int) -> Iterator[str]:
    """The texts that make up the first `size` bytes."""
    for text in texts:
        if size <= 0:
            return
        size -= len(text.encode())
        yield text


_RANGES = (
    *((0x20, 0x7F), (0x20, 0x7F), (0x20, 0x7F), (0, 0x20), (0x80, 0x250), (0x250, 0x600)),
    *((0x600, 0x1200), (0x1200, 0x2000), (0x2000, 0x2C00), (0x2C00, 0x3400), (0x3400, 0xA000)),
    *((0xA000, 0xD800), (0xE000, 0x10000), (0x10000, 0x11000), (0x11000, 0x20000)),
    *((0x1D400, 0x1F000), (0x1F300, 0x1FA00), (0x20000, 0x32000), (0xE0000, 0xE0200)),
)
_LIKELY = (
    *" \u00a0\u3000\t\n\r\u2028\u200b\u200d\ufeff▁'’.,-_/#0123456789\u0301\u0308",
    *"ſKſstdmvrelnTSDM",
    *(
        "  ",
        "\n\n",
        "\r\n",
        "'s",
        "'ll",
        "'RE",
        "###",
        "123456",
        "ﬁ",
        "½",
        "٣",
        "\0",
        "e\u0301",
    ),
)


def fuzz_texts(tokenizer: Tokenizer, real: Sequence[str], count: int, seed: int) -> list[str]:
    """Random texts of code points, likely trouble, own tokens, specials and real text."""
    random = np.random.default_rng(seed)
    tokens = [token for token in tokenizer.vocab.tokens if token]
    specials = [*tokenizer.vocab.specials, *(each.content for each in tokenizer.added.tokens)]

    def code_point() -> str:
        first, last = _RANGES[random.integers(len(_RANGES))]
        return chr(random.integers(first, last))

    def token() -> str:
        return tokens[random.integers(len(tokens))].decode("utf-8", "ignore")

    def special() -> str:
        return specials[random.integers(len(specials))] if specials else "<s>"

    def cutting() -> str:
        text = real[random.integers(len(real))]
        start = int(random.integers(max(len(text) - 20, 1)))
        return text[start : start + int(random.integers(1, 20))]

    def likely() -> str:
        return _LIKELY[random.integers(len(_LIKELY))]

    kinds = (code_point, likely, token, token, cutting, special)
    weights = np.array([0.25, 0.3, 0.15, 0.15, 0.13, 0.02])
    texts = []
    for _ in range(count):
        length = int(random.integers(1, 14))
        chosen = random.choice(len(kinds), size=length, p=weights)
        text = "".join(kinds[kind]() for kind in chosen)
        texts.append(text * int(random.integers(2, 9)) if random.random() < 0.05 else text)
    return texts


def compare(pair: Pair, texts: Sequence[str]) -> list[str]:
    """The texts on which a pair differs."""
    ours = pair.tokenizer.encode_batch(texts)
    theirs = pair.encode(texts)
    return [
        text
        for text, our, their in zip(texts, ours, theirs, strict=True)
        if our.tolist() != list(their)
    ]


def hf_pair(path: Path) -> Pair:
    """tokenizers' reading of a ``tokenizer.json``."""
    import tokenizers

    backend = tokenizers.Tokenizer.from_file(str(path))
    return Pair(
        tokkit.load(path),
        lambda texts: [
            each.ids
            for each in backend.encode_batch_fast(list(texts), add_special_tokens=False)
        ],
    )


def sentencepiece_pair(path: Path) -> Pair:
    """sentencepiece's reading of a model."""
    import sentencepiece

    processor = sentencepiece.SentencePieceProcessor(model_file=str(path))
    return Pair(tokkit.load(path), lambda texts: [processor.encode(text) for text in texts])


def tiktoken_pair(path: Path) -> Pair:
    """tiktoken's reading of a file of ranks, with its own pattern where it has one."""
    import tiktoken
    from tiktoken_ext import openai_public

    from tokkit.formats.tiktoken import read_ranks

    tokenizer = tokkit.load(path)
    assert tokenizer.pattern is not None
    encoding = tiktoken.Encoding(
        path.stem,
        pat_str=_official(openai_public, path.stem) or tokenizer.pattern.for_engine("rust"),
        mergeable_ranks=read_ranks(path, path.read_bytes()),
        special_tokens=dict(tokenizer.vocab.specials),
    )
    return Pair(tokenizer, lambda texts: [encoding.encode_ordinary(text) for text in texts])


def _official(openai_public: Any, name: str) -> str | None:
    """The pattern tiktoken itself uses for one of OpenAI's encodings."""
    load, openai_public.load_tiktoken_bpe = openai_public.load_tiktoken_bpe, lambda *_, **__: {}
    try:
        constructor = openai_public.ENCODING_CONSTRUCTORS.get(name)
        return constructor()["pat_str"] if constructor else None
    finally:
        openai_public.load_tiktoken_bpe = load


def files_pair(folder: Path, pattern: str, regexes: Sequence[str]) -> Pair:
    """tokenizers' byte-level BPE over ``vocab.json`` and ``merges.txt``, cut by regexes."""
    from tokenizers import Regex, models, pre_tokenizers
    from tokenizers import Tokenizer as Backend

    backend = Backend(
        models.BPE.from_file(str(folder / "vocab.json"), str(folder / "merges.txt"))
    )
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [
            *(pre_tokenizers.Split(Regex(regex), "isolated") for regex in regexes),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    return Pair(
        tokkit.load(folder / "vocab.json", pattern=pattern),
        lambda texts: [each.ids for each in backend.encode_batch_fast(list(texts))],
    )


def any_pair(path: Path) -> Pair:
    """A tokenizer by its path, beside the library its format belongs to."""
    file = path
    if path.is_dir():
        names = ("tokenizer.json", "tokenizer.model", "spiece.model")
        file = next((path / name for name in names if (path / name).is_file()), path)
    if file.suffix == ".json":
        return hf_pair(file)
    source = tokkit.load(file).source
    assert source is not None
    return sentencepiece_pair(file) if source.format == "sentencepiece" else tiktoken_pair(file)


def pairs(shared: Path) -> dict[str, Callable[[], Pair]]:
    """Every tokenizer there is here, by name: the reference ones, and one of each family."""
    from tests.formats.families import CL100K, FAMILIES, GPT2

    folder = shared / "tokenizers"
    found: dict[str, Callable[[], Pair]] = {}
    for path in sorted(folder.rglob("tokenizer.json")):
        found[f"hf {path.parent.name}"] = lambda path=path: hf_pair(path)
    for path in sorted([*folder.rglob("*.model*"), *shared.glob("models/*/*.model")]):
        found[f"model {path.parent.name} {path.name}"] = lambda path=path: any_pair(path)
    for path in sorted(folder.rglob("*.tiktoken")):
        found[f"tiktoken {path.stem}"] = lambda path=path: tiktoken_pair(path)
    path = shared / "models" / "stories260k" / "tokenizer.json"
    found["hf stories260k"] = lambda: hf_pair(path)
    baseline = folder / "superbpe_baseline_bpe_200k"
    found["files superbpe_baseline"] = lambda: files_pair(baseline, "gpt2", [GPT2])
    found["files superbpe_baseline llama3"] = lambda: files_pair(baseline, "llama3", [CL100K])
    for name, build in FAMILIES.items():
        found[f"family {name}"] = lambda build=build: _built(build())
    return found


def _built(content: Any) -> Pair:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tokenizer.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        return hf_pair(path)


def report(name: str, pair: Pair, megabytes: float, fuzz: int, seed: int) -> int:
    """Compare one pair, print a line, and return the number of mismatches."""
    start = time.process_time()
    real = list(take(real_texts(SHARED / "corpora"), int(megabytes * 1e6)))
    size = sum(len(text.encode()) for text in real)
    wrong = compare(pair, [*AWKWARD, *real])
    random_texts = fuzz_texts(pair.tokenizer, real or AWKWARD, fuzz, seed)
    wrong += compare(pair, random_texts)
    spent = time.process_time() - start
    print(  # noqa: T201
        f"{name:44} {size / 1e6:6.1f} MB in {len(real)} documents, {fuzz} random: "
        f"{len(wrong)} mismatches  ({spent:.0f} s)",
        flush=True,
    )
    for text in sorted(wrong, key=len)[:3]:
        ours = pair.tokenizer.encode(text).tolist()
        theirs = pair.encode([text])[0]
        print(f"    {text[:100]!r}\n      {ours[:16]}\n      {theirs[:16]}")  # noqa: T201
    return len(wrong)


def main() -> int:
    """Compare what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="parts of names, or paths")
    parser.add_argument("--only", default="", help="only names that start like this")
    parser.add_argument("--megabytes", type=float, default=20)
    parser.add_argument("--fuzz", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--slice", default="1/1", help="such as 2/8: only that part of the names"
    )
    options = parser.parse_args()
    known = pairs(SHARED)
    paths = [Path(name) for name in options.names if Path(name).exists()]
    parts = [name for name in options.names if not Path(name).exists()]
    chosen = {str(path): lambda path=path: any_pair(path) for path in paths}
    if parts or not paths:
        chosen |= {
            name: make
            for name, make in known.items()
            if name.startswith(options.only) and (not parts or any(p in name for p in parts))
        }
    part, of = map(int, options.slice.split("/"))
    mismatches = 0
    for name in list(chosen)[part - 1 :: of]:
        mismatches += report(
            name, chosen[name](), options.megabytes, options.fuzz, options.seed
        )
    return 1 if mismatches else 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
