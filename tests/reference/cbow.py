"""Continuous bags of words in plain Python (arXiv 1310.4546, eq. 4; 1607.04606)."""

import math


def grams(text, shortest=3, longest=6):
    marked = f"<{text}>"
    return [
        marked[start : start + length]
        for start in range(len(marked))
        for length in range(shortest, longest + 1)
        if start + length <= len(marked)
    ]


def sigmoid(score):
    return 1 / (1 + math.exp(-score))


def loss(context, outputs):
    """Of the mean of the context's rows, for a word's output row followed by those drawn."""
    mean = [sum(column) / len(context) for column in zip(*context, strict=True)]
    scores = [sum(a * b for a, b in zip(mean, row, strict=True)) for row in outputs]
    return -math.log(sigmoid(scores[0])) - sum(math.log(sigmoid(-s)) for s in scores[1:])


def step(rows, targets, rate, inputs, outputs):
    """Change lists of lists as one step does."""
    width = len(inputs[0])
    mean = [sum(inputs[row][index] for row in rows) / len(rows) for index in range(width)]
    gradient = [0.0] * width
    for number, target in enumerate(targets):
        score = sum(a * b for a, b in zip(mean, outputs[target], strict=True))
        error = rate * ((number == 0) - sigmoid(score))
        for index in range(width):
            gradient[index] += error * outputs[target][index]
            outputs[target][index] += error * mean[index]
    for row in rows:
        for index in range(width):
            inputs[row][index] += gradient[index]


class Random:
    """Marsaglia's xorshift64 with shifts 13, 7, 17."""

    def __init__(self, state):
        self.state = state

    def draw(self):
        bits = self.state
        bits ^= bits << 13 & 2**64 - 1
        bits ^= bits >> 7
        bits ^= bits << 17 & 2**64 - 1
        self.state = bits
        return (bits >> 11) / 2**53


def learn(
    documents, made_of, keep, negatives, window, drawn, rate, total, inputs, outputs, state
):
    """Read documents, each shorter than a line: the whole of the algorithm."""
    random = Random(state)
    done = 0
    for document in documents:
        line = []
        for word in document:
            done += 1
            if random.draw() < keep[word]:
                line.append(word)
        left = rate * max(1 - done / total, 0)
        for place, word in enumerate(line):
            reach = 1 + int(random.draw() * window)
            others = line[max(place - reach, 0) : place] + line[place + 1 : place + reach + 1]
            rows = [row for other in others for row in made_of[other]]
            if not rows:
                continue
            picks = [negatives[int(random.draw() * len(negatives))] for _ in range(drawn)]
            step(rows, [word, *(pick for pick in picks if pick != word)], left, inputs, outputs)
    return random.state, done
