"""Less-is-Better, literally: strings, lists and dictionaries (generation A, 2020).

From the description of github.com/ray306/LiB's ``model.py`` and of CogALex 2020
(aclanthology.org/2020.cogalex-1.4), with two changes that tokkit makes: single characters are
never forgotten, and the length of a new unit is all that `max_length` limits.
"""

from collections.abc import Callable
from dataclasses import dataclass, field


class Xorshift:
    """Marsaglia's xorshift64 (shifts 13, 7, 17): the upper 53 bits as a number below 1."""

    def __init__(self, state: int) -> None:
        self.state = state

    def __call__(self) -> float:
        state = self.state
        state ^= (state << 13) & 0xFFFFFFFFFFFFFFFF
        state ^= state >> 7
        state ^= (state << 17) & 0xFFFFFFFFFFFFFFFF
        self.state = state
        return (state >> 11) * 2.0**-53


@dataclass
class Settings:
    alpha: float = 0.25
    omega: float = 0.0001
    life: int = 10
    delta: float = 0.2
    max_length: int = 12
    unknown_length: int = 2
    document_size: int = 200
    immortal: bool = True


@dataclass
class Model:
    """A lexicon in the making.

    Attributes:
        lexicon: The units, strongest first.
        probation: How many documents each unit on probation may still go unseen.
    """

    settings: Settings
    random: Callable[[], float]
    lexicon: list[str]
    probation: dict[str, int] = field(default_factory=dict)

    def match_two(self, text: str) -> tuple[str, str]:
        """Return the second longest and the longest unit that `text` begins with."""
        beginnings = (text[:length] for length in range(1, min(len(text), self.longest) + 1))
        found = ["", "", *(unit for unit in beginnings if unit in self.known)]
        return found[-2], found[-1]

    def match(self, text: str) -> str:
        return self.match_two(text)[1]

    def epoch(self, lines: list[str]) -> None:
        """Draw a document and read it."""
        size = self.settings.document_size
        self.read([lines[int(self.random() * len(lines))] for _ in range(size)])

    def read(self, document: list[str]) -> None:
        settings = self.settings
        self.known = set(self.lexicon)
        self.longest = max(map(len, self.lexicon), default=0)
        self.rewards: list[tuple[str, int]] = []
        self.once: set[str] = set()
        for line in document:
            self.tests: dict[str, tuple[int, list[str], list[str]]] = {}
            last, last_known = "", False
            i = 0
            while i < len(line):
                self.evaluate(line, i)
                second, longest = self.match_two(line[i : i + settings.max_length])
                for _, _, default in self.tests.values():
                    default.append(longest)
                if not longest:
                    last, last_known = ("" if last_known else last) + line[i], False
                    i += 1
                    continue
                if self.random() < settings.alpha:
                    self.consider(last, last_known, longest)
                if len(longest) > 1 and second:
                    self.tests[longest] = (i + len(second), [second], [longest])
                else:
                    self.probation.pop(longest, None)
                last, last_known = longest, True
                i += len(longest)
        self.update()

    def consider(self, last: str, last_known: bool, unit: str) -> None:
        """Memorise the pair of chunks just read, or a short unknown run, the second time."""
        candidate = last + unit if last_known else last
        limit = self.settings.max_length if last_known else self.settings.unknown_length
        if not candidate or len(candidate) > limit or candidate in self.known:
            return
        if candidate in self.once:
            self.lexicon.append(candidate)
            self.known.add(candidate)
            self.longest = max(self.longest, len(candidate))
        else:
            self.once.add(candidate)

    def evaluate(self, line: str, i: int) -> None:
        """Compare each open test's two branches where they have met again."""
        for unit, (end, other, default) in list(self.tests.items()):
            while end < i:
                other.append(self.match(line[end : end + self.settings.max_length]))
                end += max(1, len(other[-1]))
            self.tests[unit] = end, other, default
            if end == i:
                del self.tests[unit]
                self.judge(unit, other, default)

    def judge(self, unit: str, other: list[str], default: list[str]) -> None:
        def cost(chunks: list[str]) -> tuple[int, int, int]:
            ranks = sum(self.lexicon.index(chunk) for chunk in chunks if chunk)
            return chunks.count(""), len(chunks), ranks

        if cost(default) > cost(other):
            self.rewards += [(unit, +1), (self.match(unit[:-1]), -1)]
        else:
            self.rewards.append((unit, -1))
            self.probation.pop(unit, None)

    def update(self) -> None:
        """Forget, move the judged units, and put the tail on probation."""
        settings = self.settings
        expired = {unit for unit, life in self.probation.items() if life <= 1}
        self.probation = {u: life - 1 for u, life in self.probation.items() if life > 1}
        self.lexicon = [unit for unit in self.lexicon if unit not in expired]
        for unit, direction in self.rewards:
            if unit not in expired:
                self.move(unit, direction)
        for unit in self.lexicon[int((1 - settings.omega) * len(self.lexicon)) :]:
            if not (settings.immortal and len(unit) == 1):
                self.probation.setdefault(unit, settings.life)

    def move(self, unit: str, direction: int) -> None:
        """Move a unit by a share of its rank; past the tail it is forgotten."""
        rank = self.lexicon.index(unit) if unit in self.lexicon else 0
        if rank == 0:
            return
        target = rank + direction * (int(rank * self.settings.delta) + 1)
        size = len(self.lexicon)
        self.lexicon.remove(unit)
        if target < size:
            self.lexicon.insert(max(target, 0), unit)
        elif self.settings.immortal and len(unit) == 1:
            self.lexicon.append(unit)
