"""WECHSEL: new tokens from source tokens that mean the same (NAACL 2022, 2022.naacl-main.293).

Word vectors are learned from text cut into words. A token's vector is the mean of those of the
words it is part of, however each of the two tokenizers cuts them; so the tokens of both lie in
one space, and a new token is a mean of the source tokens nearest to it.

What differs from the published implementation: the vectors are learned from the user's text
instead of downloaded; rows of shared tokens stay as they are, only new ones are made; and words
of two languages come from one text, so that a dictionary turns the vectors of the source's
tokens within one space. Without a dictionary nothing is turned.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import compress, pairwise

import numpy as np

from tokkit.byte_spelling import spell, usual_ids
from tokkit.corpus import Corpus
from tokkit.errors import UsageError
from tokkit.kernels._jit import Ids, frozen
from tokkit.kernels.cbow import END
from tokkit.kernels.whole import fill_words, find_words
from tokkit.patterns import PATTERNS
from tokkit.pretokenize import Pieces, for_pattern
from tokkit.tokenizer import Tokenizer
from tokkit.transplant.context import (
    Alignment,
    Composition,
    Context,
    Progress,
    Settings,
    Side,
    silent,
)
from tokkit.transplant.methods.focus import unit, with_random
from tokkit.transplant.methods.nearest import nearest
from tokkit.transplant.methods.word_vectors import BLOCK, Vectors, WordVectors, learn_vectors
from tokkit.transplant.rows import Rows
from tokkit.vocab import flatten
from tokkit.words import count_words

PATTERN = PATTERNS["gpt2"]
"""What words are: letters, digits or symbols, with the space before them."""
TEMPERATURE = 0.1


def wechsel(context: Context, side: Side) -> Composition:
    """Make new tokens of the source tokens nearest in meaning (NAACL 2022, sec. 3).

    Args:
        context: Needs a corpus; its dictionary, if any, pairs words of the source's language
            with the target's. `neighbours`, `dimensions`, `epochs` and `min_count` of its
            settings count.
        side: Both are made alike: one call serves both.

    Raises:
        UsageError: If there is no corpus, or it has no pair of the dictionary.
    """
    if context.corpus is None:
        raise UsageError("wechsel learns word vectors from text; give it a corpus")
    settings = context.settings
    words, learned = learn_word_vectors(
        context.corpus, settings, context.seed, context.progress
    )
    source = token_vectors(context.source, words, learned)
    target = token_vectors(context.target, words, learned)
    notes = {"words": len(words)}
    if context.dictionary is not None:
        pairs = find_pairs(context.dictionary, words)
        source = turn(source, learned.vectors, pairs)
        notes["dictionary pairs"] = len(pairs)
    made = wechsel_from_vectors(
        source, target, context.alignment, settings.neighbours, context.progress
    )
    return replace(made, notes={**notes, **made.notes})


def wechsel_from_vectors(
    source: Vectors,
    target: Vectors,
    alignment: Alignment,
    neighbours: int = 10,
    progress: Progress = silent,
) -> Composition:
    """Weigh the source tokens nearest to each new token by the softmax of their similarities.

    The weight of a neighbour is ``exp(cos / 0.1)``, divided by the sum of these.

    Args:
        source: Vectors of the source's tokens, ``float32[source ids, d]``; zero: not known.
        target: Vectors of the target's tokens in the same space, ``float32[target ids, d]``.
        alignment: Which tokens are new.
        neighbours: How many count; of equally near ones those with the lowest ids.
        progress: Told how many new tokens are done.

    Returns:
        Rows of weights that add up to one; `RANDOM` ones without a vector.
    """
    anchors = np.flatnonzero((source != 0).any(axis=1)).astype(np.int32)
    composable = (target[alignment.new] != 0).any(axis=1) & bool(anchors.size)
    queries = target[alignment.new[composable]]
    count = min(neighbours, anchors.size)
    places, similar = nearest(queries, source[anchors], count, progress)
    weights = np.exp((similar - similar.max(axis=1, keepdims=True, initial=-1)) / TEMPERATURE)
    weights /= weights.sum(axis=1, keepdims=True)
    ends = np.arange(1, len(queries) + 1, dtype=np.int64) * count
    rows = Rows(ends, anchors[places.ravel()], weights.ravel().astype(np.float32))
    notes = {"anchors": int(anchors.size), "without vector": int((~composable).sum())}
    return with_random(rows, composable, len(source), notes)


def learn_word_vectors(
    corpus: Corpus, settings: Settings, seed: int, progress: Progress = silent
) -> tuple[list[bytes], WordVectors]:
    """Learn a vector for each word that a corpus has often enough.

    Returns:
        The words, in ascending order of their bytes, and what was learned of them.
    """
    found = count_words(corpus, PATTERN, progress=progress)
    frequent = (found.counts >= settings.min_count).tolist()
    words = list(compress(found.words(), frequent))
    learned = learn_vectors(words, lambda: _read(corpus, words), settings, seed, progress)
    return words, learned


def _read(corpus: Corpus, words: Sequence[bytes]) -> Iterator[Ids]:
    """Read the documents as numbers of words, without those that are not among them."""
    data, word_ends = flatten(words)
    spellings, ends = frozen(data), frozen(word_ends)
    table = np.zeros(2 << len(words).bit_length(), dtype=np.int32)
    fill_words(spellings, ends, table)
    pretokenizer = for_pattern(PATTERN)
    for batch in corpus.batches(BLOCK):
        pieces = pretokenizer.split(Pieces(*batch))
        starts = np.concatenate([[0], pieces.ends[:-1]])
        found = np.empty(starts.size, dtype=np.int32)
        places = frozen(starts), frozen(pieces.ends)
        find_words(frozen(pieces.data), *places, table, spellings, ends, found)
        cuts = np.searchsorted(pieces.ends, batch.ends, side="right").tolist()
        for start, end in pairwise([0, *cuts]):
            document = found[start:end]
            yield np.append(document[document >= 0], np.int32(END))


def token_vectors(
    tokenizer: Tokenizer, words: Sequence[bytes], learned: WordVectors
) -> Vectors:
    """Place the tokens of a tokenizer among words.

    A token is the mean of the words it is part of when the tokenizer cuts them, each counted as
    often as it occurs; one that is part of none is what its n-grams say, if they are known.

    Args:
        tokenizer: Whose tokens.
        words: The words.
        learned: Their vectors, and how often each occurs.

    Returns:
        ``float32[ids, d]``; zero where nothing is known.
    """
    size = len(tokenizer.vocab)
    ends, ids = spell(tokenizer, words)
    owners = np.repeat(np.arange(len(words)), np.diff(ends, prepend=0))
    owners, ids = np.divmod(np.unique(owners * size + ids), size)
    counts = learned.counts[owners].astype(np.float64)
    totals = np.bincount(ids, counts, size)
    vectors = np.zeros((size, learned.vectors.shape[1]), dtype=np.float32)
    for dimension, column in enumerate(learned.vectors.T):
        sums = np.bincount(ids, counts * column[owners], size)
        vectors[:, dimension] = sums / np.maximum(totals, 1)
    for token, token_id in usual_ids(tokenizer).items():
        if not totals[token_id]:
            vectors[token_id] = learned.guess(token)
    return vectors


def find_pairs(
    dictionary: Sequence[tuple[str, str]], words: Sequence[bytes]
) -> list[tuple[int, int]]:
    """Return the pairs of a dictionary, with a space before both or neither, among words."""
    numbers = {word: number for number, word in enumerate(words)}
    texts = [
        (space + first.encode(), space + second.encode())
        for first, second in dictionary
        for space in (b" ", b"")
    ]
    return [
        (numbers[first], numbers[second])
        for first, second in texts
        if first in numbers and second in numbers
    ]


def turn(source: Vectors, vectors: Vectors, pairs: Sequence[tuple[int, int]]) -> Vectors:
    """Turn vectors of the source's language to where the target's are.

    The rotation R brings the words of a dictionary together: it minimises ``|X R - Y|`` for the
    unit vectors X and Y of both words of each pair (orthogonal Procrustes, Schönemann 1966).

    Args:
        source: What to turn, ``float32[n, d]``.
        vectors: Of words, ``float32[words, d]``.
        pairs: Numbers of words that mean the same.

    Raises:
        UsageError: If there are no pairs.
    """
    if not pairs:
        raise UsageError(
            "the corpus has no pair of words of the dictionary often enough; "
            "give it text of both languages"
        )
    first, second = (unit(vectors[list(numbers)]) for numbers in zip(*pairs, strict=True))
    left, _, right = np.linalg.svd(first.T.astype(np.float64) @ second)
    turned: Vectors = (source @ (left @ right)).astype(np.float32)
    return turned
