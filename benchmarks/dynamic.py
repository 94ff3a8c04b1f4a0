"""Merging a batch, beside counting everything again for every merge.

    python -m benchmarks.dynamic TOKENIZER CORPUS [--documents 256] [--merges 1000]

Both are Python, in one process and by turns; the time is the processor's. The other one is
`tests/reference/dynamic.py`, which does what the code of arXiv 2411.18553 does, with its answer
for every pair remembered; both give the same merges, which is checked.
"""

import argparse
import statistics
import time
from functools import lru_cache

from tests.reference.dynamic import merge_again_and_again
from tokkit import load
from tokkit.dynamic import merge_batch
from tokkit.dynamic.boundaries import may_merge
from tokkit.streaming import read_documents


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tokenizer")
    parser.add_argument("corpus")
    parser.add_argument("--documents", type=int, default=256)
    parser.add_argument("--merges", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    tokenizer = load(given.tokenizer)
    documents = [text[:2000] for text in read_documents([given.corpus]) if len(text) > 200]
    batch = tokenizer.encode_batch(documents[: given.documents], parse_specials=False)
    plain = [[tokenizer.vocab.tokens[i] for i in ids.tolist()] for ids in batch]
    ours, theirs = [], []
    for _ in range(given.runs):
        start = time.process_time()
        merged = merge_batch(tokenizer, batch, merges=given.merges)
        ours.append(time.process_time() - start)
        start = time.process_time()
        remembered = lru_cache(maxsize=None)(may_merge(tokenizer, "pretokens"))
        expected, _ = merge_again_and_again(plain, remembered, given.merges)
        theirs.append(time.process_time() - start)
        assert sum(map(len, expected)) == merged.lengths[-1]
    print(f"{len(batch)} documents, {merged.lengths[0]:,} tokens, {len(merged.merges)} merges")
    print(
        f"tokkit {statistics.median(ours):.3f} s, recounting {statistics.median(theirs):.2f} s"
    )
    ratios = [one / two for one, two in zip(theirs, ours, strict=True)]
    print(f"ratio {statistics.median(ratios):.1f}")


if __name__ == "__main__":
    main()
