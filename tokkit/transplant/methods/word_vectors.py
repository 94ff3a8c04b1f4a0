"""Word vectors learned from text, as fastText learns them (arXiv 1607.04606).

Words may be the tokens of a tokenizer (FOCUS) or what a pattern cuts (WECHSEL). Unlike in
fastText, n-grams share no row of the matrix (until there are two million of them), a document
is a line, and one thread learns, so that the same text and seed give the same vectors.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from tokkit.corpus import Corpus
from tokkit.kernels._jit import Counts, Ids
from tokkit.kernels.cbow import END, LANES, Model, learn_words
from tokkit.tokenizer import Tokenizer
from tokkit.transplant.context import Progress, Settings, silent

Vectors = NDArray[np.float32]
Mask = NDArray[np.bool_]

WINDOW = 5
NEGATIVES = 10
RATE = 0.05
SUBSAMPLING = 1e-4
SHORTEST, LONGEST = 3, 6
"""Characters of an n-gram, with the marks of where a word begins and ends."""
ROWS = 2_000_000
"""Most rows for n-grams; after that many, they share them."""
TABLE = 1 << 20
BLOCK = 1 << 20
"""Words that are read from disk at once."""


@dataclass(frozen=True, eq=False)
class WordVectors:
    """What was learned of each word.

    Attributes:
        vectors: ``float32[words, d]``; zero where nothing is known.
        known: Which words were seen often enough to have one, ``bool[words]``.
        counts: How often each was seen, ``int64[words]``.
        grams: The row of each n-gram of a word that is known.
        rows: What was learned of words and n-grams, ``float32[rows, d]``.
    """

    vectors: Vectors
    known: Mask
    counts: Counts
    grams: Mapping[str, int]
    rows: Vectors

    def guess(self, word: bytes) -> Vectors:
        """Return the mean of the n-grams of any word; zero if none of them is known."""
        rows = [self.grams[gram] for gram in split_grams(word) if gram in self.grams]
        if not rows:
            return np.zeros(self.rows.shape[1], dtype=np.float32)
        mean: Vectors = self.rows[rows].mean(axis=0)
        return mean


def learn_token_vectors(
    corpus: Corpus,
    tokenizer: Tokenizer,
    settings: Settings,
    seed: int = 0,
    progress: Progress = silent,
) -> WordVectors:
    """Learn a vector for each token of a tokenizer; see `learn_vectors`.

    Args:
        corpus: Text to learn from, read once.
        tokenizer: What cuts it.
        settings: The size of the vectors, passes, and how often a token has to be seen.
        seed: Of everything random.
        progress: Told how far it is.
    """

    def read() -> Iterator[Ids]:
        for batch in corpus.batches(BLOCK):
            data = batch.data.tobytes()
            spans = pairwise([0, *batch.ends.tolist()])
            documents = [data[start:end] for start, end in spans]
            for ids in tokenizer.encode_batch(documents, parse_specials=False):
                yield np.append(ids, np.int32(END))

    return learn_vectors(tokenizer.vocab.tokens, read, settings, seed, progress)


def learn_vectors(
    words: Sequence[bytes],
    read: Callable[[], Iterator[Ids]],
    settings: Settings,
    seed: int = 0,
    progress: Progress = silent,
) -> WordVectors:
    """Learn a vector for each word: continuous bags of words, with n-grams and 10 negatives.

    A word is predicted from the at most 5 words on either side; frequent words are left out at
    times (arXiv 1310.4546, sec. 2.3, t = 1e-4), the rate falls from 0.05 to 0, and negatives
    are drawn as the square root of their frequency. Memory grows with the words and their
    n-grams, not with the text, which is kept on disk as numbers of words.

    Args:
        words: Their bytes; n-grams are of their characters, stray bytes are one each.
        read: Returns documents as numbers of words, each ending with `END`; read once.
        settings: Its `dimensions`, `epochs` and `min_count` count.
        seed: Of everything random.
        progress: Told how far it is: ``"cut text"`` in words, and ``"learn word vectors"``.

    Returns:
        The mean of the rows of each word's n-grams and of its own.
    """
    with tempfile.TemporaryFile() as file:
        counts = _store(file, read(), len(words), progress)
        known = counts >= max(settings.min_count, 1)
        numbers = np.full(len(words) + 1, END - 1, dtype=np.int32)
        numbers[:-1][known] = np.arange(int(known.sum()))
        numbers[END] = END
        names = [words[word] for word in np.flatnonzero(known).tolist()]
        grams = number_grams(names)
        model = _start(names, grams, counts[known], settings.dimensions, seed)
        total = settings.epochs * int(counts[known].sum())
        for _ in range(settings.epochs if names else 0):
            for block in _blocks(file):
                kept = numbers[block]
                learn_words(kept[kept >= END], model, WINDOW, NEGATIVES, RATE, total)
                progress("learn word vectors", int(model.done[0]), total)
    vectors = np.zeros((len(words), settings.dimensions), dtype=np.float32)
    vectors[known] = _means(model)[:, : settings.dimensions]
    return WordVectors(vectors, known, counts, grams, model.inputs[:, : settings.dimensions])


def _store(file: BinaryIO, documents: Iterator[Ids], words: int, progress: Progress) -> Counts:
    """Write documents to disk; return how often each word occurs."""
    counts = np.zeros(words + 1, dtype=np.int64)
    done = 0
    for document in documents:
        file.write(document.astype(np.int32, copy=False).tobytes())
        counts += np.bincount(document - END, minlength=words + 1)
        done += document.size - 1
        progress("cut text", done, 0)
    return counts[1:]


def _blocks(file: BinaryIO) -> Iterator[Ids]:
    """Read the documents again, several whole ones at a time."""
    file.seek(0)
    rest = np.zeros(0, dtype=np.int32)
    while data := file.read(4 * BLOCK):
        block = np.concatenate([rest, np.frombuffer(data, dtype=np.int32)])
        ends = np.flatnonzero(block == END)
        cut = int(ends[-1]) + 1 if ends.size else 0
        yield block[:cut]
        rest = block[cut:]


def _start(
    words: Sequence[bytes], grams: Mapping[str, int], counts: Counts, dimensions: int, seed: int
) -> Model:
    """Lay out a model that knows nothing yet: a row per word, then those of n-grams."""
    made_of = [
        [number, *(grams[gram] for gram in split_grams(word))]
        for number, word in enumerate(words)
    ]
    width = -(-dimensions // LANES) * LANES
    random = np.random.default_rng(seed)
    inputs = np.zeros((len(words) + min(len(grams), ROWS), width), dtype=np.float32)
    for row in inputs:
        row[:dimensions] = random.random(dimensions, dtype=np.float32)
        row[:dimensions] = (2 * row[:dimensions] - 1) / dimensions
    return Model(
        np.cumsum([len(rows) for rows in made_of], dtype=np.int64),
        np.fromiter(chain.from_iterable(made_of), dtype=np.int32),
        how_often_kept(counts),
        draw_table(counts),
        inputs,
        np.zeros((len(words), width), dtype=np.float32),
        np.random.SeedSequence(seed).generate_state(1, np.uint64) | np.uint64(1),
        np.zeros(1, dtype=np.int64),
    )


def number_grams(words: Sequence[bytes]) -> dict[str, int]:
    """Give each n-gram of some words a row behind those of the words themselves.

    Example: of ``ab`` they are ``<ab``, ``<ab>`` and ``ab>``, in rows 1, 2 and 3.
    """
    grams: dict[str, int] = {}
    for word in words:
        for gram in split_grams(word):
            grams.setdefault(gram, len(words) + len(grams) % ROWS)
    return grams


def split_grams(word: bytes) -> Iterator[str]:
    """Cut a word, between marks, into all its n-grams of 3 to 6 characters."""
    text = f"<{word.decode('utf-8', 'surrogateescape')}>"
    for start in range(len(text)):
        for end in range(start + SHORTEST, min(start + LONGEST, len(text)) + 1):
            yield text[start:end]


def how_often_kept(counts: Counts) -> NDArray[np.float64]:
    """Return the probability that a word is read: ``sqrt(t / f) + t / f``, at most 1."""
    ratios = SUBSAMPLING * counts.sum() / counts
    kept: NDArray[np.float64] = np.minimum(np.sqrt(ratios) + ratios, 1.0)
    return kept


def draw_table(counts: Counts) -> Ids:
    """Lay out words so that each is drawn as the square root of its count."""
    shares = np.cumsum(np.sqrt(counts))
    size = max(TABLE, 16 << (counts.size - 1).bit_length())
    places = (np.arange(size) + 0.5) * (shares[-1:].sum() / size)
    words: Ids = np.searchsorted(shares, places).astype(np.int32)
    return words


def _means(model: Model) -> Vectors:
    """Return the mean of the rows of each word."""
    starts = np.append(0, model.gram_ends)[:-1]
    means = np.empty_like(model.outputs)
    for first in range(0, starts.size, LANES * LANES):
        span = slice(first, first + LANES * LANES)
        begin, end = int(starts[first]), int(model.gram_ends[span][-1])
        sums = np.add.reduceat(model.inputs[model.grams[begin:end]], starts[span] - begin)
        means[span] = sums / (model.gram_ends[span] - starts[span])[:, None]
    return means
