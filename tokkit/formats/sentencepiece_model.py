"""What a SentencePiece ``.model`` file holds, read and written without the foreign library.

Field numbers are those of sentencepiece_model.proto (google/sentencepiece).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import NamedTuple

from tokkit.errors import FormatError
from tokkit.formats.protobuf import read_fields, read_float, write_field

SPACE = "▁"
"""How SentencePiece spells a space, U+2581."""


class PieceType(IntEnum):
    """What a piece is for; the same numbers are llama.cpp's token types."""

    NORMAL = 1
    UNKNOWN = 2
    CONTROL = 3
    USER_DEFINED = 4
    UNUSED = 5
    BYTE = 6


class ModelType(IntEnum):
    """How a model cuts text."""

    UNIGRAM = 1
    BPE = 2
    WORD = 3
    CHAR = 4


class Piece(NamedTuple):
    """One entry of the vocabulary: its text, its score (a 32-bit float) and what it is for."""

    text: str
    score: float = 0.0
    type: PieceType = PieceType.NORMAL


@dataclass(frozen=True)
class Normalization:
    """What happens to text before it is cut; the defaults are SentencePiece's.

    Attributes:
        name: The rule's name, such as ``nmt_nfkc`` or ``identity``.
        charsmap: The compiled replacement table; none is identity.
        add_dummy_prefix: Put a space before the text (after it, where pieces end in one).
        remove_extra_whitespaces: Strip spaces, and make runs of them one.
        escape_whitespaces: Write spaces as ``▁``.
    """

    name: str = ""
    charsmap: bytes = b""
    add_dummy_prefix: bool = True
    remove_extra_whitespaces: bool = True
    escape_whitespaces: bool = True


@dataclass(frozen=True)
class SentencePieceModel:
    """A whole model file, as far as cutting text and writing it back depend on it."""

    pieces: tuple[Piece, ...]
    model_type: ModelType = ModelType.UNIGRAM
    normalization: Normalization = field(default_factory=Normalization)
    byte_fallback: bool = False
    treat_whitespace_as_suffix: bool = False
    unk_surface: str = " ⁇ "
    denormalizes: bool = False

    def ids_of(self, *types: PieceType) -> list[int]:
        """List the ids of the pieces of some types."""
        return [index for index, piece in enumerate(self.pieces) if piece.type in types]


def read_model(data: bytes) -> SentencePieceModel:
    """Read the bytes of a ``.model`` file.

    Raises:
        FormatError: If they are not a SentencePiece model.
    """
    pieces: list[Piece] = []
    model = SentencePieceModel(())
    try:
        for number, value in read_fields(data):
            if number == 1:
                pieces.append(_read_piece(_message(value)))
            elif number == 2:
                model = _read_trainer(model, _message(value))
            elif number == 3:
                model = replace(model, normalization=_read_normalization(_message(value)))
            elif number == 5:
                model = replace(
                    model, denormalizes=bool(_read_normalization(_message(value)).charsmap)
                )
    except (ValueError, FormatError) as error:
        raise FormatError(f"this is not a SentencePiece model: {error}") from error
    if not pieces:
        raise FormatError("this is not a SentencePiece model: it has no pieces")
    return replace(model, pieces=tuple(pieces))


def _message(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise FormatError("a number stands where a message should be")
    return value


def _number(value: int | bytes) -> int:
    if isinstance(value, bytes):
        raise FormatError("a message stands where a number should be")
    return value


def _read_piece(data: bytes) -> Piece:
    piece = Piece("")
    for number, value in read_fields(data):
        if number == 1:
            piece = piece._replace(text=_message(value).decode())
        elif number == 2:
            piece = piece._replace(score=read_float(value))
        elif number == 3:
            piece = piece._replace(type=PieceType(_number(value)))
    return piece


def _read_trainer(model: SentencePieceModel, data: bytes) -> SentencePieceModel:
    for number, value in read_fields(data):
        if number == 3:
            model = replace(model, model_type=ModelType(_number(value)))
        elif number == 24:
            model = replace(model, treat_whitespace_as_suffix=bool(value))
        elif number == 35:
            model = replace(model, byte_fallback=bool(value))
        elif number == 44:
            model = replace(model, unk_surface=_message(value).decode())
    return model


def _read_normalization(data: bytes) -> Normalization:
    normalization = Normalization()
    for number, value in read_fields(data):
        if number == 1:
            normalization = replace(normalization, name=_message(value).decode())
        elif number == 2:
            normalization = replace(normalization, charsmap=_message(value))
        elif number == 3:
            normalization = replace(normalization, add_dummy_prefix=bool(value))
        elif number == 4:
            normalization = replace(normalization, remove_extra_whitespaces=bool(value))
        elif number == 5:
            normalization = replace(normalization, escape_whitespaces=bool(value))
    return normalization


def write_model(model: SentencePieceModel) -> bytes:
    """Write a model as the bytes of a ``.model`` file, which sentencepiece can load."""
    trainer = b"".join(
        (
            write_field(3, int(model.model_type)),
            write_field(4, len(model.pieces)),
            write_field(24, int(model.treat_whitespace_as_suffix)),
            write_field(35, int(model.byte_fallback)),
            *_special_ids(model.pieces),
            write_field(44, model.unk_surface.encode()),
        )
    )
    normalization = b"".join(
        (
            write_field(1, model.normalization.name.encode()),
            write_field(2, model.normalization.charsmap),
            write_field(3, int(model.normalization.add_dummy_prefix)),
            write_field(4, int(model.normalization.remove_extra_whitespaces)),
            write_field(5, int(model.normalization.escape_whitespaces)),
        )
    )
    pieces = (
        write_field(1, piece.text.encode())
        + write_field(2, float(piece.score))
        + write_field(3, int(piece.type))
        for piece in model.pieces
    )
    return (
        b"".join(write_field(1, piece) for piece in pieces)
        + write_field(2, trainer)
        + write_field(3, normalization)
    )


def _special_ids(pieces: Sequence[Piece]) -> list[bytes]:
    """Write unk_id, bos_id, eos_id and pad_id: where the usual names stand, else -1."""
    ids = {piece.text: index for index, piece in enumerate(pieces)}
    unknown = next((i for i, piece in enumerate(pieces) if piece.type == PieceType.UNKNOWN), -1)
    return [
        write_field(40, unknown),
        write_field(41, ids.get("<s>", -1)),
        write_field(42, ids.get("</s>", -1)),
        write_field(43, ids.get("<pad>", -1)),
    ]
