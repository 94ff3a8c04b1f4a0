"""Word vectors: continuous bags of words with n-grams and negative sampling.

The model is word2vec's (arXiv 1301.3781, 1310.4546) with fastText's n-grams (arXiv 1607.04606):
a word is the mean of rows of `inputs`, one of its own and one for each of its n-grams, and is
told from other words by a row of `outputs`. Rows are a multiple of `LANES` wide. Every sum is
taken in a fixed order, so that the same numbers come out everywhere.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tokkit.kernels._jit import Counts, Ids, Offsets, kernel

Matrix = NDArray[np.float32]

LANES = 16
LINE = 1024
"""Words that are read at once; the context of a word does not go past them (as fastText)."""
END = -1
"""What ends a document."""


class Model(NamedTuple):
    """Words, what they are made of, and what is learned of them.

    Attributes:
        gram_ends: Where the rows of each word end in `grams`; each has one at least.
        grams: The rows of `inputs` whose mean is a word.
        keep: How often to read a word at all; frequent words are left out at times.
        negatives: Words to draw from, each as often as it shall be drawn.
        inputs: ``float32[rows, width]``, changed.
        outputs: ``float32[words, width]``, changed.
        random: ``uint64[1]``, the state of the random numbers, not 0, changed.
        done: ``int64[1]``, words read so far, changed.
    """

    gram_ends: Offsets
    grams: Ids
    keep: NDArray[np.float64]
    negatives: Ids
    inputs: Matrix
    outputs: Matrix
    random: NDArray[np.uint64]
    done: Counts


@kernel
def next_random(state: NDArray[np.uint64]) -> float:
    """Draw a number from [0, 1): Marsaglia's xorshift64, which needs no multiplication."""
    bits = state[0]
    bits ^= bits << np.uint64(13)
    bits ^= bits >> np.uint64(7)
    bits ^= bits << np.uint64(17)
    state[0] = bits
    return float(bits >> np.uint64(11)) * 2.0**-53


@kernel
def _dot(first: Matrix, row: int, second: Matrix) -> float:
    """Multiply two rows, lane by lane."""
    lanes = np.zeros(LANES, dtype=np.float32)
    for start in range(0, second.size, LANES):
        for lane in range(LANES):
            lanes[lane] += first[row, start + lane] * second[start + lane]
    total = 0.0
    for lane in range(LANES):
        total += np.float64(lanes[lane])
    return total


@kernel
def learn_word(
    rows: Ids,
    targets: Ids,
    rate: float,
    inputs: Matrix,
    outputs: Matrix,
    hidden: Matrix,
    gradient: Matrix,
) -> None:
    """Take one step: make the mean of some rows predict a word, and not the other ones.

    The loss is ``-log sigmoid(o_0 h) - sum_k log sigmoid(-o_k h)`` where h is the mean of the
    rows and o_0, o_1, ... are the targets' rows of `outputs`. As word2vec does, every row of
    the mean gets the whole of h's gradient.

    Args:
        rows: The rows of `inputs` that make up the context; those named twice count twice.
        targets: The word, and words drawn at random.
        rate: How far to go.
        inputs: Changed.
        outputs: Changed.
        hidden: Room for one row.
        gradient: Room for one row.
    """
    width = hidden.size
    hidden[:] = 0.0
    gradient[:] = 0.0
    for row in rows:
        for index in range(width):
            hidden[index] += inputs[row, index]
    scale = np.float32(1.0 / rows.size)
    for index in range(width):
        hidden[index] *= scale
    for number in range(targets.size):
        target = targets[number]
        score = min(max(_dot(outputs, target, hidden), -30.0), 30.0)
        label = 1.0 if number == 0 else 0.0
        step = np.float32(rate * (label - 1.0 / (1.0 + math.exp(-score))))
        for index in range(width):
            gradient[index] += step * outputs[target, index]
            outputs[target, index] += step * hidden[index]
    for row in rows:
        for index in range(width):
            inputs[row, index] += gradient[index]


@kernel
def _gather(model: Model, line: Ids, place: int, reach: int, rows: Ids) -> int:
    """Write the rows of the words around a place; return how many there are."""
    count = 0
    for other in range(max(place - reach, 0), min(place + reach + 1, line.size)):
        if other != place:
            word = line[other]
            start = model.gram_ends[word - 1] if word > 0 else 0
            for gram in range(start, model.gram_ends[word]):
                rows[count] = model.grams[gram]
                count += 1
    return count


@kernel
def _draw(model: Model, word: int, targets: Ids) -> int:
    """Write a word and others drawn against it; return how many there are."""
    targets[0] = word
    count = 1
    for _ in range(targets.size - 1):
        place = np.int64(next_random(model.random) * model.negatives.size)
        if model.negatives[place] != word:
            targets[count] = model.negatives[place]
            count += 1
    return count


@kernel
def _learn_line(
    model: Model, line: Ids, window: int, rate: float, rows: Ids, targets: Ids
) -> None:
    """Predict each word of a line from those around it."""
    hidden = np.empty(model.inputs.shape[1], dtype=np.float32)
    gradient = np.empty(model.inputs.shape[1], dtype=np.float32)
    for place in range(line.size):
        reach = 1 + np.int64(next_random(model.random) * window)
        count = _gather(model, line, place, reach, rows)
        if count > 0:
            drawn = _draw(model, line[place], targets)
            learn_word(
                rows[:count],
                targets[:drawn],
                rate,
                model.inputs,
                model.outputs,
                hidden,
                gradient,
            )


@kernel
def learn_words(
    words: Ids, model: Model, window: int, drawn: int, rate: float, total: int
) -> None:
    """Learn from whole documents, which come in any number of calls.

    Args:
        words: Numbers of words; each document ends with `END`.
        model: Changed.
        window: Most words on either side that predict one.
        drawn: Words drawn against each; those equal to it are left out.
        rate: How far each step goes at first; less and less until `total`.
        total: Words in all documents of all passes.
    """
    longest = np.int64(0)
    start = np.int64(0)
    for end in model.gram_ends:
        longest = max(longest, end - start)
        start = end
    rows = np.empty(2 * window * longest, dtype=np.int32)
    targets = np.empty(drawn + 1, dtype=np.int32)
    line = np.empty(LINE, dtype=np.int32)
    length = 0
    for word in words:
        if word != END:
            model.done[0] += 1
            if next_random(model.random) < model.keep[word]:
                line[length] = word
                length += 1
        if word == END or length == LINE:
            left = rate * max(1.0 - model.done[0] / total, 0.0)
            _learn_line(model, line[:length], window, left, rows, targets)
            length = 0
