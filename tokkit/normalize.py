"""What happens to text before it is cut: normalizers.

A normalizer sees one stretch of text (what lies between two added tokens) and returns the text
that is cut and segmented instead.
"""

from dataclasses import dataclass
from typing import Protocol


class Normalizer(Protocol):
    """Rewrites a stretch of text."""

    def normalize(self, data: bytes) -> bytes:
        """Return what is segmented instead of `data`, both UTF-8."""
        ...


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
