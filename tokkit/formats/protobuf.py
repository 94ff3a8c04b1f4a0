"""Just enough of the protocol-buffer wire format to read and write SentencePiece models.

A message is a run of fields; a field is a varint key (``number * 8 + wire type``) and a
value: a varint (0), 8 bytes (1), a length and that many bytes (2) or 4 bytes (5).
Source: https://protobuf.dev/programming-guides/encoding/
"""

import struct
from collections.abc import Iterator

from tokkit.errors import FormatError

_VARINT, _EIGHT_BYTES, _BYTES, _FOUR_BYTES = 0, 1, 2, 5


def read_varint(data: bytes, start: int) -> tuple[int, int]:
    """Read a varint at `start`: its value and where it ends; AC 02 is 300."""
    value = shift = 0
    for position in range(start, min(start + 10, len(data))):
        value |= (data[position] & 0x7F) << shift
        if data[position] < 0x80:
            return value, position + 1
        shift += 7
    raise FormatError(f"a protocol-buffer number at byte {start} does not end")


def read_fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Read a message: the number and the value of each field, in order.

    Example: the bytes 08 05 12 01 61 are ``(1, 5), (2, b"a")``.

    Raises:
        FormatError: If `data` is not a message.
    """
    position = 0
    while position < len(data):
        key, position = read_varint(data, position)
        value: int | bytes
        if key & 7 == _VARINT:
            value, end = read_varint(data, position)
        else:
            if key & 7 == _BYTES:
                length, position = read_varint(data, position)
            elif key & 7 in (_EIGHT_BYTES, _FOUR_BYTES):
                length = 8 if key & 7 == _EIGHT_BYTES else 4
            else:
                raise FormatError(f"byte {position} does not start a protocol-buffer field")
            end = position + length
            value = data[position:end]
        if end > len(data) or key < 8:
            raise FormatError(f"a protocol-buffer field at byte {position} is damaged")
        yield key >> 3, value
        position = end


def read_float(value: int | bytes) -> float:
    """Read a 4-byte field as the number it holds: 00 00 80 3F is 1.0."""
    if isinstance(value, int) or len(value) != 4:
        raise FormatError("a protocol-buffer field that should be a float is not")
    return float(struct.unpack("<f", value)[0])


def write_varint(value: int) -> bytes:
    """Write a varint: 300 is AC 02; negative numbers take ten bytes."""
    value &= (1 << 64) - 1
    written = bytearray()
    while value >= 0x80:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)


def write_field(number: int, value: int | bytes | float) -> bytes:
    """Write one field: ``(1, 5)`` is 08 05; a float takes four bytes."""
    if isinstance(value, int):
        return write_varint(number << 3 | _VARINT) + write_varint(value)
    if isinstance(value, float):
        return write_varint(number << 3 | _FOUR_BYTES) + struct.pack("<f", value)
    return write_varint(number << 3 | _BYTES) + write_varint(len(value)) + value
