"""How bytes are written for people."""

from collections.abc import Mapping

from tokkit.byteprobs.utf8 import END, unfinished

ESCAPES: Mapping[str, str] = {" ": "␠", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def spell(byte: int, prefix: bytes = b"") -> str:
    r"""Write an outcome as a person reads it.

    Example: 97 is ``"a"``, 32 ``"␠"``, 10 ``"\n"``, 0xE2 ``"<E2>"``, 256 ``"end of text"``;
    0xA9 after ``b"caf\xc3"``, where it completes a character, is ``"é"``.
    """
    if byte == END:
        return "end of text"
    try:
        return spell_character((unfinished(prefix) + bytes([byte])).decode())
    except UnicodeDecodeError:
        return f"<{byte:02X}>"


def spell_character(character: str) -> str:
    r"""Write a character so that it can be seen: a line feed is ``"\n"``."""
    if character in ESCAPES:
        return ESCAPES[character]
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode()


def spell_bytes(data: bytes) -> str:
    r"""Write a token: ``b" the\n"`` is ``"␠the\n"``, ``b"\xe2\x82"`` is ``"<E2><82>"``."""
    text = data.decode("utf-8", "surrogateescape")
    return "".join(
        f"<{ord(character) - 0xDC00:02X}>"
        if 0xDC80 <= ord(character) <= 0xDCFF
        else spell_character(character)
        for character in text
    )
