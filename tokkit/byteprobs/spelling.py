"""How the outcomes of a byte are written for people."""

from tokkit.utf8 import END, unfinished
from tokkit.visible import spell_character


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
