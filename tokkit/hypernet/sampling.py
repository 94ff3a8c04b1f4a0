"""Vocabularies for a hypernetwork to learn from, sampled from text (arXiv 2405.07883, alg. 1).

At each step the substrings of the words of the latest blocks of text are weighed by how often
they occur times how long they are, the weights divided by their sum, noise added, and the best
kept as the tokens of a unigram language model. One deviation of the noise is drawn for each
step, log-normal, so that some vocabularies are nearly the best there is and others nearly
random.

What differs from the authors' program: substrings end with characters; texts get no space in
front; and runs of white space have the score of single bytes, not 0 (see `SampledVocab`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import log
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from tokkit.errors import CorpusError, UsageError
from tokkit.hypernet.segmenting import BytewiseUnigram, share_out
from tokkit.hypernet.substrings import (
    Substrings,
    across_words_too,
    anywhere,
    cut_lines,
    within_words,
)
from tokkit.kernels._jit import Ids, Offsets
from tokkit.kernels.keys import mark_pieces
from tokkit.kernels.substrings import LONGEST
from tokkit.pretokenize import Pieces, Pretokenizer
from tokkit.tokenizer import rewrites
from tokkit.vocab import flatten

NOISE = (log(1e-5), 4.0)
"""Mean and deviation of the logarithm of the noise's deviation, as published."""


WHITE_SPACE = (b" ", b"\n", b"\t")
REPEATS = 15

ALWAYS: tuple[bytes, ...] = (
    *(bytes([byte]) for byte in range(256)),
    *(
        first + again * count
        for again, count, first in product(WHITE_SPACE, range(1, REPEATS + 1), WHITE_SPACE)
    ),
)
"""What every vocabulary has: single bytes, and runs of white space, the first of any kind."""


@dataclass(frozen=True)
class Kind:
    """What the tokens of a vocabulary may be.

    Attributes:
        weigh: Weighs the substrings of texts that may become tokens.
        longest: How many bytes a token has at most, unless more are asked for.
        most_spaces: How many white-space bytes it has at most.
        least: How often it occurs in the queue at least: of what occurs once or twice there is
            so much that noise would choose little else.
    """

    weigh: Callable[[Sequence[bytes], Pretokenizer, int], Substrings]
    longest: int
    most_spaces: int
    least: int


WITHIN = Kind(within_words, 0, 1, 1)
"""Within words."""
IN_A_ROW = Kind(across_words_too, 24, 24, 2)
"""The same, and words in a row: SuperBPE, supertokens."""
ANYWHERE = Kind(anywhere, 0, LONGEST, 8)
"""Anything within a line, such as ``and `` and ``ing the``: no pre-tokenizer."""


@dataclass(frozen=True, eq=False)
class SampledVocab:
    """A vocabulary and the scores by which text is cut into it.

    Attributes:
        tokens: Distinct byte strings: `ALWAYS`, then those sampled, best first.
        scores: Logarithms of probabilities, ``float64[n]``. Those of `ALWAYS` are that of the
            least weight any substring has, so that a byte stands for itself only where nothing
            longer does, and white space is cut into as few runs as can be. (The authors give
            runs 0, and note that it may be a problem: all ways to cut a run are then equal.)
        across_words: Whether tokens may span words, and lines, not words, are cut.
    """

    tokens: tuple[bytes, ...]
    scores: NDArray[np.float64]
    across_words: bool = False

    @cached_property
    def segmenter(self) -> BytewiseUnigram:
        """Cuts pieces into the tokens."""
        return BytewiseUnigram(self.tokens, self.scores)


class Sampler:
    """Samples a vocabulary for every step; the same one for the same step, always.

    Safe to use from several threads, one after the other.

    Args:
        texts: Returns the texts of a numbered block, 0 and up; always the same.
        pretokenizer: Cuts texts into words; rewrites nothing.
        size: How many tokens a vocabulary has, unless the texts have too few substrings.
        longest: How many bytes a token has at most.
        queue: From how many blocks, the latest, a vocabulary is sampled.
        noise: Mean and deviation of the logarithm of the noise's deviation.
        across_words: How probable it is that the tokens of a step may span words; half of these
            vocabularies are `IN_A_ROW`, half `ANYWHERE`.
        seed: Decides, with the step, about everything random.

    Raises:
        UsageError: If there is no room for sampled tokens, or the pre-tokenizer rewrites text.
    """

    def __init__(
        self,
        texts: Callable[[int], Sequence[bytes]],
        pretokenizer: Pretokenizer,
        *,
        size: int,
        longest: int = 16,
        queue: int,
        noise: tuple[float, float] = NOISE,
        across_words: float = 0.0,
        seed: int = 0,
    ) -> None:
        _check(pretokenizer, size, longest, queue, across_words)
        self._pretokenizer = pretokenizer
        self._size = size
        self._noise = noise
        self._across_words = across_words
        self._seed = seed
        self._lock = Lock()
        self._windows = {
            kind: _Window(texts, kind.weigh, pretokenizer, max(longest, kind.longest), queue)
            for kind in (WITHIN, IN_A_ROW, ANYWHERE)
        }

    def vocabulary(self, step: int) -> SampledVocab:
        """Sample the vocabulary of a step.

        Raises:
            CorpusError: If the blocks it is sampled from have no text.
        """
        random = np.random.default_rng([self._seed, step])
        kind = self._draw_kind(random)
        with self._lock:
            counted = self._windows[kind].at(step)
        if not counted.weights.size:
            raise CorpusError(f"there is no text to sample the vocabulary of step {step} from")
        rows, scores = self._choose(counted, kind, random)
        least = log(counted.weights.min() / counted.weights.sum())
        return SampledVocab(
            (*ALWAYS, *counted.spell(rows)),
            np.concatenate([np.full(len(ALWAYS), least), scores]),
            kind is not WITHIN,
        )

    def _draw_kind(self, random: np.random.Generator) -> "Kind":
        """Draw what the tokens of a step may be."""
        drawn = random.random()
        if drawn >= self._across_words:
            return WITHIN
        return IN_A_ROW if drawn >= self._across_words / 2 else ANYWHERE

    def _choose(
        self, counted: Substrings, kind: "Kind", random: np.random.Generator
    ) -> tuple[Offsets, NDArray[np.float64]]:
        """Choose the substrings most probable after noise: their rows and their scores."""
        marks = np.empty(counted.weights.size, np.bool_)
        mark_pieces(counted.keys, counted.weights, kind.most_spaces, kind.least, marks)
        rows = np.flatnonzero(marks)
        noisy = counted.weights[rows] / counted.weights.sum()
        noisy += random.normal(0.0, random.lognormal(*self._noise), rows.size)
        wanted = self._size - len(ALWAYS)
        least = np.partition(noisy, -wanted)[-wanted] if rows.size > wanted else 0.0
        chosen = np.flatnonzero((noisy >= least) & (noisy > 0))
        chosen = chosen[np.argsort(-noisy[chosen], kind="stable")][:wanted]
        return rows[chosen], np.log(noisy[chosen])

    def segment(self, vocab: SampledVocab, texts: Sequence[bytes]) -> list[Ids]:
        """Cut texts into the tokens of a vocabulary in the most probable way.

        Words are cut one by one, or lines if the vocabulary has tokens across words.

        Args:
            vocab: What `vocabulary` returned.
            texts: Any bytes.

        Returns:
            The ids of each text, ``int32[n]``: the bytes of their tokens are the text.
        """
        if vocab.across_words:
            pieces = cut_lines(texts)
        else:
            pieces = self._pretokenizer.split(Pieces(*flatten(texts)))
        return share_out(*vocab.segmenter.segment(pieces), pieces, texts)


class _Window:
    """What substrings weigh in the latest blocks, brought up to date block by block."""

    def __init__(
        self,
        texts: Callable[[int], Sequence[bytes]],
        weigh: Callable[[Sequence[bytes], Pretokenizer, int], Substrings],
        pretokenizer: Pretokenizer,
        longest: int,
        queue: int,
    ) -> None:
        self._texts = texts
        self._weigh = weigh
        self._pretokenizer = pretokenizer
        self._longest = longest
        self._queue = queue
        self._nothing = Substrings.none(longest)
        self._sum = self._nothing
        self._blocks: dict[int, Substrings] = {}

    def at(self, step: int) -> Substrings:
        """Sum up the blocks up to number `step`."""
        wanted = range(max(0, step - self._queue + 1), step + 1)
        old = [number for number in self._blocks if number not in wanted]
        if len(old) == len(self._blocks):
            self._sum = self._nothing
        else:
            self._sum = self._sum.plus(self._add_up([self._blocks[each] for each in old]), -1)
        for number in old:
            del self._blocks[number]
        new = {number: self._count(number) for number in wanted if number not in self._blocks}
        self._sum = self._sum.plus(self._add_up(list(new.values())))
        self._blocks |= new
        return self._sum

    def _count(self, number: int) -> Substrings:
        return self._weigh(self._texts(number), self._pretokenizer, self._longest)

    def _add_up(self, blocks: Sequence[Substrings]) -> Substrings:
        """Sum up some blocks, two by two, so that few long tables are walked through."""
        if len(blocks) < 2:
            return blocks[0] if blocks else self._nothing
        middle = len(blocks) // 2
        return self._add_up(blocks[:middle]).plus(self._add_up(blocks[middle:]))


def _check(
    pretokenizer: Pretokenizer, size: int, longest: int, queue: int, across_words: float
) -> None:
    """Refuse what cannot be sampled."""
    if size <= len(ALWAYS):
        raise UsageError(
            f"a sampled vocabulary of {size} tokens has no room beside the {len(ALWAYS)} bytes "
            "and runs of white space: make it larger"
        )
    if not 2 <= longest <= LONGEST:
        raise UsageError(
            f"sampled tokens of at most {longest} bytes cannot be had: give 2 to {LONGEST}"
        )
    if queue < 1:
        raise UsageError(f"a queue of {queue} blocks is none: give 1 or more")
    if not 0 <= across_words <= 1:
        raise UsageError(
            f"{across_words} is no probability of tokens across words: give 0 to 1"
        )
    if rewrites(pretokenizer):
        raise UsageError(
            "the pre-tokenizer rewrites text, so that tokens would not spell it: "
            "give one that only cuts"
        )
