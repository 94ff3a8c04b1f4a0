"""Small random tokenizers over characters, with spaces written ▁."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sentencepiece

from tests.byteprobs.builders import (
    SPECIALS,
    Family,
    Json,
    bpe_json,
    draw_merges,
    draw_pieces,
    from_json,
    number,
    of_pieces,
)
from tokkit.formats import load
from tokkit.formats.sentencepiece_model import (
    ModelType,
    Normalization,
    Piece,
    PieceType,
    SentencePieceModel,
    write_model,
)

# ------------------------------------------------------------------ pieces, spaces written ▁

_PREPEND = {"type": "Prepend", "prepend": "▁"}
_SPACES = {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}
_FROM_PIECES = [
    {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
    {"type": "ByteFallback"},
    {"type": "Fuse"},
]
_WITHOUT_LEAD = {"type": "Strip", "content": " ", "start": 1, "stop": 0}


def decoder(lead: bytes) -> Json:
    return {"type": "Sequence", "decoders": [*_FROM_PIECES, *[_WITHOUT_LEAD] * len(lead)]}


def fallback(data: bytes) -> list[str]:
    return [f"<0x{byte:02X}>" for byte in sorted(set(data))]


def piece_bpe(
    folder: Path,
    seed: int,
    *,
    name: str = "llama",
    pieces: str = "ab",
    missing: str = "é",
    full: bool = False,
    metaspace: str = "",
    count: int = 7,
    more: str = "",
) -> Family:
    """BPE over characters with byte fallback, as Llama 2 has it.

    Args:
        folder: Where to write it.
        seed: What decides about it.
        name: What it is an example of.
        pieces: The characters with tokens of their own.
        missing: Those that are spelled with bytes.
        full: Whether all bytes have tokens.
        metaspace: When a first space is prepended, if not by the normalizer.
        count: How many merges.
        more: Characters beyond the alphabet that texts may go on with.
    """
    source = random.Random(f"{name} {seed}")
    units = ["▁", *pieces]
    merges = draw_merges(source, units, count, 4)
    spare = fallback(bytes(range(256)) if full else missing.encode())
    ids = number(source, [*units, *(a + b for a, b in merges), *spare], 2)
    spaces = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": metaspace}
    lead = b"" if metaspace == "never" else b" "
    content = bpe_json(
        ids,
        merges,
        normalizer=None
        if metaspace
        else {"type": "Sequence", "normalizers": [_PREPEND, _SPACES]},
        pre={**spaces, "split": False} if metaspace else None,
        decoder=decoder(lead),
        unk_token="<unk>",
        byte_fallback=True,
        fuse_unk=True,
    )
    alphabet = " " + pieces + missing
    return from_json(
        folder,
        name,
        content,
        of_pieces,
        alphabet=alphabet,
        lead=lead,
        rich=full,
        more=more,
        reach=1,
    )


def unigram(
    folder: Path,
    seed: int,
    *,
    name: str = "unigram",
    pieces: str = "▁ab",
    missing: str = "é",
    scheme: str = "always",
    cut: bool = True,
    tied: bool = True,
) -> Family:
    """Unigram with spaces written ▁; with `tied` scores, many segmentations are as good."""
    source = random.Random(f"{name} {seed}")
    texts = [*draw_pieces(source, pieces, 9), *fallback(missing.encode()), *SPECIALS]
    source.shuffle(texts)
    scores = [-float(source.randint(1, 4)) if tied else -5 * source.random() for _ in texts]
    spaces = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": cut}
    lead = b"" if scheme == "never" else b" "
    content = {
        **bpe_json({text: place for place, text in enumerate(texts)}, []),
        "pre_tokenizer": spaces,
        "decoder": decoder(lead),
        "model": {
            "type": "Unigram",
            "unk_id": texts.index("<unk>"),
            "vocab": [list(each) for each in zip(texts, scores, strict=True)],
            "byte_fallback": bool(missing),
        },
    }
    alphabet = pieces.replace("▁", " ") + missing
    return from_json(folder, name, content, of_pieces, alphabet=alphabet, lead=lead, reach=1)


def of_sentencepiece(folder: Path, name: str, content: bytes, **more: Any) -> Family:
    """The family of a SentencePiece model, as that library itself reads it."""
    path = folder / "tokenizer.model"
    path.write_bytes(content)
    foreign = sentencepiece.SentencePieceProcessor(model_proto=content)
    tokens = []
    for token_id in range(len(foreign)):
        piece = foreign.id_to_piece(token_id)
        if foreign.is_byte(token_id):
            tokens.append(bytes([int(piece[3:5], 16)]))
        elif foreign.is_control(token_id) or foreign.is_unknown(token_id):
            tokens.append(b"")
        else:
            tokens.append(piece.replace("▁", " ").encode())
    return Family(name, foreign.encode, load(path), tuple(tokens), **more)


def sentencepiece_model(
    folder: Path,
    seed: int,
    *,
    kind: ModelType = ModelType.BPE,
    name: str = "sentencepiece",
    missing: str = "é",
    apart: Sequence[str] = (),
    **rules: bool,
) -> Family:
    """A SentencePiece model with pieces and scores at random, ties among them."""
    source = random.Random(f"{name} {seed}")
    texts = draw_pieces(source, "▁ab", 9)
    pieces = [Piece(text, -float(source.randint(1, 6))) for text in texts]
    if missing:
        pieces += [Piece(text, 0.0, PieceType.BYTE) for text in fallback(bytes(range(256)))]
    controls = [Piece(text, 0.0, PieceType.CONTROL) for text in SPECIALS if text != "<unk>"]
    pieces += [*controls, Piece("<unk>", 0.0, PieceType.UNKNOWN)]
    pieces += [Piece(text, 0.0, PieceType.USER_DEFINED) for text in apart]
    source.shuffle(pieces)
    normalization = Normalization("identity", **rules)
    model = SentencePieceModel(tuple(pieces), kind, normalization, bool(missing))
    lead = b" " if normalization.add_dummy_prefix else b""
    strips = normalization.remove_extra_whitespaces
    return of_sentencepiece(
        folder,
        name,
        write_model(model),
        alphabet=" ab" + missing,
        lead=lead,
        rich=bool(missing),
        reach=1,
        normalize=(lambda text: " ".join(text.split())) if strips else str,
    )


def trained_sentencepiece(folder: Path, seed: int, kind: str, **settings: Any) -> Family:
    """What SentencePiece itself learns from a few words."""
    source = random.Random(seed)
    words = [
        "".join(source.choices("abé", (4, 3, 1), k=source.randint(1, 6))) for _ in range(99)
    ]
    path = folder / "learned"
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([" ".join(words[n : n + 4]) for n in range(0, 200, 4)]),
        model_prefix=str(path),
        model_type=kind,
        vocab_size=280,
        hard_vocab_limit=False,
        byte_fallback=True,
        character_coverage=0.98,
        minloglevel=2,
        num_threads=1,
        pad_id=3,
        **{"normalization_rule_name": "identity", **settings},
    )
    return of_sentencepiece(
        folder,
        f"learned {kind}",
        path.with_suffix(".model").read_bytes(),
        alphabet=" abé",
        lead=b" ",
        more="z",
        rich=True,
        reach=1,
        normalize=lambda text: " ".join(text.split()),
    )
