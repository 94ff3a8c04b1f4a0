"""Encode a whole corpus with cl100k_base, on one thread.

The ranks are those of the reference data beside the checkout. Every implementation first reads
the documents and loads its tokenizer; "CPU s after loading" is what encoding costs.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.corpus import SHARED, documents
from benchmarks.pair import loaded

RANKS = SHARED / "tokenizers" / "tiktoken" / "cl100k_base.tiktoken"
# As tiktoken ships it; without possessive quantifiers it takes a quarter less, for equal ids.
SHIPPED = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
    r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
)
HF = SHARED / "tokenizers" / "hf" / "cl100k" / "tokenizer.json"


def tokkit(corpus: Path) -> dict:
    """``Tokenizer.encode_batch``."""
    from tokkit import load

    texts = list(documents(corpus))
    tokenizer = load(RANKS, pattern="cl100k")
    loaded()
    return {"tokens": sum(map(len, tokenizer.encode_batch(texts)))}


def tiktoken(corpus: Path) -> dict:
    """``Encoding.encode_ordinary``, document by document: one thread."""
    import base64

    from tiktoken import Encoding

    texts = list(documents(corpus))
    lines = (line.split() for line in RANKS.read_bytes().splitlines())
    ranks = {base64.b64decode(token): int(rank) for token, rank in lines}
    encoding = Encoding("cl100k", pat_str=SHIPPED, mergeable_ranks=ranks, special_tokens={})
    loaded()
    return {"tokens": sum(len(encoding.encode_ordinary(text)) for text in texts)}


def huggingface(corpus: Path) -> dict:
    """``Tokenizer.encode_batch_fast``, in batches of 256, which are dropped at once."""
    from tokenizers import Tokenizer

    texts = list(documents(corpus))
    tokenizer = Tokenizer.from_file(str(HF))
    loaded()
    total = 0
    for first in range(0, len(texts), 256):
        batch = tokenizer.encode_batch_fast(
            texts[first : first + 256], add_special_tokens=False
        )
        total += sum(len(encoding.ids) for encoding in batch)
    return {"tokens": total}


IMPLEMENTATIONS: Mapping[str, Callable[[Path], dict]] = {
    "tokkit": tokkit,
    "tiktoken": tiktoken,
    "tokenizers": huggingface,
}
DISTRIBUTIONS: Mapping[str, str] = {
    "tokkit": "tokkit-toolkit",
    "tiktoken": "tiktoken",
    "tokenizers": "tokenizers",
}
