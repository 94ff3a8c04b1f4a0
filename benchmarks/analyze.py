"""Measure a whole corpus with four tokenizers, against nothing but encoding it.

tokkit reads the documents from their file, encodes them with all four tokenizers, counts words
and tokens, and draws intervals; the foreign libraries only encode texts that they are given.
Both use one thread for each tokenizer, so that CPU time is what counts.
"""

import base64
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.corpus import SHARED, documents
from benchmarks.encode import SHIPPED
from benchmarks.pair import loaded

RANKS = SHARED / "tokenizers" / "tiktoken"
LLAMA = SHARED / "tokenizers" / "hf" / "llama3" / "tokenizer.json"
# As tiktoken ships them.
GPT2 = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"
O200K = "|".join(
    (
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    )
)
FAMILIES: Mapping[str, tuple[str, str]] = {
    "r50k_base": ("gpt2", GPT2),
    "cl100k_base": ("cl100k", SHIPPED),
    "o200k_base": ("o200k", O200K),
}


def tokkit(corpus: Path) -> dict:
    """``analyze``, from the file to the tables."""
    from tokkit import load
    from tokkit.analysis.analyze import analyze
    from tokkit.analysis.labelled import read_labelled

    tokenizers = {
        name: load(RANKS / f"{name}.tiktoken", pattern=pattern)
        for name, (pattern, _) in FAMILIES.items()
    }
    tokenizers["llama3"] = load(LLAMA)
    loaded()
    found = analyze(tokenizers, read_labelled([str(corpus)]))
    results = found.results
    tokens = results[(results["group_by"] == "all") & (results["metric"] == "tokens")]
    return {"tokens": int(tokens["value"].sum())}


def foreign(corpus: Path) -> dict:
    """``Encoding.encode_ordinary`` and ``Tokenizer.encode_batch_fast``."""
    import tokenizers
    from tiktoken import Encoding

    texts = list(documents(corpus))
    encodings = []
    for name, (_, pattern) in FAMILIES.items():
        lines = (
            line.split() for line in (RANKS / f"{name}.tiktoken").read_bytes().splitlines()
        )
        ranks = {base64.b64decode(token): int(rank) for token, rank in lines}
        encodings.append(
            Encoding(name, pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
        )
    llama = tokenizers.Tokenizer.from_file(str(LLAMA))
    loaded()
    total = 0
    for encoding in encodings:
        total += sum(len(encoding.encode_ordinary(text)) for text in texts)
    for first in range(0, len(texts), 256):
        batch = llama.encode_batch_fast(texts[first : first + 256], add_special_tokens=False)
        total += sum(len(each.ids) for each in batch)
    return {"tokens": total}


IMPLEMENTATIONS: Mapping[str, Callable[[Path], dict]] = {
    "tokkit": tokkit,
    "tiktoken and tokenizers": foreign,
}
DISTRIBUTIONS: Mapping[str, str] = {
    "tokkit": "tokkit-toolkit",
    "tiktoken and tokenizers": "tiktoken",
}
