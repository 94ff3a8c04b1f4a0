"""Added tokens: texts that are tokens of their own wherever they occur."""

from dataclasses import dataclass
from typing import NamedTuple

from tokkit.normalize import Normalizer


@dataclass(frozen=True)
class Added:
    """One added token, with the attributes Hugging Face gives them.

    Attributes:
        content: The text it is written with.
        token_id: Its id.
        special: Whether it is a control token rather than a piece of text.
        lstrip: Whether white space to its left belongs to it.
        rstrip: Whether white space to its right belongs to it.
        single_word: Whether it counts only where no word character touches it.
        normalized: Whether it is looked for in normalized text rather than in the original.
    """

    content: str
    token_id: int
    special: bool = True
    lstrip: bool = False
    rstrip: bool = False
    single_word: bool = False
    normalized: bool = False


class Segment(NamedTuple):
    """A stretch of text: normalized text to be cut, or (`token_id` >= 0) an added token."""

    data: bytes
    token_id: int
    start: int


@dataclass(frozen=True)
class AddedTokens:
    """The added tokens of a tokenizer.

    Attributes:
        tokens: The added tokens.
        parse: Whether special tokens are looked for in text unless the caller says otherwise.
    """

    tokens: tuple[Added, ...] = ()
    parse: bool = True

    def split(
        self, data: bytes, normalizer: Normalizer | None, parse_specials: bool | None = None
    ) -> list[Segment]:
        """Cut `data` at its added tokens and normalize what lies between them.

        Example: with ``<s>``, ``b"a<s>b"`` -> ``[(b"a", -1, 0), (b"<s>", 7, 1), (b"b", -1, 4)]``.

        Args:
            data: UTF-8 text.
            normalizer: Applied to the stretches between non-normalized tokens.
            parse_specials: Whether special tokens are looked for; None: what `parse` says.

        Returns:
            The stretches in order; `start` is the byte offset of each in `data`.
        """
        return [Segment(normalizer.normalize(data) if normalizer else data, -1, 0)]
