"""Which of all the characters there are a tokenizer loses, and into what."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tokkit.progress import Progress, silent
from tokkit.tokenizer import Tokenizer

SCALARS = 0x110000 - 0x800
"""How many Unicode scalar values there are: code points that are no surrogates."""
_SURROGATES = range(0xD800, 0xE000)
_SIZES = (1024, 32, 1)
"""Characters per text: of a text that is kept in part, shorter ones are tried."""
_BLOCK = 1 << 16


@dataclass(frozen=True)
class LostRange:
    """Neighbouring characters of which the same becomes.

    Attributes:
        first: The code point of the first.
        last: That of the last.
        outcome: What becomes of them: ``nothing``, ``replaced`` (by U+FFFD), ``space``,
            ``normalized`` (each becomes what others mean as well) or ``unreadable`` bytes.
        example: What the first becomes.
    """

    first: int
    last: int
    outcome: str
    example: bytes

    def __len__(self) -> int:
        return self.last - self.first + 1


@dataclass(frozen=True)
class Characters:
    """What becomes of each character there is.

    Attributes:
        lost: Those that do not come back, in order.
    """

    lost: tuple[LostRange, ...]

    @property
    def kept(self) -> int:
        """How many come back."""
        return SCALARS - sum(map(len, self.lost))

    def outcomes(self) -> dict[str, int]:
        """How many are lost into what, most first."""
        counted: Counter[str] = Counter()
        for each in self.lost:
            counted[each.outcome] += len(each)
        return dict(counted.most_common())

    def rows(self) -> list[dict[str, Any]]:
        """One row per range: ``first``, ``last``, ``characters``, ``outcome``, ``example``."""
        return [
            {
                "first": f"U+{each.first:04X}",
                "last": f"U+{each.last:04X}",
                "characters": len(each),
                "outcome": each.outcome,
                "example": each.example.decode("utf-8", "backslashreplace"),
            }
            for each in self.lost
        ]


def check_characters(tokenizer: Tokenizer, progress: Progress = silent) -> Characters:
    """Encode and decode every Unicode scalar value.

    Characters that come back among their neighbours, in order of code points, are kept; a
    character is lost if it does not come back from a text of its own, or if nothing at all
    comes back of a text of it and its neighbours.

    Args:
        tokenizer: The tokenizer.
        progress: Told ``("all characters", characters done, characters)``.
    """
    lost: list[LostRange] = []
    done = 0
    for start in range(0, 0x110000, _BLOCK):
        codes = [code for code in range(start, start + _BLOCK) if code not in _SURROGATES]
        for code, text in _lost_of(tokenizer, codes):
            _append(lost, code, text)
        done += len(codes)
        progress("all characters", done, SCALARS)
    return Characters(tuple(lost))


def _lost_of(tokenizer: Tokenizer, codes: Sequence[int]) -> list[tuple[int, bytes]]:
    """Return the characters that do not come back, in order, and what does."""
    left = list(codes)
    lost: list[tuple[int, bytes]] = []
    for size in _SIZES:
        groups = [left[start : start + size] for start in range(0, len(left), size)]
        texts = ["".join(map(chr, group)).encode() for group in groups]
        encoded = tokenizer.encode_batch(texts, parse_specials=False)
        left = []
        for group, text, ids in zip(groups, texts, encoded, strict=True):
            found = tokenizer.decode(ids)
            if not found or (size == 1 and found != text):
                lost += [(code, found) for code in group]
            elif found != text:
                left += group
    return sorted(lost)


def _append(lost: list[LostRange], code: int, text: bytes) -> None:
    """Add a character to the last range if it goes on there."""
    outcome = _outcome(text)
    if lost and lost[-1].outcome == outcome and lost[-1].last == code - 1:
        last = lost.pop()
        lost.append(LostRange(last.first, code, outcome, last.example))
        return
    lost.append(LostRange(code, code, outcome, text))


def _outcome(text: bytes) -> str:
    """Name what a character became."""
    if not text:
        return "nothing"
    readable = text.decode("utf-8", "replace")
    if set(readable.strip(" ")) == {"\ufffd"}:
        return "replaced" if b"\xef\xbf\xbd" in text else "unreadable"
    return "space" if not readable.strip(" ") else "normalized"
