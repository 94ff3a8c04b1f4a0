"""Learning the automaton of a pre-tokenizer's cuts from the pre-tokenizer itself.

The words (see `automaton`) of whole texts form a regular language for every pattern in use,
although a cut may depend on text that comes much later. Its smallest automaton is learned by
asking for the cuts of chosen texts: Angluin, "Learning regular sets from queries and
counterexamples" (Information and Computation 75, 1987), counterexamples used as in Rivest and
Schapire, "Inference of finite automata using homing sequences" (1993). Since a text has only
one right sequence of bits, one question answers for all words that share its characters.
"""

from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tokkit.canonical.automaton import NONE, Automaton, Bits, Texts, Word, aligned
from tokkit.errors import PatternError

Rows = NDArray[np.int64]

_ROUNDS = 200
_PER_ROUND = 8
_CHUNK = 1 << 22
_LONGEST = 60  # bits of an experiment are kept in one integer


class Oracle(Protocol):
    """Knows the cuts of texts."""

    def cut(self, texts: Texts) -> tuple[Bits, NDArray[np.bool_]]:
        """Return the bits of every text, and which texts have any.

        A text that the tokenizer changes has none.
        """
        ...


def learn(oracle: Oracle, classes: int, tests: int, seed: int = 0) -> Automaton:
    """Learn the automaton of the texts that `oracle` knows.

    Args:
        oracle: Knows the cuts of texts over the classes ``range(classes)``.
        classes: Number of classes.
        tests: With how many random texts, about, the automaton has to agree.
        seed: Of the random texts; the same one gives the same automaton.

    Raises:
        PatternError: If no automaton agrees with the oracle.
    """
    learner = _Learner(oracle, classes)
    generator = np.random.default_rng(seed)
    automaton = learner.close()
    count = tests // 16
    for _ in range(_ROUNDS):
        if not learner.refine(automaton, automaton.ambiguous(_PER_ROUND)):
            texts = test_texts(generator, automaton, learner.access, count)
            if not learner.refine(automaton, mistakes(automaton, oracle, texts)):
                count *= 4
                if count > tests:
                    return automaton.trimmed()
                continue
        automaton = learner.close()
    raise PatternError("the pattern's cuts depend on more of the text than can be followed")


def random_texts(generator: np.random.Generator, classes: int, count: int, width: int) -> Texts:
    """Draw texts that repeat themselves: with runs, and few classes in each text."""
    palette = generator.integers(0, classes, (count, 4))
    choice = generator.integers(0, generator.integers(1, 5, (count, 1)), (count, width))
    texts = np.take_along_axis(palette, choice, 1)
    again = generator.random((count, width)) < generator.random((count, 1)) * 0.8
    for column in range(1, width):
        texts[again[:, column], column] = texts[again[:, column], column - 1]
    lengths = generator.integers(1, width + 1, (count, 1))
    return np.where(np.arange(width) < lengths, texts, NONE).astype(np.int16)


def mistakes(automaton: Automaton, oracle: Oracle, texts: Texts) -> list[Word]:
    """Return words that an automaton accepts or refuses wrongly, shortest first."""
    bits, known = oracle.cut(texts)
    ends = automaton.walk(texts, bits)
    refused = known & ((ends == NONE) | ~automaton.accepts[ends])
    words = [_word(texts[row], bits[row]) for row in np.flatnonzero(refused)]
    for row in np.flatnonzero(~known):
        words += automaton.accepted(tuple(texts[row][texts[row] >= 0].tolist()))
    return sorted(set(words), key=lambda word: (len(word[0]), word))


def _word(text: NDArray[np.int16], bits: NDArray[np.uint8]) -> Word:
    """The word in two rows of matrices."""
    return tuple(text[text >= 0].tolist()), tuple(bits[text >= 0].tolist())


def test_texts(
    generator: np.random.Generator, automaton: Automaton, access: list[Word], count: int
) -> Texts:
    """Draw texts that go through every state, and on with every class.

    Args:
        generator: Where chance comes from.
        automaton: Tells which classes are worth telling apart.
        access: A word that leads to each of its states.
        count: How many texts, about.
    """
    classes = automaton.steps.shape[1]
    kinds = automaton.kinds()[0].astype(np.int16)
    heads = np.repeat(aligned([text for text, _ in access], NONE), classes, axis=0)
    heads = np.hstack(
        (heads, np.tile(np.arange(classes, dtype=np.int16), len(access))[:, None])
    )
    heads = np.tile(heads, (max(1, count // (3 * len(heads))), 1))
    few = random_texts(generator, kinds.size, len(heads), 6)
    runs = np.repeat(kinds, _LONGEST // 2)[:, None] * np.ones(_LONGEST // 2, dtype=np.int16)
    lengths = np.tile(np.arange(_LONGEST // 2), kinds.size)
    runs[np.arange(_LONGEST // 2) > lengths[:, None]] = NONE
    somewhere = heads[generator.integers(0, len(heads), count // 4 + len(runs))]
    parts = [
        np.hstack((heads, np.where(few >= 0, kinds[few], NONE))),
        np.hstack((heads, random_texts(generator, classes, len(heads), 4))),
        np.hstack((somewhere[len(runs) :], random_texts(generator, classes, count // 4, 12))),
        np.hstack((somewhere[: len(runs)], runs)),
    ]
    room = max(part.shape[1] for part in parts)
    return np.concatenate([_widened(part, room) for part in parts]).astype(np.int16)


def _widened(texts: Texts, room: int) -> Texts:
    """Add columns with nothing in them."""
    extra = np.full((len(texts), room - texts.shape[1]), NONE, dtype=np.int16)
    return np.hstack((texts, extra))


class _Learner:
    """What is known: a word that leads to each state, and experiments that tell them apart."""

    def __init__(self, oracle: Oracle, classes: int) -> None:
        self.oracle = oracle
        self.classes = classes
        self.experiments: list[tuple[int, ...]] = [(), *((each,) for each in range(classes))]
        self.access: list[Word] = []

    def close(self) -> Automaton:
        """Find all states that the experiments tell apart, and the steps between them."""
        self.access = [((), ())]
        start = self._ask(np.zeros((1, 0), dtype=np.int16))[1][0]
        known = {start.tobytes(): 0}
        accepts = [start[0] != NONE]
        steps: list[NDArray[np.int32]] = []
        while len(steps) < len(self.access):
            fresh = self.access[len(steps) :]
            for word, rows in zip(fresh, self._after(fresh), strict=True):
                table = np.full((self.classes, 2), NONE, dtype=np.int32)
                for character, bit in np.argwhere((rows != NONE).any(axis=2)).tolist():
                    row = rows[character, bit]
                    number = known.setdefault(row.tobytes(), len(known))
                    if number == len(self.access):
                        self.access.append(((*word[0], character), (*word[1], bit)))
                        accepts.append(row[0] != NONE)
                    table[character, bit] = number
                steps.append(table)
        return Automaton(np.array(steps), np.array(accepts, dtype=np.bool_))

    def refine(self, automaton: Automaton, words: list[Word]) -> bool:
        """Add experiments that show what is wrong with an automaton; tell if there were any.

        Args:
            automaton: What `close` returned.
            words: Words, some of which it accepts or refuses wrongly.
        """
        added = 0
        for word in words:
            suffix = self._fault(automaton, word)
            if suffix is not None and suffix not in self.experiments:
                self.experiments.append(suffix)
                added += 1
                if added == _PER_ROUND:
                    break
        return added > 0

    def _fault(self, automaton: Automaton, word: Word) -> tuple[int, ...] | None:
        """Return the end of a word that tells a state from what the automaton takes it for."""
        text, bits = word
        state = 0
        words: list[Word] = []
        for place, (character, bit) in enumerate(zip(text, bits, strict=True)):
            before = self.access[state]
            words.append((before[0] + text[place:], before[1] + bits[place:]))
            state = int(automaton.steps[state, character, bit])
            if state == NONE:
                break
        truths = [*self._are_words(words), state != NONE and bool(automaton.accepts[state])]
        for place, (now, then) in enumerate(pairwise(truths)):
            if now != then:
                return text[place + 1 :]
        return None

    def _are_words(self, words: list[Word]) -> list[bool]:
        """Ask whether words are the words of texts."""
        texts = aligned([text for text, _ in words], NONE)
        bits, known = self.oracle.cut(texts)
        wanted = aligned([bits for _, bits in words], 0)
        found: list[bool] = (known & (bits == wanted).all(axis=1)).tolist()
        return found

    def _after(self, words: list[Word]) -> Rows:
        """What the experiments show one character after words: ``[words, classes, 2, e]``."""
        texts = np.repeat(aligned([text for text, _ in words], NONE), self.classes, axis=0)
        wanted = np.repeat(aligned([bits for _, bits in words], 0), self.classes, axis=0)
        after = np.tile(np.arange(self.classes, dtype=np.int16), len(words))[:, None]
        bits, shown = self._ask(np.hstack((texts, after)))
        agree = (bits[:, :, :-1] == wanted[:, None]).all(axis=2)
        rows = [np.where(agree & (bits[:, :, -1] == bit), shown, NONE) for bit in (0, 1)]
        return np.stack(rows, axis=1).reshape(len(words), self.classes, 2, -1)

    def _ask(self, heads: Texts) -> tuple[Bits, Rows]:
        """Ask for the cuts of texts with every experiment after them.

        Returns:
            The bits of the heads, ``uint8[n, e, width]``, and those of the experiments as
            integers, ``int64[n, e]``, -1 for texts without cuts.
        """
        tails = aligned(self.experiments, NONE)
        count, width = len(tails), heads.shape[1]
        at_once = max(1, _CHUNK // (count * (width + tails.shape[1] + 1)))
        bits, shown = [], []
        for start in range(0, len(heads), at_once):
            part = heads[start : start + at_once]
            texts = np.hstack((np.repeat(part, count, axis=0), np.tile(tails, (len(part), 1))))
            cuts, known = self.oracle.cut(texts)
            bits.append(cuts[:, :width].reshape(len(part), count, width))
            number = cuts[:, width:].astype(np.int64) @ (1 << np.arange(tails.shape[1]))
            shown.append(np.where(known, number, NONE).reshape(len(part), count))
        return np.concatenate(bits), np.concatenate(shown)
