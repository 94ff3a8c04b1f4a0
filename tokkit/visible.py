"""How bytes are written for people."""

from collections.abc import Mapping

ESCAPES: Mapping[str, str] = {" ": "␠", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


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
