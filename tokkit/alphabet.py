"""Bytes and the printable alphabets that tokenizer files spell them in.

* *byte-level* (GPT-2): every byte is one printable character, a space is ``Ġ``;
* *byte fallback* (SentencePiece): a token that is one byte is spelled ``<0xE2>``, a space
  anywhere is `SPACE_MARK`.
"""

import re

SPACE_MARK = "▁".encode()
"""How SentencePiece, and what follows it, writes a space."""

_PRINTABLE = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
_OTHERS = [byte for byte in range(256) if byte not in set(_PRINTABLE)]

BYTE_LEVEL: tuple[str, ...] = tuple(
    chr(byte) if byte in set(_PRINTABLE) else chr(0x100 + _OTHERS.index(byte))
    for byte in range(256)
)
"""The character that stands for each byte in byte-level files."""

_BYTE_OF = {character: byte for byte, character in enumerate(BYTE_LEVEL)}
_TO_BYTE_LEVEL = {byte: character for byte, character in enumerate(BYTE_LEVEL)}
_FALLBACK = re.compile(r"<0x([0-9A-Fa-f]{2})>")


def to_byte_level(data: bytes) -> str:
    """Spell `data` in the byte-level alphabet: ``b" a"`` is ``"Ġa"``."""
    return data.decode("latin-1").translate(_TO_BYTE_LEVEL)


def from_byte_level(text: str) -> bytes | None:
    """Read the byte-level alphabet: ``"Ġa"`` is ``b" a"``; None if a character is not in it."""
    try:
        return bytes([_BYTE_OF[character] for character in text])
    except KeyError:
        return None


def to_byte_fallback(byte: int) -> str:
    """Spell one byte as SentencePiece does: 226 is ``"<0xE2>"``."""
    return f"<0x{byte:02X}>"


def from_byte_fallback(piece: str) -> int | None:
    """Read ``"<0xE2>"`` as 226; None if `piece` is not the spelling of a byte."""
    match = _FALLBACK.fullmatch(piece)
    return int(match[1], 16) if match else None
