"""Cut a whole corpus by leftmost longest match, with the vocabulary of cl100k_base.

`tokenizers` has to walk its export of the same vocabulary as one regular expression
(`tokkit.formats.trie_regex`), so it gets the first two megabytes only.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.corpus import documents
from benchmarks.encode import RANKS
from benchmarks.pair import loaded

SHARE = 2_000_000


def make():
    """The vocabulary of cl100k_base, cut by longest match."""
    from tokkit import Tokenizer, load
    from tokkit.segment.longest import LongestMatch
    from tokkit.vocab import Vocabulary

    tokens = tuple(token for token in load(RANKS, pattern="cl100k").vocab.tokens if token)
    return Tokenizer(Vocabulary(tokens), LongestMatch(tokens))


def tokkit(corpus: Path) -> dict:
    """``Tokenizer.encode_batch``."""
    texts = [text.encode() for text in documents(corpus)]
    tokenizer = make()
    loaded()
    tokens = sum(map(len, tokenizer.encode_batch(texts)))
    return {"megabytes": sum(map(len, texts)) / 1e6, "tokens": tokens}


def huggingface(corpus: Path) -> dict:
    """What tokkit exports for it."""
    import tokenizers

    import tokkit

    texts, size = [], 0
    for text in documents(corpus):
        if size < SHARE:
            texts.append(text)
            size += len(text.encode())
    with TemporaryDirectory() as folder:
        tokkit.save(make(), Path(folder, "exported"))
        tokenizer = tokenizers.Tokenizer.from_file(str(Path(folder, "exported/tokenizer.json")))
    loaded()
    encodings = (tokenizer.encode(text, add_special_tokens=False) for text in texts)
    tokens = sum(len(encoding.ids) for encoding in encodings)
    return {"megabytes": size / 1e6, "tokens": tokens}


IMPLEMENTATIONS: Mapping[str, Callable[[Path], dict]] = {
    "tokkit": tokkit,
    "tokenizers (exported)": huggingface,
}
DISTRIBUTIONS: Mapping[str, str] = {
    "tokkit": "tokkit-toolkit",
    "tokenizers (exported)": "tokenizers",
}
