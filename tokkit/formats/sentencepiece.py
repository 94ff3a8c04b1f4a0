"""SentencePiece ``.model`` files, cut exactly as the sentencepiece library cuts.

BPE models merge the two neighbours whose text together is the piece with the highest score,
the leftmost of several; user-defined pieces are set apart first and never merge. Unigram models
take the path with the highest sum of scores, in 32-bit floats.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tokkit.added import Added, AddedTokens
from tokkit.alphabet import from_byte_fallback
from tokkit.errors import FormatError
from tokkit.formats.sentencepiece_model import (
    SPACE,
    ModelType,
    Piece,
    PieceType,
    SentencePieceModel,
    read_model,
)
from tokkit.formats.sentencepiece_normalizer import SentencePieceNormalizer
from tokkit.formats.set_apart import SetApart, SpaceRuns
from tokkit.pretokenize import Pretokenizer, Whole
from tokkit.segment import Segmenter
from tokkit.segment.bpe import BPE
from tokkit.segment.unigram import Unigram
from tokkit.tokenizer import Source, Tokenizer
from tokkit.vocab import Vocabulary


def matches(path: Path) -> bool:
    """Say whether `path` is, or is a folder with, a SentencePiece model."""
    return find_file(path) is not None


def find_file(path: Path) -> Path | None:
    """Find the model: `path` itself, or ``tokenizer.model`` or ``spiece.model`` in it."""
    if path.is_dir():
        candidates = [path / name for name in ("tokenizer.model", "spiece.model")]
        candidates += sorted(path.glob("sentencepiece*.model"))
        return next((each for each in candidates if each.is_file() and matches(each)), None)
    with path.open("rb") as file:
        start = file.read(3)
    # The first field of every model is a piece, a message of at least three bytes.
    return path if len(start) == 3 and start[0] == 0x0A and start[2] == 0x0A else None


def read(path: Path, *, pattern: str | None = None) -> Tokenizer:
    """Read a model file, or the one in a folder.

    Raises:
        FormatError: If it is damaged, or asks for something tokkit would not do exactly.
    """
    file = find_file(path)
    if file is None:
        raise FormatError(f"{path}: no SentencePiece model is there")
    if pattern is not None:
        raise FormatError(f"{file}: SentencePiece models have no pre-tokenization pattern")
    content = file.read_bytes()
    try:
        return build(read_model(content), Source("sentencepiece", file, content))
    except FormatError as error:
        raise FormatError(f"{file}: {error}") from error


def build(model: SentencePieceModel, source: Source | None = None) -> Tokenizer:
    """Make the tokenizer that cuts as the sentencepiece library does with `model`.

    Raises:
        FormatError: If `model` asks for something tokkit would not do exactly.
    """
    _require_exact(model)
    reserved = model.ids_of(PieceType.CONTROL, PieceType.UNKNOWN)
    specials = {model.pieces[index].text: index for index in reserved}
    user_defined = model.ids_of(PieceType.USER_DEFINED)
    rules = model.normalization
    return Tokenizer(
        Vocabulary(tuple(token_bytes(model)), specials),
        bpe(model) if model.model_type == ModelType.BPE else unigram(model),
        pretokenizer=_spaces(model),
        normalizer=SentencePieceNormalizer(
            rules,
            model.treat_whitespace_as_suffix,
            tuple(model.pieces[index].text for index in user_defined),
        ),
        added=AddedTokens(
            tuple(Added(text, token_id) for text, token_id in specials.items()), parse=False
        ),
        source=source,
        first_space=(
            "strip one" if rules.add_dummy_prefix or rules.remove_extra_whitespaces else "keep"
        ),
    )


def _require_exact(model: SentencePieceModel) -> None:
    """Refuse what would not be done exactly, and what sentencepiece refuses to load."""
    if model.model_type not in (ModelType.BPE, ModelType.UNIGRAM):
        raise FormatError(
            f"{model.model_type.name.lower()} models are not supported, only bpe and unigram"
        )
    if model.denormalizes:
        raise FormatError("the model rewrites text when it decodes, which is not supported")
    unknown = model.ids_of(PieceType.UNKNOWN)
    if len(unknown) != 1:
        raise FormatError(f"the model has {len(unknown)} unknown pieces, and needs one")
    seen: dict[str, int] = {}
    for index, piece in enumerate(model.pieces):
        if not piece.text:
            raise FormatError(f"piece {index} is empty")
        if (other := seen.setdefault(piece.text, index)) != index:
            raise FormatError(f"pieces {other} and {index} are both {piece.text!r}")
        if piece.type == PieceType.CONTROL and len(piece.text) == 1:
            raise FormatError(f"the control piece {piece.text!r} is a character of text")
    if model.byte_fallback and len(byte_ids(model)) != 256:
        raise FormatError("the model falls back to bytes, but does not have all 256")
    if model.model_type == ModelType.BPE and (unused := model.ids_of(PieceType.UNUSED)):
        raise FormatError(
            f"piece {model.pieces[unused[0]].text!r} is marked unused, and what sentencepiece "
            "puts in its place depends on the text around it"
        )


def token_bytes(model: SentencePieceModel) -> list[bytes]:
    """List the bytes each piece stands for: ``▁a`` is ``b" a"``, ``<0x41>`` is ``b"A"``."""
    tokens = []
    for piece in model.pieces:
        byte = from_byte_fallback(piece.text) if piece.type == PieceType.BYTE else None
        if piece.type in (PieceType.CONTROL, PieceType.UNKNOWN):
            tokens.append(b"")
        elif byte is not None:
            tokens.append(bytes([byte]))
        else:
            tokens.append(piece.text.replace(SPACE, " ").encode())
    return tokens


def byte_ids(model: SentencePieceModel) -> list[int]:
    """List the ids of the pieces for the bytes 0 to 255, as far as there are any."""
    found = {
        byte: index
        for index in model.ids_of(PieceType.BYTE)
        if (byte := from_byte_fallback(model.pieces[index].text)) is not None
    }
    return [found[byte] for byte in range(256) if byte in found]


def _spaces(model: SentencePieceModel) -> Pretokenizer:
    """Cut at spaces where that changes nothing, which makes BPE's work short and repetitive.

    It changes nothing if no piece goes on after a space has ended (or, where pieces end in
    spaces, after one has begun). In a Unigram model it would: sums of 32-bit floats depend on
    what was added before.
    """
    if model.model_type != ModelType.BPE:
        return Whole()
    spaces = SpaceRuns(after=model.treat_whitespace_as_suffix)
    texts = [piece.text for piece in model.pieces if piece.type in _IN_TEXT]
    return Whole() if SPACE not in texts or any(map(spaces.cuts, texts)) else spaces


_IN_TEXT = PieceType.NORMAL, PieceType.USER_DEFINED


def bpe(model: SentencePieceModel) -> Segmenter:
    """Make the segmenter of a BPE model.

    A merge exists for every split of a piece into two others, or into characters that are no
    pieces themselves; its rank is the place of the piece's score among all scores.
    """
    spellings = [
        piece.text.encode() if piece.type == PieceType.NORMAL else b"" for piece in model.pieces
    ]
    normal = {model.pieces[i].text: i for i in model.ids_of(PieceType.NORMAL)}
    symbols = dict(normal)
    for text in normal:
        for character in text:
            if character not in symbols:
                symbols[character] = len(spellings)
                spellings.append(character.encode())
    merges = _merges(normal, symbols)
    fallback = byte_ids(model) if model.byte_fallback else None
    inner = BPE(
        spellings,
        merges,
        ranks=_ranks(model.pieces, merges[:, 2]),
        units="characters",
        byte_fallback=fallback,
        unk_id=model.ids_of(PieceType.UNKNOWN)[0],
        fuse_unk=fallback is None,
        late_unk=True,
        size=len(model.pieces),
    )
    user_defined = {
        model.pieces[i].text.encode(): i for i in model.ids_of(PieceType.USER_DEFINED)
    }
    return SetApart(inner, user_defined) if user_defined else inner


def _merges(pieces: dict[str, int], symbols: dict[str, int]) -> NDArray[np.int32]:
    """List the splits of pieces into two symbols: left, right and piece, ``int32[m, 3]``."""
    rows = [
        (left, right, token_id)
        for text, token_id in pieces.items()
        for cut in range(1, len(text))
        if (left := symbols.get(text[:cut])) is not None
        and (right := symbols.get(text[cut:])) is not None
    ]
    return np.array(rows, dtype=np.int32).reshape(-1, 3)


def _ranks(pieces: Sequence[Piece], merged: NDArray[np.int32]) -> NDArray[np.int32]:
    """Rank merges by the scores of what they make, the highest first; equal scores tie."""
    scores = np.array([piece.score for piece in pieces], dtype=np.float32)
    descending = np.unique(-scores)
    ranks: NDArray[np.int32] = np.searchsorted(descending, -scores[merged]).astype(np.int32)
    return ranks


def unigram(model: SentencePieceModel) -> Segmenter:
    """Make the segmenter of a Unigram model.

    Raises:
        FormatError: If the model has no normal pieces.
    """
    normal = [piece.score for piece in model.pieces if piece.type == PieceType.NORMAL]
    if not normal:
        raise FormatError("the model has no normal pieces")
    return Unigram(
        [piece.text.encode() if piece.type in _IN_TEXT else b"" for piece in model.pieces],
        [_score(piece) for piece in model.pieces],
        unk_id=model.ids_of(PieceType.UNKNOWN)[0],
        unk_score=float(np.float32(min(normal)) - np.float32(10)),
        byte_fallback=byte_ids(model) if model.byte_fallback else None,
        single_precision=True,
    )


def _score(piece: Piece) -> float:
    """Give the score a piece has in sentencepiece's search.

    A user-defined piece of n bytes scores ``0.1 n - 0.1`` whatever the other scores are: that
    is what sentencepiece has done since 0.2.2.
    """
    if piece.type != PieceType.USER_DEFINED:
        return piece.score
    return float(np.float32(len(piece.text.encode()) * 0.1 - 0.1))
