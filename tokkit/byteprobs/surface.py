"""The bytes that tokens spell, and those that people see."""

from dataclasses import dataclass

from tokkit.alphabet import SPACE_MARK
from tokkit.byteprobs.utf8 import unfinished
from tokkit.tokenizer import Tokenizer


@dataclass(frozen=True)
class Surface:
    """What a tokenizer makes of text before it is cut, and the text each of its tokens spells.

    Attributes:
        tokenizer: The tokenizer.
        tokens: The text of each id of the model; ``b""`` for ids that carry none.
        lead: What the tokenizer puts before every text, usually nothing or a space.
    """

    tokenizer: Tokenizer
    tokens: tuple[bytes, ...]
    lead: bytes

    def normalized(self, text: bytes) -> bytes:
        """Return what the tokenizer makes of `text`, without what it puts before it.

        A character that is not complete at the end stays as it is.

        Example: ``Don'T`` is ``don't`` to a tokenizer that lowers case.
        """
        normalizer = self.tokenizer.normalizer
        tail = unfinished(text)
        whole = text[: len(text) - len(tail)]
        # A real ▁ cannot be told from a space afterwards: the grammar is to refuse it.
        if normalizer is None or not whole or SPACE_MARK in whole:
            return text
        result = normalizer.normalize(whole).replace(SPACE_MARK, b" ")
        if normalizer.normalize(b"x").replace(SPACE_MARK, b" ") == self.lead + b"x":
            result = result.removeprefix(self.lead)
        return result + tail


def text_of(tokenizer: Tokenizer, vocab_size: int, silent: frozenset[int]) -> tuple[bytes, ...]:
    """Return the text of each of a model's ids; ``b""`` for those that carry none.

    Args:
        tokenizer: The tokenizer.
        vocab_size: How many ids the model has.
        silent: Ids that carry no text whatever they are written with, such as those that end
            a text.
    """
    special = {*tokenizer.vocab.specials.values(), *silent}
    special.update(added.token_id for added in tokenizer.added.tokens if added.special)
    tokens = [
        b"" if token_id in special else token
        for token_id, token in enumerate(tokenizer.vocab.tokens[:vocab_size])
    ]
    return (*tokens, *[b""] * (vocab_size - len(tokens)))
