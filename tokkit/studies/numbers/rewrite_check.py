"""Proving that only the cutting of numbers has changed."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tokkit import unicode
from tokkit.errors import CheckError, FormatError
from tokkit.formats.check import awkward_texts
from tokkit.studies.numbers.rewrite_pattern import Grouping
from tokkit.tokenizer import Tokenizer

_CONTEXTS = ("", " ", "x = ", "a", ",", "(", "-", "1,", "0.", "\n", "\t")
_WIDTHS = range(1, 21)
_DIGITS = "73019482650917364825"
_ASCII = frozenset(b"0123456789")
_SPACES = frozenset(" ▁")
_BYTE_TOKEN = re.compile("<0x[0-9A-F]{2}>")
"""What some vocabularies take for a token when a text spells it, which cutting prevents."""


@dataclass(frozen=True)
class Checked:
    """What was compared.

    Attributes:
        without_numbers: Texts without numbers that have the same ids before and after.
        around_numbers: Texts with numbers, cut in the same places but inside numbers.
        numbers: Numbers in contexts whose tokens end where groups do.
        round_trips: Texts that are read back as before.
    """

    without_numbers: int
    around_numbers: int
    numbers: int
    round_trips: int


def check_rewrite(
    before: Tokenizer, after: Tokenizer, grouping: Grouping, *, keeps_rest: bool
) -> Checked:
    """Compare a tokenizer with the one made of it.

    Args:
        before: As it was.
        after: As it is now.
        grouping: How it should cut numbers.
        keeps_rest: Whether numbers were cut off from everything else before, so that nothing
            around them may have changed.

    Raises:
        CheckError: If anything but the cutting of numbers has changed.
        FormatError: If that has not, as some other step cuts them.
    """
    texts = awkward_texts(before)
    plain = [text for text in texts if not _has_numbers(text)]
    _require_equal_ids(before, after, plain)
    compared = 0
    if keeps_rest and before.keeps_bytes:
        compared = _require_equal_cuts(before, after, [t for t in texts if t not in set(plain)])
    numbers = [(context, _DIGITS[:width]) for context in _CONTEXTS for width in _WIDTHS]
    for context, number in numbers:
        _require_groups(after, grouping, context, number)
    texts += [context + number for context, number in numbers]
    _require_equal_texts(before, after, texts)
    return Checked(len(plain), compared, len(numbers), len(texts))


def _numeric(text: str) -> list[bool]:
    """Tell which characters the pre-tokenizer's engine takes for numbers, in any sense."""
    mask = unicode.NUMBER | unicode.NUMERIC | unicode.DIGIT
    table = unicode.properties("oniguruma")
    return [bool(table[ord(character)] & mask) for character in text]


def _has_numbers(text: str) -> bool:
    """Tell whether there are numbers in a text, or in what it may be normalized to."""
    return any(_numeric(text + unicodedata.normalize("NFKC", text)))


def _require_equal_ids(before: Tokenizer, after: Tokenizer, texts: Sequence[str]) -> None:
    parse = before.added.parse
    encoded = (each.encode_batch(texts, parse_specials=parse) for each in (before, after))
    for text, old, new in zip(texts, *encoded, strict=True):
        if old.tolist() != new.tolist():
            raise CheckError(
                f"a text without numbers has other tokens after the rewrite: {text[:40]!r} was "
                f"{old.tolist()[:12]} and is {new.tolist()[:12]}"
            )


def _require_equal_cuts(before: Tokenizer, after: Tokenizer, texts: Sequence[str]) -> int:
    """Compare where tokens end outside of numbers; return how many texts were compared."""
    compared = 0
    for text in texts:
        inside = set(_inside_numbers(text))
        old, new = _ends(before, text), _ends(after, text)
        if old is None or new is None:
            continue
        compared += 1
        old, new = old - inside, new - inside
        if old != new:
            place = min(old ^ new)
            raise CheckError(
                f"the rewrite changes more than numbers: {text[:40]!r} is cut at byte {place} "
                f"{'no longer' if place in old else 'now'}"
            )
    return compared


def _ends(tokenizer: Tokenizer, text: str) -> set[int] | None:
    """Where tokens end; None if they spell more than the text, and a space before it."""
    ids = tokenizer.encode(text, parse_specials=False)
    ends = np.cumsum([0, *(len(tokenizer.vocab.tokens[each]) for each in ids)])
    added = int(ends[-1]) - len(text.encode("utf-8", "surrogatepass"))
    return set((ends - added).tolist()) - {0, -1} if added in (0, 1) else None


def _inside_numbers(text: str) -> Iterator[int]:
    """Give the bytes inside a run of numbers, and between it and a space before it."""
    numeric = _numeric(text)
    place = 0
    for number, character in enumerate(text):
        if number and numeric[number] and (numeric[number - 1] or text[number - 1] in _SPACES):
            yield place
        size = len(character.encode("utf-8", "surrogatepass"))
        if numeric[number]:
            yield from range(place + 1, place + size)
        place += size


def _require_groups(
    tokenizer: Tokenizer, grouping: Grouping, context: str, number: str
) -> None:
    """Check that a token ends wherever a group does, and none reaches across."""
    ids = tokenizer.encode(context + number, parse_specials=False).tolist()
    ends = set(
        np.cumsum([0, *(_digits(tokenizer.vocab.tokens[each]) for each in ids)]).tolist()
    )
    first = sum(character.isdigit() for character in context)
    wanted = first + np.cumsum([0, *map(len, grouping.cut(number))])
    if not set(wanted.tolist()) <= ends:
        parts = [tokenizer.vocab.tokens[each].decode(errors="replace") for each in ids]
        raise FormatError(
            f"its pre-tokenizer cuts numbers in a way that could not be changed: "
            f"{context + number!r} is {'|'.join(parts)} and should be "
            f"{'|'.join(grouping.cut(number))}"
        )


def _digits(token: bytes) -> int:
    return sum(byte in _ASCII for byte in token)


def _require_equal_texts(before: Tokenizer, after: Tokenizer, texts: Iterable[str]) -> None:
    for text in texts:
        if _BYTE_TOKEN.search(text):
            continue
        old, new = (_read_back(tokenizer, text) for tokenizer in (before, after))
        if old != new:
            raise CheckError(
                f"{text[:40]!r} is read back as {new[:60]!r} after the rewrite, and as "
                f"{old[:60]!r} before"
            )


def _read_back(tokenizer: Tokenizer, text: str) -> bytes:
    """Encode and decode a text; a run of unknown tokens counts as one of them.

    Unknown characters side by side are one token of many vocabularies, and several once they
    are cut: neither is what the text said.
    """
    ids = tokenizer.encode(text, parse_specials=False)
    unknown = ids == getattr(tokenizer.segmenter, "unk_id", None)
    unknown[1:] &= unknown[:-1].copy()
    unknown[:1] = False
    return tokenizer.decode(ids[~unknown], specials=True)
