"""The bytes that tokens spell, and those that people see."""

from dataclasses import dataclass
from functools import cached_property

from tokkit.alphabet import SPACE_MARK
from tokkit.canonical.cuts_pipeline import Pipeline, build_pipeline
from tokkit.errors import TokkitError
from tokkit.tokenizer import Tokenizer
from tokkit.utf8 import unfinished

_SAMPLE = b"a  b\n\nc\td.e's"


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

        A character that is not complete at the end stays as it is, and a space at the end is
        one although a tokenizer that cuts at spaces drops it.

        Example: ``Don'T`` is ``don't`` to a tokenizer that lowers case; to BERT's, which cuts
        at signs and spells no more than that there is a cut, ``don ' t``.
        """
        tail = unfinished(text)
        whole = text[: len(text) - len(tail)]
        # A real ▁ cannot be told from a space afterwards: the grammar is to refuse it.
        if not whole or SPACE_MARK in whole:
            return text
        spelled = self._spelled(whole) if self._respells else None
        if spelled is None:
            return self._rewritten(whole) + tail
        is_cut = whole[-1:].isspace() and not spelled.endswith(b" ")
        if is_cut and self._spelled(whole + b"x") == spelled + b" x":
            spelled += b" "
        return spelled + tail

    def _rewritten(self, whole: bytes) -> bytes:
        """Return what the normalizer makes of a text."""
        normalizer = self.tokenizer.normalizer
        if normalizer is None:
            return whole
        result = normalizer.normalize(whole).replace(SPACE_MARK, b" ")
        if normalizer.normalize(b"x").replace(SPACE_MARK, b" ") == self.lead + b"x":
            result = result.removeprefix(self.lead)
        return result

    def _spelled(self, whole: bytes) -> bytes | None:
        """Return what the pieces of a text spell; None if that would be cut otherwise."""
        try:
            pieces = self._pipeline.pieces(whole)
            spelled = b"".join(pieces).removeprefix(self._pipeline.before)
            return spelled if self._pipeline.pieces(spelled) == pieces else None
        except (TokkitError, UnicodeDecodeError):
            return None

    @cached_property
    def _pipeline(self) -> Pipeline:
        """What happens to a text before it is segmented."""
        return build_pipeline(self.tokenizer, self.tokens, lead=bool(self.lead))

    @cached_property
    def _respells(self) -> bool:
        """Whether pieces spell something else than the text that is cut."""
        joined = b"".join(self._pipeline.pieces(_SAMPLE)).removeprefix(self._pipeline.before)
        return not self._pipeline.after and joined != self._rewritten(_SAMPLE)


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
