"""What a step learns from: a sampled vocabulary, its pieces, and texts cut with it.

All of it is a function of the seed and the number of the step alone, so that a run which goes
on after it was killed learns from the same as one which never was. The next steps are made
ready in a thread while the model computes.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from tokkit.hypernet.backbone import Frame
from tokkit.hypernet.config import Recipe
from tokkit.hypernet.losses import IGNORED
from tokkit.hypernet.pieces import Pieces, Speller
from tokkit.hypernet.sampling import SampledVocab, Sampler
from tokkit.hypernet.source import SourceRows
from tokkit.hypernet.texts import Texts, draw
from tokkit.kernels._jit import Ids
from tokkit.patterns import PATTERNS
from tokkit.pretokenize import Pretokenizer, for_pattern
from tokkit.tokenizer import rewrites

Numbers = NDArray[np.int64]
BYTES_PER_TOKEN = 12
"""So long is the text that is cut for each token of a sequence: enough for long tokens."""
HIDDEN, KEPT = 0.15, 0.2
"""Of masked models: the share of tokens to foretell, and of these that are not masked; half of
the latter become another token (BERT)."""
JUDGES = 1 << 40
"""The numbers of the steps whose vocabularies judge begin here."""
_VOCABULARY, _TEXT, _LEXICAL, _MASK, _WARM_UP = range(5)


@dataclass(frozen=True, eq=False)
class Sequences:
    """Texts as a model reads them; ids count the special tokens around them first.

    Attributes:
        ids: The tokens, ``int64[batch, length]``.
        wanted: What to foretell at each place, ``int64[batch, length]``; `IGNORED` elsewhere.
        mask: Where there is a token, ``int64[batch, length]``.
        n_bytes: Bytes of what is foretold.
    """

    ids: Numbers
    wanted: Numbers
    mask: Numbers
    n_bytes: int


@dataclass(frozen=True, eq=False)
class Batch:
    """What a step learns from.

    Attributes:
        size: How many tokens the vocabulary has, without special tokens.
        known: Which of them keep the source's rows, ``int64[k]``.
        known_ids: The source ids of these, ``int64[k]``.
        new: Which are predicted, ``int64[n]``.
        pieces: The pieces of these.
        lexical_ids: Source ids of tokens whose predictions are compared, ``int64[l]``.
        lexical: The pieces of these.
        sequences: Texts, `accumulate` times.
    """

    size: int
    known: Numbers
    known_ids: Numbers
    new: Numbers
    pieces: Pieces
    lexical_ids: Numbers
    lexical: Pieces
    sequences: Sequence[Sequences]


class Batches:
    """Makes the batches of all steps.

    Args:
        source: The model's rows and tokenizer.
        frame: What stands around a text.
        texts: What is learned from.
        recipe: How to train.
        surface: How many pieces of a token are read.
        share: Which share of every batch to make, and of how many.
    """

    def __init__(
        self,
        source: SourceRows,
        frame: Frame,
        texts: Texts,
        recipe: Recipe,
        surface: int,
        share: tuple[int, int] = (0, 1),
    ) -> None:
        self._source, self._frame, self._texts, self._recipe = source, frame, texts, recipe
        self._share = share
        self._speller = Speller(source, surface)
        self._sampler = self._new_sampler()
        # One of their own, so that judging does not empty the queue of blocks.
        self._judging = self._new_sampler()

    def _new_sampler(self) -> Sampler:
        recipe, texts = self._recipe, self._texts
        return Sampler(
            lambda block: texts.block(recipe.block, draw(recipe.seed, _VOCABULARY, block)),
            _words(self._source),
            size=recipe.vocab_size,
            queue=recipe.queue,
            noise=(log(recipe.noise), recipe.noise_spread),
            across_words=recipe.across_words,
            seed=recipe.seed,
        )

    def make(self, step: int) -> Batch:
        """Return what a step learns from."""
        vocab = self._sampler.vocabulary(step)
        recipe = self._recipe
        own = range(self._share[0], recipe.batch, self._share[1])
        chance = draw(recipe.seed, _TEXT, step)
        sequences, size = [], recipe.length * BYTES_PER_TOKEN
        for part in range(recipe.accumulate):
            drawn = self._texts.windows(recipe.batch, size, chance)
            # One for each text, so that processes hide what a single one would.
            hiding = [np.random.default_rng([recipe.seed, _MASK, step, part, k]) for k in own]
            sequences.append(self._sequences(vocab, [drawn[k] for k in own], hiding))
        return self._batch(vocab, sequences, draw(recipe.seed, _LEXICAL, step))

    def judge(self, number: int, texts: Sequence[bytes]) -> Batch:
        """Cut texts with a vocabulary that no step has."""
        vocab = self._judging.vocabulary(JUDGES + number)
        seed = [self._recipe.seed, _MASK, JUDGES + number, 0]
        hiding = [np.random.default_rng([*seed, row]) for row in range(len(texts))]
        sequences = self._sequences(vocab, texts, hiding)
        return self._batch(vocab, [sequences], draw(self._recipe.seed, _LEXICAL, number))

    def warm_up(self, step: int) -> tuple[Numbers, Pieces]:
        """Return source tokens to learn the rows of: their ids and pieces."""
        chance = draw(self._recipe.seed, _WARM_UP, step)
        used = self._source.used
        count = min(self._recipe.warm_up_tokens, used.size)
        ids = np.sort(chance.choice(used, count, replace=False)).astype(np.int64)
        tokens = self._source.tokenizer.vocab.tokens
        return ids, self._speller.pieces([tokens[each] for each in ids.tolist()])

    def _batch(
        self,
        vocab: SampledVocab,
        sequences: Sequence[Sequences],
        chance: np.random.Generator,
    ) -> Batch:
        own = self._source.ids
        ids = np.array([own.get(token, -1) for token in vocab.tokens], dtype=np.int64)
        shared = np.flatnonzero(ids >= 0)
        known = shared if self._recipe.copy_known else shared[:0]
        new = np.setdiff1d(np.arange(ids.size), known)
        most = self._recipe.lexical_tokens or shared.size
        compared = np.sort(chance.permutation(shared)[:most])
        return Batch(
            len(vocab.tokens),
            known,
            ids[known],
            new,
            self._speller.pieces([vocab.tokens[each] for each in new.tolist()]),
            ids[compared],
            self._speller.pieces([vocab.tokens[each] for each in compared.tolist()]),
            sequences,
        )

    def _sequences(
        self,
        vocab: SampledVocab,
        texts: Sequence[bytes],
        hiding: Sequence[np.random.Generator],
    ) -> Sequences:
        """Cut texts, and say what is to be foretold of them."""
        length = self._recipe.length
        cut = [ids[:length] for ids in self._sampler.segment(vocab, texts)]
        sizes = np.array([len(token) for token in vocab.tokens], dtype=np.int64)
        if self._frame.mask is None:
            return _causal(cut, sizes, self._frame)
        return _masked(cut, sizes, self._frame, hiding)

    def ahead(self, first: int, last: int) -> Iterator[Batch]:
        """Yield the batches of steps, the next two of them made in a thread meanwhile."""
        with ThreadPoolExecutor(1, "batches") as pool:
            waiting: list[Future[Batch]] = []
            try:
                for step in range(first, last):
                    while len(waiting) < 2 and step + len(waiting) < last:
                        waiting.append(pool.submit(self.make, step + len(waiting)))
                    yield waiting.pop(0).result()
            finally:
                for each in waiting:
                    each.cancel()


def specials(frame: Frame) -> list[int]:
    """Return the source ids of the special tokens that come first in every vocabulary."""
    mask = () if frame.mask is None else (frame.mask,)
    return list(dict.fromkeys((*frame.before, *frame.after, *mask)))


def _causal(cut: Sequence[Ids], sizes: Numbers, frame: Frame) -> Sequences:
    """Have every token foretold from those before it, which begin with the start."""
    place = {token: number for number, token in enumerate(specials(frame))}
    before, first = [place[each] for each in frame.before], len(place)
    shape = (len(cut), len(before) + max((ids.size for ids in cut), default=0))
    ids, mask = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    wanted = np.full(shape, IGNORED, np.int64)
    for row, found in enumerate(cut):
        size = len(before) + found.size
        ids[row, :size] = [*before, *(found + first)]
        mask[row, :size] = 1
        wanted[row, len(before) - 1 : size - 1] = found + first
    n_bytes = int(sum(sizes[found].sum() for found in cut))
    return Sequences(ids[:, :-1], wanted[:, :-1], mask[:, :-1], n_bytes)


def _masked(
    cut: Sequence[Ids], sizes: Numbers, frame: Frame, hiding: Sequence[np.random.Generator]
) -> Sequences:
    """Have some tokens foretold from all others, as BERT was trained."""
    place = {token: number for number, token in enumerate(specials(frame))}
    before = [place[each] for each in frame.before]
    after = [place[each] for each in frame.after]
    first = len(place)
    length = len(before) + max((ids.size for ids in cut), default=0) + len(after)
    ids, mask = np.zeros((len(cut), length), np.int64), np.zeros((len(cut), length), np.int64)
    wanted = np.full((len(cut), length), IGNORED, np.int64)
    n_bytes = 0
    for row, (found, chance) in enumerate(zip(cut, hiding, strict=True)):
        tokens = found.astype(np.int64) + first
        hidden = np.flatnonzero(chance.random(tokens.size) < HIDDEN)
        fate = chance.random(hidden.size)
        seen = tokens.copy()
        seen[hidden[fate >= KEPT]] = place[frame.mask or 0]
        others = hidden[fate < KEPT / 2]
        seen[others] = first + chance.integers(0, sizes.size, others.size)
        size = len(before) + tokens.size + len(after)
        ids[row, :size] = np.concatenate([before, seen, after])
        mask[row, :size] = 1
        wanted[row, len(before) + hidden] = tokens[hidden]
        n_bytes += int(sizes[found[hidden]].sum())
    return Sequences(ids, wanted, mask, n_bytes)


def _words(source: SourceRows) -> Pretokenizer:
    """Return what cuts text into words: the source's own way, unless it rewrites text."""
    own = source.tokenizer.pretokenizer
    return for_pattern(PATTERNS["gpt2"]) if rewrites(own) else own
