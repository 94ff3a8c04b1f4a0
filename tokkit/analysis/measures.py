"""What is measured: each measure with its definition and what it divides by."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

COMMON = (
    "documents",
    "bytes",
    "characters",
    "lines",
    "words",
    "known_words",
    "digits",
    "numbers",
    "code_bytes",
)
"""What is counted of every document, whatever the tokenizer."""
OWN = (
    "tokens",
    "filled",
    "bytes_ratio",
    "characters_ratio",
    "unknown",
    "white",
    "fragments",
    "alone",
    "spaced",
    "continued_alone",
    "continued_spaced",
    "split_alone",
    "split_spaced",
    "number_tokens",
    "whole_numbers",
    "code_tokens",
)
"""What is counted of every document under each tokenizer."""
OF_WORDS = frozenset(COMMON[5:] + OWN[7:])
"""What is counted of every word by itself."""

ALONE = "without leading space (unless the tokenizer puts one itself)"
SPACED = "with leading space (not doubled where the tokenizer puts one itself)"
FORMS: Mapping[str, str] = {"alone": ALONE, "spaced": SPACED}
"""The two ways in which a word is encoded by itself."""


class Ratio(NamedTuple):
    """A ratio of two sums over documents.

    Attributes:
        name: What it is called in tables.
        above: What is added up above the line, one of `COMMON` or `OWN`.
        below: What is added up below it.
        definition: What it is, for people.
    """

    name: str
    above: str
    below: str
    definition: str


def _of_words(name: str, form: str, above: str, below: str, definition: str) -> Ratio:
    return Ratio(f"{name}_{form}", f"{above}_{form}", below.format(form), definition)


def _word_ratios(form: str, label: str) -> tuple[Ratio, ...]:
    where = f"occurrences of words, each encoded by itself {label}"
    return (
        Ratio(f"fertility_{form}", form, "known_words", f"tokens / {where}"),
        _of_words(
            "continued_word_rate", form, "continued", "{}",
            f"tokens after the first of a word / tokens, of {where}",
        ),
        _of_words(
            "word_split_rate", form, "split", "known_words",
            f"words of several tokens, which are none of the vocabulary / {where}",
        ),
    )  # fmt: skip


RATIOS: tuple[Ratio, ...] = (
    Ratio("bytes_per_token", "bytes", "tokens", "bytes / tokens, ratio of sums (micro)"),
    Ratio(
        "bytes_per_token_macro", "bytes_ratio", "filled",
        "mean over documents with a token of their bytes / tokens (macro)",
    ),
    Ratio(
        "characters_per_token", "characters", "tokens",
        "code points / tokens, ratio of sums (micro)",
    ),
    Ratio(
        "characters_per_token_macro", "characters_ratio", "filled",
        "mean over documents with a token of their code points / tokens (macro)",
    ),
    Ratio("tokens_per_document", "tokens", "documents", "tokens / documents"),
    Ratio("tokens_per_line", "tokens", "lines", "tokens / lines"),
    Ratio(
        "fertility", "tokens", "words",
        "tokens of running text / words, which white space parts",
    ),
    *_word_ratios("alone", ALONE),
    *_word_ratios("spaced", SPACED),
    Ratio("unknown_rate", "unknown", "tokens", "unknown tokens / tokens"),
    Ratio(
        "fragment_rate", "fragments", "tokens",
        "tokens whose bytes are not whole characters / tokens",
    ),
    Ratio("white_space_rate", "white", "tokens", "tokens of white space only / tokens"),
    Ratio(
        "digits_per_token", "digits", "number_tokens",
        "digits 0-9 / tokens, of runs of digits, each encoded by itself (a token of the space "
        "that a tokenizer puts before a text is none of them)",
    ),
    Ratio(
        "whole_number_rate", "whole_numbers", "numbers",
        "runs of digits that are one token / runs of digits",
    ),
    Ratio(
        "code_bytes_per_token", "code_bytes", "code_tokens",
        "bytes / tokens, of words like code (with a bracket, one of ;=<>_\\, or a capital "
        "after a small letter), each encoded by itself",
    ),
)  # fmt: skip
"""What documents drawn anew give an interval of."""

NSL = "normalized_sequence_length"
NSL_DEFINITION = "tokens / tokens of {}, ratio of sums (Dagan et al., arXiv 2402.01035)"

TYPES: Mapping[str, str] = {
    "type_fertility": "tokens / word types, each encoded by itself {}",
    "strr": "word types that are one token / word types, {} (STRR, arXiv 2510.09947)",
}
"""What is measured of distinct words, in both forms."""


def columns(names: Sequence[str]) -> dict[tuple[str, str], int]:
    """Say where what is counted stands: by tokenizer, ``""`` for all, and what it is."""
    keys = [("", name) for name in COMMON]
    keys += [(tokenizer, name) for tokenizer in names for name in OWN]
    return {key: place for place, key in enumerate(keys)}
