"""Sampling vocabularies and cutting by them, beside dictionaries and other libraries.

    python -m benchmarks.hypernet_sampling CORPUS [--block 256000] [--queue 16] [--size 8192]

Everything is run in one process and by turns; the time is the processor's, the median of some
rounds. Substrings are counted by `collections.Counter`, once per distinct word, too. Lines are
cut by the same vocabulary, sampled across words, with sentencepiece and tokenizers; all three
are given one character per byte, prepared before, and build what they need from the pieces.
"""

import argparse
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from math import log
from typing import Any

from tokkit.alphabet import to_byte_level
from tokkit.formats.sentencepiece_model import (
    Normalization,
    Piece,
    PieceType,
    SentencePieceModel,
    write_model,
)
from tokkit.hypernet.sampling import NOISE, SampledVocab, Sampler
from tokkit.hypernet.substrings import STRIDE, cut_lines, within_words
from tokkit.patterns import find_pattern
from tokkit.pretokenize import Pieces, for_pattern
from tokkit.streaming import read_documents
from tokkit.vocab import flatten

LONGEST = 16
WORDS = for_pattern(find_pattern("gpt2"))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus")
    parser.add_argument("--block", type=int, default=256_000)
    parser.add_argument("--queue", type=int, default=16)
    parser.add_argument("--size", type=int, default=8192)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    blocks = list(make_blocks(given.corpus, given.block))
    print(f"{len(blocks)} blocks of {given.block:,} bytes")
    compare(
        "counting the substrings of a block",
        {
            "tokkit": lambda: len(within_words(blocks[0], WORDS, LONGEST).weights),
            "Counter": lambda: len(count(blocks[0])),
        },
        given.rounds,
    )
    for across_words in (0.0, 1.0):
        sample(blocks, given, across_words)
    cut_all(blocks, given)


def make_blocks(corpus: str, size: int) -> Iterator[list[bytes]]:
    """Put documents together to blocks of some size."""
    block: list[bytes] = []
    for document in read_documents([corpus]):
        block.append(document)
        if sum(map(len, block)) >= size:
            yield block
            block = []


def count(texts: Sequence[bytes]) -> Counter[bytes]:
    """Weigh the substrings of words with a dictionary; text is taken to be ASCII."""
    weights: Counter[bytes] = Counter()
    for word, times in Counter(WORDS.split(Pieces(*flatten(texts))).as_bytes()).items():
        for start in range(0, len(word), STRIDE):
            for end in range(start + 1, min(len(word), start + LONGEST) + 1):
                weights[word[start:end]] += times * (end - start)
    return weights


def sample(blocks: Sequence[list[bytes]], given: argparse.Namespace, across: float) -> None:
    """Time steps in a row, when all blocks but the newest are counted."""
    sampler = Sampler(
        lambda number: blocks[number % len(blocks)],
        WORDS,
        size=given.size,
        queue=given.queue,
        across_words=across,
    )
    seconds = []
    for step in range(given.queue - 1, given.queue + given.rounds):
        start = time.process_time()
        sampler.vocabulary(step)
        seconds.append(time.process_time() - start)
    kind = "across words" if across else "within words"
    print(f"sampling {given.size:,} tokens {kind}")
    print(f"  first {seconds[0]:.3f} s, then {statistics.median(seconds[1:]):.3f} s")


def cut_all(blocks: Sequence[list[bytes]], given: argparse.Namespace) -> None:
    """Cut the lines of a block with three libraries."""
    sampler = Sampler(
        lambda number: blocks[number],
        WORDS,
        size=given.size,
        queue=2,
        noise=(log(1e-9), NOISE[1]),
        across_words=1.0,
    )
    vocab = sampler.vocabulary(1)
    lines = [to_byte_level(line) for line in cut_lines(blocks[0]).as_bytes()]
    compare(
        "cutting the lines of a block, tokens",
        {
            "tokkit": lambda: cut(sampler, vocab, blocks[0]),
            "sentencepiece": lambda: cut_by_sentencepiece(vocab, lines),
            "tokenizers": lambda: cut_by_tokenizers(vocab, lines),
        },
        given.rounds,
    )


def cut(sampler: Sampler, vocab: SampledVocab, texts: Sequence[bytes]) -> int:
    """Cut texts, with an automaton built anew."""
    anew = SampledVocab(vocab.tokens, vocab.scores, vocab.across_words)
    return sum(map(len, sampler.segment(anew, texts)))


def cut_by_sentencepiece(vocab: SampledVocab, lines: Sequence[str]) -> int:
    """Cut lines by a model of the same pieces."""
    import sentencepiece

    plain = Normalization(
        add_dummy_prefix=False, remove_extra_whitespaces=False, escape_whitespaces=False
    )
    pieces = [
        Piece(to_byte_level(token), score, PieceType.NORMAL)
        for token, score in zip(vocab.tokens, vocab.scores.tolist(), strict=True)
    ]
    model = SentencePieceModel(
        (Piece("<unk>", 0.0, PieceType.UNKNOWN), *pieces), normalization=plain
    )
    processor = sentencepiece.SentencePieceProcessor()
    processor.LoadFromSerializedProto(write_model(model))
    return sum(map(len, processor.encode(list(lines), num_threads=1)))


def cut_by_tokenizers(vocab: SampledVocab, lines: Sequence[str]) -> int:
    """Cut lines by a model of the same pieces."""
    from tokenizers import Tokenizer, models

    pieces = zip(map(to_byte_level, vocab.tokens), vocab.scores.tolist(), strict=True)
    tokenizer = Tokenizer(models.Unigram(list(pieces), 0))
    return sum(len(tokenizer.encode(line).ids) for line in lines)


def compare(title: str, ways: dict[str, Callable[[], Any]], rounds: int) -> None:
    """Run every way in turn, some rounds; print medians, ratios to the first, and results."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    results = {}
    for turn in range(rounds + 1):  # the first compiles kernels
        for name, way in ways.items():
            start = time.process_time()
            results[name] = way()
            if turn:
                seconds[name].append(time.process_time() - start)
    print(title)
    first = statistics.median(next(iter(seconds.values())))
    for name, times in seconds.items():
        median = statistics.median(times)
        print(f"  {name:14} {median:8.4f} s  x{median / first:6.1f}  {results[name]:,}")


if __name__ == "__main__":
    main()
