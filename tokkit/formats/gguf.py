"""GGUF files as far as llama.cpp's tokenizers go: vocabularies without tensors.

====================  =====================================================================
tokenizer.ggml.model  what it is
====================  =====================================================================
``gpt2``              byte-level BPE, cut by one of the patterns llama.cpp knows by name
``llama``             SentencePiece BPE with byte fallback
``t5``                SentencePiece Unigram without byte fallback
``rwkv``              leftmost longest match over bytes
====================  =====================================================================

Reading gives what was written; llama.cpp itself approximates some of it (see docs).
"""

import logging
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tokkit.added import Added, AddedTokens
from tokkit.alphabet import from_byte_level
from tokkit.errors import CheckError, FormatError, InputError
from tokkit.formats.check import awkward_texts, compare, is_installed, require_equal
from tokkit.formats.gguf_file import is_gguf, read_values, write_values
from tokkit.formats.gguf_patterns import IGNORE_MERGES, pretokenizer_of
from tokkit.formats.gguf_values import ENGINE, PARSE, PREFIX, values_of
from tokkit.formats.sentencepiece import build
from tokkit.formats.sentencepiece_model import (
    ModelType,
    Normalization,
    Piece,
    PieceType,
    SentencePieceModel,
    write_model,
)
from tokkit.formats.write import pending
from tokkit.patterns import find_pattern
from tokkit.pretokenize import for_pattern
from tokkit.segment.bpe import BPE
from tokkit.segment.longest import LongestMatch
from tokkit.tokenizer import Source, Tokenizer
from tokkit.vocab import Vocabulary

if TYPE_CHECKING:
    from tokkit.unicode import Engine

logger = logging.getLogger("tokkit")

_FEW = 100_000
"""How many entries the gguf package is asked to read: it reads some ten thousand a second."""
_ESCAPES = {b"t": b"\t", b"n": b"\n", b"r": b"\r"}

Values = Mapping[str, Any]


def matches(path: Path) -> bool:
    """Say whether `path` is, or is a folder with, a GGUF file."""
    return find_file(path) is not None


def find_file(path: Path) -> Path | None:
    """Find the file: `path` itself, or the first ``*.gguf`` of a folder."""
    if path.is_dir():
        files = (each for each in sorted(path.glob("*.gguf")) if each.is_file())
        return next((each for each in files if is_gguf(each)), None)
    return path if is_gguf(path) else None


def read(path: Path, *, pattern: str | None = None) -> Tokenizer:
    """Read the vocabulary of a GGUF file.

    Args:
        path: The file, or a folder with one.
        pattern: Name or regular expression of the pre-tokenization of byte-level BPE, instead
            of what the file names.

    Raises:
        FormatError: If the file is damaged, or tokkit does not know its kind of tokenizer.
    """
    file = find_file(path)
    if file is None:
        raise FormatError(f"{path}: no GGUF file is there")
    values = read_values(file, (PREFIX, "tokkit."))
    name = values.get(f"{PREFIX}model", b"")
    kind = name.decode("utf-8", "replace") if isinstance(name, bytes) else repr(name)
    reader = READERS.get(kind)
    if reader is None:
        raise FormatError(
            f"{file}: the tokenizer model {kind!r} is not supported; only {', '.join(READERS)}"
        )
    if pattern is not None and kind != "gpt2":
        raise FormatError(f"{file}: the tokenizer model {kind!r} has no pattern")
    try:
        return reader(values, file, pattern)
    except (InputError, KeyError, ValueError, AttributeError, TypeError) as error:
        raise FormatError(f"{file}: {error}") from error


def _types(values: Values) -> list[PieceType]:
    """List what each token is for; normal where the file does not say."""
    tokens = values[f"{PREFIX}tokens"]
    kinds = values.get(f"{PREFIX}token_type", np.ones(len(tokens), np.int32)).tolist()
    known = set(PieceType)
    return [PieceType(kind) if kind in known else PieceType.UNUSED for kind in kinds]


def _added(texts: Iterable[str], types: Iterable[PieceType], values: Values) -> AddedTokens:
    """List control and unknown tokens as special ones, user-defined ones as added."""
    special = PieceType.CONTROL, PieceType.UNKNOWN
    return AddedTokens(
        tuple(
            Added(text, token_id, special=kind in special)
            for token_id, (text, kind) in enumerate(zip(texts, types, strict=True))
            if kind in (*special, PieceType.USER_DEFINED)
        ),
        parse=bool(values.get(PARSE, True)),
    )


def _vocabulary(spellings: list[bytes], added: AddedTokens) -> Vocabulary:
    tokens = list(spellings)
    for each in added.tokens:
        if not each.special:
            tokens[each.token_id] = each.content.encode()
    specials = {each.content: each.token_id for each in added.tokens if each.special}
    return Vocabulary(tuple(tokens), specials)


def _read_bpe(values: Values, file: Path, pattern: str | None) -> Tokenizer:
    texts = [token.decode() for token in values[f"{PREFIX}tokens"]]
    types = _types(values)
    added = _added(texts, types, values)
    in_text = PieceType.NORMAL, PieceType.BYTE
    spellings = [
        (from_byte_level(text) or b"") if kind in in_text else b""
        for text, kind in zip(texts, types, strict=True)
    ]
    ids = {text: token_id for token_id, text in enumerate(texts)}
    merges = []
    for merge in values[f"{PREFIX}merges"]:
        # The space between the parts is the first after the first character.
        text = merge.decode()
        cut = text.index(" ", 1)
        left, right = text[:cut], text[cut + 1 :]
        merges.append((ids[left], ids[right], ids[left + right]))
    pre = values.get(f"{PREFIX}pre", b"default").decode()
    engine: Engine = values.get(ENGINE, b"oniguruma").decode()
    if pattern is None:
        pretokenizer, found = pretokenizer_of(pre, engine)
    else:
        found = find_pattern(pattern)
        pretokenizer = for_pattern(found, engine)
    return Tokenizer(
        _vocabulary(spellings, added),
        BPE(
            spellings,
            np.array(merges, dtype=np.int32).reshape(-1, 3),
            ignore_merges=pre in IGNORE_MERGES,
        ),
        pretokenizer=pretokenizer,
        added=added,
        pattern=found,
        source=Source("gguf", file),
    )


def _read_sentencepiece(values: Values, file: Path, pattern: str | None) -> Tokenizer:
    kind = values[f"{PREFIX}model"]
    texts = [token.decode() for token in values[f"{PREFIX}tokens"]]
    types = _types(values)
    scores = values.get(f"{PREFIX}scores", np.zeros(len(texts), np.float32)).tolist()
    charsmap = values.get(f"{PREFIX}precompiled_charsmap", np.zeros(0, np.uint8))
    model = SentencePieceModel(
        tuple(Piece(*entry) for entry in zip(texts, scores, types, strict=True)),
        ModelType.BPE if kind == b"llama" else ModelType.UNIGRAM,
        Normalization(
            "" if charsmap.size else "identity",
            charsmap.tobytes(),
            add_dummy_prefix=bool(values.get(f"{PREFIX}add_space_prefix", kind == b"llama")),
            remove_extra_whitespaces=bool(
                values.get(f"{PREFIX}remove_extra_whitespaces", False)
            ),
        ),
        byte_fallback=PieceType.BYTE in types,
    )
    tokenizer = build(model, Source("sentencepiece", file, write_model(model)))
    added = AddedTokens(tokenizer.added.tokens, parse=bool(values.get(PARSE, True)))
    return replace(tokenizer, added=added)


def _read_longest(values: Values, file: Path, pattern: str | None) -> Tokenizer:
    texts = values[f"{PREFIX}tokens"]
    types = _types(values)
    added = _added([text.decode("utf-8", "replace") for text in texts], types, values)
    in_text = PieceType.NORMAL, PieceType.BYTE
    spellings = [
        unescape(text) if kind in in_text else b""
        for text, kind in zip(texts, types, strict=True)
    ]
    return Tokenizer(
        _vocabulary(spellings, added),
        LongestMatch(spellings),
        added=added,
        source=Source("gguf", file),
    )


def unescape(token: bytes) -> bytes:
    r"""Read a token as llama.cpp's rwkv tokenizer does: ``\xe2`` is E2, ``\'`` is ``'``."""
    return re.sub(rb"\\(x[0-9a-f]{2}|.)", _unescaped, token, flags=re.DOTALL)


def _unescaped(match: re.Match[bytes]) -> bytes:
    part = match[1]
    return bytes.fromhex(part[1:].decode()) if len(part) == 3 else _ESCAPES.get(part, part)


READERS: Mapping[str, Callable[[Values, Path, str | None], Tokenizer]] = {
    "gpt2": _read_bpe,
    "llama": _read_sentencepiece,
    "t5": _read_sentencepiece,
    "rwkv": _read_longest,
}
"""What reads each tokenizer model, by llama.cpp's name for it."""


_MARKS = "it has a simpler pattern for combining marks and for letters beyond ASCII"
_LIMITS: Mapping[str, str] = {
    "gpt-4o": _MARKS,
    "tekken": _MARKS,
    "t5": "it adds scores up in 64-bit floats, and normalizes around user-defined pieces",
    "rwkv": "it looks for special tokens in any text",
}
"""What llama.cpp b11549 was seen to do otherwise, by pre-tokenizer or model."""


def write(tokenizer: Tokenizer, path: Path, *, force: bool = False) -> None:
    """Write a GGUF file that holds a vocabulary and no tensors.

    Raises:
        FormatError: If llama.cpp has no tokenizer that does what this one does.
        CheckError: If the file does not mean the same.
    """
    values = values_of(tokenizer)
    content = write_values(values)
    limits = _LIMITS.get(str(values.get(f"{PREFIX}pre", values[f"{PREFIX}model"])))
    if limits is not None:
        logger.warning("llama.cpp will not cut every text the same: %s", limits)
    with pending({path: content}) as places:
        check(places[path], tokenizer)


def check(path: Path, tokenizer: Tokenizer) -> None:
    """Compare a written file with `tokenizer`, by reading it here and with the gguf package.

    The package takes a minute for a large vocabulary, so those are only read here.

    Raises:
        CheckError: If ids differ, or the gguf package reads other tokens than were written.
    """
    again = read(path)
    texts = awkward_texts(tokenizer)
    for parse in (False, True):
        encode = partial(again.encode, parse_specials=parse)
        found = compare(tokenizer, encode, texts, parse_specials=parse)
        require_equal(found, "the GGUF file", "write another format")
    values = read_values(path, (PREFIX,))
    size = sum(len(value) for value in values.values() if isinstance(value, list | np.ndarray))
    if is_installed("gguf") and size <= _FEW:
        import gguf

        field = gguf.GGUFReader(path).get_field(f"{PREFIX}tokens")
        theirs = [bytes(field.parts[index]) for index in field.data] if field else []
        if theirs != values[f"{PREFIX}tokens"]:
            raise CheckError("the gguf package reads other tokens than were written")
