"""What kinds of tokens a vocabulary has."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tokkit.analysis.scripts import script_of
from tokkit.tokenizer import Tokenizer
from tokkit.utf8 import is_utf8

LONG = 32
"""Bytes from which on a token counts as long."""
NEVER = frozenset([0xC0, 0xC1, *range(0xF5, 0x100)])
"""Bytes that no UTF-8 has (Unicode 15, table 3-7)."""
_SUPERWORD = re.compile(r"\w +\w")
_TOGETHER = {"Hiragana": "Japanese", "Katakana": "Japanese", "Han": "Japanese"}
"""Scripts that one language writes together are not mixed."""


@dataclass(frozen=True)
class Inventory:
    """Ids of tokens by kind; a token may be of several.

    Attributes:
        kinds: The ids of each kind, in order of id.
        digits: How many tokens of decimal digits alone there are, by their number.
        longest: The id of the longest token in bytes, and how long it is.
        variants: How many words have tokens that differ in case or leading space alone, and
            how many tokens these are.
    """

    kinds: Mapping[str, Sequence[int]]
    digits: Mapping[int, int]
    longest: tuple[int, int]
    variants: tuple[int, int]


KINDS: Mapping[str, str] = {
    "special": "special tokens",
    "unused": "ids without bytes that are no special token",
    "not UTF-8": "tokens that are not whole characters",
    "fragments": "of these, those of several bytes",
    "never in UTF-8": "bytes that no UTF-8 text has",
    "duplicates": "tokens with the bytes of a lower id",
    "long": f"tokens of {LONG} bytes or more",
    "white space": "tokens of white space alone, of two characters or more",
    "superwords": "tokens with a space between two words",
    "mixed scripts": "tokens with letters of several scripts",
    "numbers": "tokens of decimal digits alone",
    "spaced numbers": "a space, then decimal digits alone",
}
"""What each kind is."""


def take_inventory(tokenizer: Tokenizer) -> Inventory:
    """Sort the tokens of a vocabulary by kind."""
    vocab = tokenizer.vocab
    special = set(vocab.specials.values())
    kinds: dict[str, list[int]] = {name: [] for name in KINDS}
    seen: set[bytes] = set()
    for token, data in enumerate(vocab.tokens):
        names = ["special"] if token in special else [] if data else ["unused"]
        if data:
            names += _kinds_of(data)
            names += ["duplicates"] if data in seen else []
            seen.add(data)
        for name in names:
            kinds[name].append(token)
    digits = Counter(len(vocab.tokens[token]) for token in kinds["numbers"])
    longest = max(range(len(vocab)), key=lambda token: len(vocab.tokens[token]), default=0)
    size = len(vocab.tokens[longest]) if len(vocab) else 0
    return Inventory(
        kinds, dict(sorted(digits.items())), (longest, size), _variants(vocab.tokens)
    )


def _kinds_of(data: bytes) -> list[str]:
    """Name the kinds that a token's own bytes show."""
    names = ["long"] if len(data) >= LONG else []
    if not is_utf8(data):
        names.append("not UTF-8")
        names += ["fragments"] if len(data) > 1 else []
        names += ["never in UTF-8"] if len(data) == 1 and data[0] in NEVER else []
        return names
    text = data.decode()
    if text.isspace():
        return [*names, "white space"] if len(text) > 1 else names
    if data.isdigit():
        names.append("numbers")
    elif data[:1] == b" " and data[1:].isdigit():
        names.append("spaced numbers")
    if _SUPERWORD.search(text):
        names.append("superwords")
    if not data.isascii() and len(scripts_of(text)) > 1:
        names.append("mixed scripts")
    return names


def scripts_of(text: str) -> set[str]:
    """Return the scripts of the letters of a text; those of Japanese count as one."""
    found = {script_of(character) for character in text if character.isalpha()}
    if found & {"Hiragana", "Katakana"}:
        found = {_TOGETHER.get(script, script) for script in found}
    return found - {""}


def _variants(tokens: Sequence[bytes]) -> tuple[int, int]:
    """Count words that several tokens spell with other case or a leading space."""
    words: dict[str, int] = defaultdict(int)
    for data in tokens:
        if data and is_utf8(data):
            word = data.decode().removeprefix(" ").casefold()
            if word.isalpha():
                words[word] += 1
    several = [count for count in words.values() if count > 1]
    return len(several), sum(several)
