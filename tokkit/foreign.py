"""Pre-tokenizers of Hugging Face's `tokenizers`: some of them here, the others through it."""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tokkit.kernels._jit import Bytes, Offsets
from tokkit.normalize import foreign_component
from tokkit.pretokenize import Pieces
from tokkit.vocab import flatten


@dataclass(frozen=True)
class Foreign:
    """Any pre-tokenizer of `tokenizers`, run by that library.

    What is not UTF-8 is shown to the library as U+FFFD; the pieces keep their bytes.

    Attributes:
        settings: Its JSON, as in ``tokenizer.json``.
        needs: A text without which it leaves a piece alone; empty if there is none.
    """

    settings: str
    needs: bytes = b""
    rewrites = True

    def split(self, pieces: Pieces) -> Pieces:
        """Cut every piece as if it were a text of its own."""
        if self.needs and self.needs not in pieces.data.tobytes():
            return pieces
        parts: list[bytes] = []
        for piece in pieces.as_bytes():
            parts += self._cut(piece)
        return Pieces(*flatten([part for part in parts if part]))

    def _cut(self, piece: bytes) -> list[bytes]:
        """Cut one piece."""
        try:
            text = piece.decode()
        except UnicodeDecodeError:
            return self._cut_bytes(piece)
        return [part.encode() for part, _ in self._component.pre_tokenize_str(text)]

    def _cut_bytes(self, piece: bytes) -> list[bytes]:
        """Cut bytes that are not UTF-8, by the offsets the library gives."""
        escaped = piece.decode("utf-8", "surrogateescape")
        hidden = [char if char < "\udc80" or char > "\udcff" else "\ufffd" for char in escaped]
        places = [0]
        for character in escaped:
            places.append(places[-1] + len(character.encode("utf-8", "surrogateescape")))
        return [
            piece[places[start] : places[end]]
            for _, (start, end) in self._component.pre_tokenize_str("".join(hidden))
        ]

    def __getstate__(self) -> dict[str, Any]:
        return {"settings": self.settings, "needs": self.needs}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    @cached_property
    def _component(self) -> Any:
        return foreign_component(pre_tokenizer=json.loads(self.settings)).pre_tokenizer


@dataclass(frozen=True)
class Metaspace:
    """Writes spaces as another character and cuts before each.

    Example: with ``▁``, ``a  b`` is ``▁a``, ``▁``, ``▁b``.

    Attributes:
        replacement: What stands for a space, usually ``▁``, UTF-8.
        prepend: Whether it is put before a text that does not begin with it.
        cut: Whether text is cut.
    """

    replacement: bytes
    prepend: bool
    cut: bool = True
    rewrites = True

    def split(self, pieces: Pieces) -> Pieces:
        """Rewrite and cut every piece."""
        texts = pieces.as_bytes() if pieces.ends.size != 1 else [pieces.data.tobytes()]
        for number, text in enumerate(texts):
            text = text.replace(b" ", self.replacement)
            if self.prepend and not text.startswith(self.replacement):
                text = self.replacement + text
            texts[number] = text
        data, ends = flatten(texts)
        if self.cut:
            ends = np.union1d(_places(data, self.replacement), ends)
            ends = ends[ends > 0]
        return Pieces(data, ends)


@dataclass(frozen=True)
class PrefixSpace:
    """Puts a space before every piece that does not begin with one."""

    rewrites = True

    def split(self, pieces: Pieces) -> Pieces:
        """Rewrite every piece."""
        texts = [piece if piece[:1] == b" " else b" " + piece for piece in pieces.as_bytes()]
        return Pieces(*flatten(texts))


def _places(data: Bytes, text: bytes) -> Offsets:
    """Find where `text` begins in `data`: ``aXbX`` with ``X`` -> ``[1, 3]``.

    For the UTF-8 of one character, which cannot overlap itself.
    """
    room = max(data.size - len(text) + 1, 0)
    found = np.ones(room, dtype=bool)
    for offset, byte in enumerate(text):
        found &= data[offset : offset + room] == byte
    return np.flatnonzero(found)
