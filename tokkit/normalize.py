"""What happens to text before it is cut: normalizers.

A normalizer sees one stretch of text (what lies between two added tokens) and returns the text
that is cut and segmented instead.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol


class Normalizer(Protocol):
    """Rewrites a stretch of text."""

    def normalize(self, data: bytes) -> bytes:
        """Return what is segmented instead of `data`, both UTF-8."""
        ...


def readable(data: bytes) -> str:
    r"""Decode UTF-8, each byte that is not part of a well-formed sequence as U+FFFD.

    Example: ``b"a\xff\xfeb"`` is ``"a\ufffd\ufffdb"``. SentencePiece reads text like this.
    """
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("utf-8", "surrogateescape").translate(_REPLACEMENTS)


_REPLACEMENTS = dict.fromkeys(range(0xDC80, 0xDD00), "\ufffd")


@dataclass(frozen=True)
class Replace:
    """Puts `new` wherever `old` is: ``Replace(b" ", "▁".encode())`` makes ``a b`` ``a▁b``."""

    old: bytes
    new: bytes

    def normalize(self, data: bytes) -> bytes:
        """Return `data` with every `old` replaced."""
        return data.replace(self.old, self.new)


@dataclass(frozen=True)
class Prepend:
    """Puts `prefix` before text that is not empty: ``Prepend("▁".encode())``."""

    prefix: bytes

    def normalize(self, data: bytes) -> bytes:
        """Return `data` with `prefix` before it."""
        return self.prefix + data if data else data


@dataclass(frozen=True)
class Chain:
    """Normalizers one after the other."""

    steps: tuple[Normalizer, ...]

    def normalize(self, data: bytes) -> bytes:
        """Return what the last of the steps returns."""
        for step in self.steps:
            data = step.normalize(data)
        return data


@dataclass(frozen=True)
class ForeignNormalizer:
    """A normalizer of Hugging Face's `tokenizers`, run by that library.

    Attributes:
        settings: Its JSON, as in ``tokenizer.json``.
        keeps_ascii: Whether it leaves text alone that is all ASCII, which is then quick.
    """

    settings: str
    keeps_ascii: bool = False

    def normalize(self, data: bytes) -> bytes:
        """Return what the library makes of `data`."""
        if self.keeps_ascii and data.isascii():
            return data
        result: str = self._component.normalize_str(readable(data))
        return result.encode()

    def keeps_start(self, data: bytes, length: int) -> bool:
        """Tell whether the first `length` bytes of the result come from the start of `data`.

        Example: ``"  a"`` stripped is ``"a"``, whose start is not that of the text.
        """
        from tokenizers import PreTokenizedString

        characters = len(self.normalize(data)[:length].decode("utf-8", "ignore"))
        text = PreTokenizedString(readable(data))
        text.normalize(self._component.normalize)
        text.split(lambda _, whole: [whole[0:characters]])
        splits = text.get_splits("original", "byte")
        return not splits or splits[0][1][0] == 0

    def __getstate__(self) -> dict[str, Any]:
        return {"settings": self.settings, "keeps_ascii": self.keeps_ascii}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    @cached_property
    def _component(self) -> Any:
        return foreign_component(normalizer=json.loads(self.settings)).normalizer


def foreign_component(**settings: Mapping[str, Any] | None) -> Any:
    """Build a `tokenizers.Tokenizer` with an empty model and the given parts.

    Args:
        settings: The JSON of ``normalizer``, ``pre_tokenizer`` or ``decoder``.

    Raises:
        Exception: Whatever the library raises for settings it cannot read.
    """
    from tokenizers import Tokenizer

    model = {"type": "BPE", "vocab": {}, "merges": []}
    return Tokenizer.from_str(json.dumps({"version": "1.0", "model": model, **settings}))
