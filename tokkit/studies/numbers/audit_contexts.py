"""Where numbers stand, and the ways to write them."""

from collections.abc import Mapping
from dataclasses import dataclass

from tokkit.studies.numbers.audit_cuts import Reader, show_cut
from tokkit.tokenizer import Tokenizer

CONTEXTS: Mapping[str, str] = {
    "after a space": " {}",
    "in a sentence": "It cost {} in all.",
    "after a line feed": "\n{}",
    "after a letter": "x{}",
    "before letters": "{}km",
    "after a symbol": "${}",
    "after a comma": ",{}",
    "after a minus": "-{}",
    "after = and a space": "= {}",
    "after =": "={}",
    "in brackets": "({})",
    "after a point": "0.{}",
    "before a point": "{}.0",
}
"""Contexts in which a number should be cut as when it stands alone."""

FORMATS: Mapping[str, str] = {
    "plain": "1234567",
    "after a space": " 1234567",
    "commas": "1,234,567",
    "decimal": "1234.5678",
    "negative": "-1234567",
    "leading zeros": "0001234",
    "scientific": "1.2345e-10",
    "date": "2024-01-31",
    "date, slashes": "31/01/2024",
    "time": "23:59:59",
    "hexadecimal": "0x1A2B3C4D",
    "percent": "12.5%",
    "sum": "1234+5678=6912",
    "Arabic-Indic": "١٢٣٤٥٦٧",
    "Devanagari": "१२३४५६७",
    "fullwidth": "１２３４５６７",
    "superscript": "10¹²³",
}
"""Ways to write numbers."""


@dataclass(frozen=True)
class Consistency:
    """How often numbers are cut in a context as when they stand alone.

    Attributes:
        context: The text around them, ``{}`` for the number.
        n: How many numbers were tried, of 1 to 12 digits.
        same: How many are cut at the same places.
        example: The first that is not, as it is cut there; empty if there is none.
    """

    context: str
    n: int
    same: int
    example: str


@dataclass(frozen=True)
class Example:
    r"""One way to write a number.

    Attributes:
        text: The number.
        tokens: What its tokens spell; bytes that are no character are written ``\xd9``.
        digits: How many digits it has, in any script.
    """

    text: str
    tokens: list[str]
    digits: int


def find_consistency(reader: Reader, numbers: list[str]) -> dict[str, Consistency]:
    """Compare the cuts of numbers in each of `CONTEXTS` with those of the numbers alone."""
    alone = reader.cuts(numbers)
    found = {}
    for name, context in CONTEXTS.items():
        there = reader.cuts(numbers, context)
        differing = [
            show_cut(number, cut)
            for number, cut, same in zip(numbers, there, alone, strict=True)
            if cut != same or not cut
        ]
        same = len(numbers) - len(differing)
        found[name] = Consistency(context, len(numbers), same, next(iter(differing), ""))
    return found


def show_formats(tokenizer: Tokenizer) -> dict[str, Example]:
    """Cut each of `FORMATS`."""
    batch = tokenizer.encode_batch(list(FORMATS.values()), parse_specials=False)
    return {
        name: Example(text, spell_tokens(tokenizer, ids.tolist()), sum(map(str.isdigit, text)))
        for (name, text), ids in zip(FORMATS.items(), batch, strict=True)
    }


def spell_tokens(tokenizer: Tokenizer, ids: list[int]) -> list[str]:
    r"""Spell tokens; halves of characters are written as bytes, ``\xd9``."""
    tokens = tokenizer.vocab.tokens
    names = {token_id: text for text, token_id in tokenizer.vocab.specials.items()}
    return [names.get(each) or tokens[each].decode("utf-8", "backslashreplace") for each in ids]
