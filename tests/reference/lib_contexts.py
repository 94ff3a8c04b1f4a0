"""Less-is-Better as its author revised it in 2023: units are memorised at first sight.

From the description of github.com/ray306/The-Less-is-Better-Model's ``LiB.py``: no limit on
length, new units on probation at once, released when met between other neighbours than at
birth (with one of them the same, the longer unit is memorised instead), and the shorter unit
rewarded in place of the judged one. It draws from Python's `random`, so that its published
lexicon sizes can be reproduced; tokkit itself learns by the algorithm of 2020.
"""

import random


class Model:
    def __init__(self, sentences, alpha, omega, life, delta):
        random.seed(0)
        self.sentences, self.position = sentences, 0
        self.alpha, self.omega, self.life, self.delta = alpha, omega, life, delta
        self.lexicon, self.known, self.probation = [], set(), {}
        self.longest = 0

    def step(self, size):
        """Read the next `size` sentences and revise the lexicon."""
        self.ranks = {unit: rank for rank, unit in enumerate(self.lexicon)}
        self.rewards = []
        for sentence in self.sentences[self.position : self.position + size]:
            self.read(sentence)
        self.position += size
        if self.position >= len(self.sentences):
            self.position = 0
        self.revise()

    def match(self, text):
        beginnings = (text[:length] for length in range(1, min(self.longest, len(text)) + 1))
        return ["", "", *(unit for unit in beginnings if unit in self.known)][-2:]

    def next_chunk(self, text):
        return self.match(text)[1] or text[:1]

    def memorise(self, unit, context):
        if unit and unit not in self.known:
            self.ranks[unit] = len(self.lexicon)
            self.lexicon.append(unit)
            self.known.add(unit)
            self.longest = max(len(unit), self.longest)
            self.probation[unit] = self.life, context

    def read(self, line):
        chunks, tests, i = ["", ""], {}, 0
        while i < len(line):
            self.evaluate(tests, line, i)
            shorter, unit = self.match(line[i:])
            for _, default, _ in tests.values():
                default.append(unit or line[i])
            if unit in self.probation:
                self.inspect(unit, chunks, line[i + len(unit) :])
            if unit:
                if len(unit) > 1 and shorter:
                    tests[unit] = i + len(shorter), [unit], [shorter]
                if random.random() < self.alpha:
                    follower = self.next_chunk(line[i + len(unit) :])
                    self.memorise(chunks[-1] + unit, (chunks[-2], follower))
            else:
                unit = line[i]
                self.memorise(unit, (chunks[-1], self.next_chunk(line[i + 1 :])))
            chunks.append(unit)
            i += len(unit)

    def inspect(self, unit, chunks, rest):
        """Release a unit from probation unless one of its neighbours is the same as before."""
        context = self.probation[unit][1]
        if context is None:
            del self.probation[unit]
            return
        (left, right), before, after = context, chunks[-1], self.next_chunk(rest)
        if left == right == before == after == "":
            return
        same_left = before.endswith(left or "\n") or left.endswith(before or "\n")
        same_right = after.startswith(right or "\n") or right.startswith(after or "\n")
        if same_left:
            self.memorise(before + unit, (chunks[-2], after))
        if same_right:
            self.memorise(unit + after, (before, self.next_chunk(rest[len(after) :])))
        if not (same_left or same_right):
            self.rewards.append((unit, -1))
            del self.probation[unit]

    def evaluate(self, tests, line, i):
        for unit, (end, default, other) in list(tests.items()):
            while end < i:
                other.append(self.next_chunk(line[end:]))
                end += len(other[-1])
            tests[unit] = end, default, other
            if end == i:
                del tests[unit]
                costs = [
                    (len(way), sum(self.ranks.get(chunk, 0) for chunk in way))
                    for way in (default, other)
                ]
                worse = costs[0] > costs[1]
                self.rewards += [(other[0], -1), (unit, 1)] if worse else [(unit, -1)]

    def revise(self):
        expired = {unit for unit, (life, _) in self.probation.items() if life <= 1}
        self.probation = {u: (n - 1, c) for u, (n, c) in self.probation.items() if n > 1}
        self.remove(expired)
        for unit, direction in self.rewards:
            rank = self.lexicon.index(unit) if unit in self.known and unit not in expired else 0
            if rank == 0:
                continue
            target = max(0, rank + direction * (int(rank * self.delta) + 1))
            if target < len(self.lexicon):
                self.lexicon.insert(target, self.lexicon.pop(rank))
            else:
                self.remove({unit})
        for unit in self.lexicon[int((1 - self.omega) * len(self.lexicon)) :]:
            self.probation.setdefault(unit, (self.life, None))

    def remove(self, units):
        self.lexicon = [unit for unit in self.lexicon if unit not in units]
        self.known -= units

    def clean(self):
        """Forget what is on probation."""
        self.remove(set(self.probation))
