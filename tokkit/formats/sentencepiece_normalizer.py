"""SentencePiece's normalization: spaces, replacement tables, malformed UTF-8.

Without a replacement table it is done here; with one, and for malformed text, by the
sentencepiece library itself, so that it cannot differ.
"""

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tokkit.formats.sentencepiece_model import (
    SPACE,
    ModelType,
    Normalization,
    Piece,
    PieceType,
    SentencePieceModel,
    write_model,
)

_SPACE = SPACE.encode()
_RUNS = re.compile(b" +")


@dataclass(frozen=True)
class SentencePieceNormalizer:
    """What SentencePiece does to text before it cuts it.

    Attributes:
        rules: The model's settings.
        suffix: Whether the dummy space goes after the text instead of before it.
        protected: Texts (user-defined symbols) that no rule changes.
    """

    rules: Normalization
    suffix: bool = False
    protected: tuple[str, ...] = field(default=(), repr=False)

    def normalize(self, data: bytes) -> bytes:
        """Return `data` as SentencePiece would cut it: ``b"a b"`` is ``▁a▁b`` in UTF-8.

        Malformed bytes become U+FFFD, one for each byte.
        """
        if not data or self._is_foreign or not _is_utf8(data):
            return self._through_library(data)
        if self.rules.remove_extra_whitespaces:
            data = _RUNS.sub(b" ", data).strip(b" ")
            if not data:
                return b""
        space = _SPACE if self.rules.escape_whitespaces else b" "
        if self.rules.escape_whitespaces:
            data = data.replace(b" ", _SPACE)
        dummy = space if self.rules.add_dummy_prefix else b""
        if not self.suffix:
            data = dummy + data
        if self.rules.remove_extra_whitespaces:
            # A literal ▁ at the end of the text counts as a space here, and so does the dummy.
            while data.endswith(space):
                data = data[: -len(space)]
        return data + dummy if self.suffix else data

    @property
    def _is_foreign(self) -> bool:
        """Whether every text needs the library: protected spaces make it complicated."""
        return bool(self.rules.charsmap) or (
            self.rules.remove_extra_whitespaces and any(" " in text for text in self.protected)
        )

    def _through_library(self, data: bytes) -> bytes:
        if not data:
            return b""
        normalized: bytes = self._processor.Normalize(data)
        return normalized

    @cached_property
    def _processor(self) -> Any:
        """A model of nothing but an unknown piece and the protected texts."""
        import sentencepiece

        model = SentencePieceModel(
            (
                Piece("<unk>", 0.0, PieceType.UNKNOWN),
                *(Piece(text, 0.0, PieceType.USER_DEFINED) for text in self.protected),
            ),
            model_type=ModelType.BPE,
            normalization=self.rules,
            treat_whitespace_as_suffix=self.suffix,
        )
        return sentencepiece.SentencePieceProcessor(model_proto=write_model(model))

    def __getstate__(self) -> dict[str, Any]:
        """Leave the library's object behind: it cannot be pickled."""
        return {key: value for key, value in self.__dict__.items() if key != "_processor"}


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
