"""Compile every kernel at once, so that no later command has to."""

import importlib
import pkgutil
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from tokkit import kernels
from tokkit.byteprobs import ByteLM
from tokkit.byteprobs.results import SEGMENTATIONS
from tokkit.corpus import open_corpus
from tokkit.hypernet.sampling import Sampler
from tokkit.learn import ALGORITHMS
from tokkit.learn.merging import NO_MERGES
from tokkit.learn.options import Job, LiB, Options
from tokkit.lm import NGramModel
from tokkit.patterns import find_pattern
from tokkit.pretokenize import for_pattern
from tokkit.progress import Progress, silent
from tokkit.segment.bpe import BPE
from tokkit.segment.longest import LongestMatch
from tokkit.segment.unigram import Unigram
from tokkit.segment.wordpiece import WordPiece
from tokkit.studies.markov.sources import switching
from tokkit.tokenizer import Tokenizer
from tokkit.transplant.align import align
from tokkit.transplant.context import SIDES, Context, Donor, Settings
from tokkit.transplant.matrix import Matrix
from tokkit.transplant.planning import make_plan
from tokkit.vocab import Vocabulary
from tokkit.weights.encoding import encode
from tokkit.words import count_words, from_words, merge_counts, read_counts, write_counts

TEXT = "the cat sat on the mat, the other cat did not: 12345 Ünïcödé\n" * 40
MANY = 30_000
PATTERNS = ("gpt2", "cl100k", "o200k", "superbpe", "superbpe-stage2")


def compile_kernels(progress: Progress = silent) -> dict[str, Any]:
    """Use every kernel once on a little text, which compiles what is not in the cache.

    Returns:
        How many kernels there are, and how many seconds it took.
    """
    began = time.monotonic()
    with TemporaryDirectory() as folder:
        path = Path(folder, "text.txt")
        path.write_text(TEXT, encoding="utf-8")
        for done, (name, use) in enumerate(USES.items()):
            progress(f"compiling ({name})", done, len(USES))
            use(path)
    seconds = round(time.monotonic() - began, 1)
    return {"kernels": sum(1 for _ in all_kernels()), "seconds": seconds}


def all_kernels() -> Iterator[tuple[str, Any]]:
    """Yield the name and the dispatcher of every kernel of the package."""
    for module in pkgutil.iter_modules(kernels.__path__):
        found = vars(importlib.import_module(f"{kernels.__name__}.{module.name}"))
        for name, function in found.items():
            if hasattr(function, "py_func") and function.__module__.endswith(module.name):
                yield f"{module.name}.{name}", function


def _count(path: Path) -> None:
    for name in PATTERNS:
        counts = count_words(open_corpus([path]), find_pattern(name), workspace=path.parent)
    first, second = path.with_name("first.parquet"), path.with_name("second.parquet")
    from_words({str(number).encode(): 1 for number in range(MANY)})  # enough to grow tables
    write_counts(counts, first)
    merge_counts([first, first], second)
    read_counts(second)


def _learn(algorithm: str) -> Callable[[Path], None]:
    def learn(path: Path) -> None:
        options = Options(
            vocab_size=280, pattern=find_pattern("cl100k"), lib=LiB(epochs=20, document_size=4)
        )
        tokenizer, _ = ALGORITHMS[algorithm](open_corpus([path]), options, Job())
        _use(tokenizer)

    return learn


def _use(tokenizer: Tokenizer) -> None:
    """Encode once and many texts at once, and ask what can be asked of ids."""
    ids = tokenizer.encode(TEXT)
    tokenizer.encode_batch([" ".join(map(str, range(MANY))), TEXT[:9], b"\xff"])
    tokenizer.decode(ids)
    tokenizer.spans(TEXT)
    tokenizer.is_canonical(ids)


def _segment(path: Path) -> None:
    tokens = [bytes([byte]) for byte in range(256)] + [b"the", b"cat"]
    scores = [-9.0] * 256 + [-2.0, -2.0]
    vocabulary = Vocabulary(tuple(tokens))
    Tokenizer(vocabulary, Unigram(tokens, scores, unk_id=0)).encode(TEXT)
    Tokenizer(vocabulary, WordPiece(tokens, unk_id=0)).encode(TEXT)
    Tokenizer(vocabulary, BPE(tokens, NO_MERGES, ignore_merges=True)).encode(TEXT)
    Tokenizer(vocabulary, BPE(tokens, NO_MERGES, unk_id=0, late_unk=True)).encode(TEXT)
    # More distinct pieces than a new cache holds.
    words = for_pattern(find_pattern("gpt2"))
    distinct = Tokenizer(vocabulary, WordPiece(tokens, unk_id=0), pretokenizer=words)
    distinct.encode(" ".join(map(str, range(MANY))))


def _weigh(path: Path) -> None:
    """Ask for the bytes of a text under each family of tokenizers."""
    tokens = [bytes([byte]) for byte in range(256)] + [b"th", b"the", b"\xc3\xbc"]
    merges = np.array([[116, 104, 256], [256, 101, 257], [0xC3, 0xBC, 258]], dtype=np.int32)
    spellings = [b""] * 256 + tokens[256:]
    best = Unigram(spellings, [-9.0] * len(tokens), unk_id=0, byte_fallback=range(256))
    vocabulary = Vocabulary(tuple(tokens))
    words = for_pattern(find_pattern("gpt2"))
    for tokenizer in (
        Tokenizer(vocabulary, BPE(tokens, merges), pretokenizer=words),
        Tokenizer(vocabulary, best),
        Tokenizer(vocabulary, LongestMatch(tokens)),
    ):
        for segmentation in SEGMENTATIONS:
            lm = ByteLM(NGramModel(tokenizer), segmentation)
            lm.score("the other 12", end=True)
            for prefix in (b"th", b"\xc3"):
                lm.next(prefix)
            # What the likeliest token needs is asked about once there is one.
            stream = lm.stream("the")
            for byte in b" ot":
                if stream.logprobs[byte]:
                    stream.push(byte)


def _transplant(path: Path) -> None:
    """Make rows of new tokens from others, from a text, and from a donor."""
    tokens = tuple(bytes([byte]) for byte in range(256))
    source = Tokenizer(Vocabulary(tokens), LongestMatch(tokens))
    more = (*tokens, b"the", b"cat")
    target = Tokenizer(Vocabulary(more), LongestMatch(more))
    rows = np.eye(len(more), 4, dtype=np.float32)
    donor = Donor("donor", {side: rows for side in SIDES})
    alignment = align(source, target)
    corpus = open_corpus([path])
    settings = Settings(dimensions=4, epochs=1, min_count=1)
    context = Context(
        source, target, alignment, more[256:], settings, corpus=corpus, donor=donor
    )
    for method in ("random", "focus", "wechsel", "omp"):
        make_plan(context, method, method)
    for dtype in ("F32", "BF16"):
        values = encode(np.eye(256, 4), dtype)
        plan = make_plan(context, "random", "random")
        for _ in Matrix(plan, "input", values).blocks(len(more), dtype):
            pass


def _sample(path: Path) -> None:
    """Sample vocabularies, of words and across words, and cut by them."""
    words = for_pattern(find_pattern("gpt2"))
    for across_words in (0.0, 1.0):
        sampler = Sampler(
            lambda block: [TEXT.encode()] * 9,
            words,
            size=400,
            queue=1,
            across_words=across_words,
        )
        for step in range(4):  # of several kinds
            sampler.segment(sampler.vocabulary(step), [TEXT.encode()])


def _study(path: Path) -> None:
    """Draw a text from a Markov chain."""
    switching(1, 0.5, 0.5).draw(len(TEXT), 0)


USES: Mapping[str, Callable[[Path], None]] = {
    "counting": _count,
    **{name: _learn(name) for name in ALGORITHMS if name != "unigram"},
    "segmenting": _segment,
    "weighing": _weigh,
    "transplanting": _transplant,
    "sampling": _sample,
    "studying": _study,
}
"""What together uses every kernel; sentencepiece learns ``unigram`` without any."""
