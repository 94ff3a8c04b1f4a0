"""What a GGUF file has to hold for llama.cpp to cut text as a tokenizer does."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from tokkit.alphabet import to_byte_level
from tokkit.errors import FormatError
from tokkit.formats.byte_level import byte_level_bpe, merges_reach_all
from tokkit.formats.gguf_file import Value
from tokkit.formats.gguf_patterns import names_of
from tokkit.formats.sentencepiece_model import (
    ModelType,
    PieceType,
    SentencePieceModel,
    read_model,
)
from tokkit.pretokenize import Scanner, Whole
from tokkit.segment.bpe import BPE
from tokkit.segment.longest import LongestMatch
from tokkit.tokenizer import Tokenizer

PREFIX = "tokenizer.ggml."
PARSE, ENGINE = "tokkit.parse_specials", "tokkit.unicode"
"""Two values of our own: whether specials are parsed by default, and whose classes hold."""

_ROLES: Mapping[str, tuple[str, ...]] = {
    "bos_token_id": ("<s>", "<|begin_of_text|>", "<bos>", "<|startoftext|>"),
    "eos_token_id": ("</s>", "<|end_of_text|>", "<|endoftext|>", "<eos>", "<|im_end|>"),
    "unknown_token_id": ("<unk>", "[UNK]"),
    "padding_token_id": ("<pad>", "[PAD]", "<|finetune_right_pad_id|>"),
    "mask_token_id": ("<mask>", "[MASK]"),
}


def values_of(tokenizer: Tokenizer) -> dict[str, Value]:
    """Describe a tokenizer as the values of a GGUF file.

    Raises:
        FormatError: If llama.cpp has no tokenizer that does what this one does.
    """
    described: dict[str, Value]
    if tokenizer.source is not None and tokenizer.source.format == "sentencepiece":
        described = _sentencepiece(read_model(tokenizer.source.content))
    elif isinstance(tokenizer.segmenter, LongestMatch):
        described = _longest(tokenizer, tokenizer.segmenter)
    elif isinstance(tokenizer.segmenter, BPE):
        described = _bpe(tokenizer)
    else:
        raise FormatError(
            f"{type(tokenizer.segmenter).__name__} tokenizers cannot be written as GGUF; "
            "byte-level BPE, SentencePiece models and longest match can"
        )
    texts = described["tokens"]
    assert isinstance(texts, list)
    _require_distinct(texts)
    ids = {text: token_id for token_id, text in enumerate(texts)}
    for role, names in _ROLES.items():
        found = next((ids[name.encode()] for name in names if name.encode() in ids), None)
        if found is not None:
            described[role] = found
        elif role in ("bos_token_id", "eos_token_id"):
            described[f"add_{role[:3]}_token"] = False
    return {
        "general.architecture": "llama",
        **{
            name if name.startswith("tokkit.") else PREFIX + name: value
            for name, value in described.items()
        },
        PARSE: tokenizer.added.parse,
    }


def _require_distinct(texts: Sequence[bytes]) -> None:
    seen: dict[bytes, int] = {}
    for token_id, text in enumerate(texts):
        if (other := seen.setdefault(text, token_id)) != token_id:
            raise FormatError(
                f"tokens {other} and {token_id} would both be written {text.decode()!r}, "
                "which llama.cpp refuses"
            )


def _spell(
    tokenizer: Tokenizer, spellings: Sequence[bytes], spell: Callable[[bytes], str]
) -> dict[str, Value]:
    """List the tokens as text, and what each is for."""
    texts = [spell(spelling) if spelling else "" for spelling in spellings]
    texts += [""] * (len(tokenizer.vocab) - len(texts))
    types = [PieceType.NORMAL if text else PieceType.UNUSED for text in texts]
    for each in tokenizer.added.tokens:
        if each.lstrip or each.rstrip or each.single_word:
            raise FormatError(f"the added token {each.content!r} depends on its context")
        texts[each.token_id] = each.content
        types[each.token_id] = PieceType.CONTROL if each.special else PieceType.USER_DEFINED
    # Byte 0xFF is in no text, so what stands for an unused id is never found in one.
    unused = spell(b"\xff[unused %d]")
    filled = [
        text or unused.replace("%d", str(token_id)) for token_id, text in enumerate(texts)
    ]
    return {
        "tokens": [text.encode() for text in filled],
        "token_type": np.array(types, dtype=np.int32),
    }


def _bpe(tokenizer: Tokenizer) -> dict[str, Value]:
    """Describe byte-level BPE, llama.cpp's ``gpt2``."""
    bpe = byte_level_bpe(tokenizer)
    plain, looked_up = names_of(tokenizer.pattern)
    name = looked_up if bpe.segmenter.ignore_merges else plain
    if name is None and merges_reach_all(bpe.segmenter):
        name = plain or looked_up
    if name is None:
        pattern = tokenizer.pattern.name if tokenizer.pattern else None
        raise FormatError(
            f"with the pattern {pattern!r} llama.cpp looks pieces up "
            f"{'before' if looked_up else 'only by'} merging, and this tokenizer does not"
        )
    engine = (
        tokenizer.pretokenizer.engine if isinstance(tokenizer.pretokenizer, Scanner) else ""
    )
    merges = [f"{to_byte_level(left)} {to_byte_level(right)}" for left, right in bpe.merges]
    return {
        "model": "gpt2",
        "pre": name,
        **_spell(tokenizer, bpe.segmenter.spellings, to_byte_level),
        "merges": [merge.encode() for merge in merges],
        **({ENGINE: engine} if engine else {}),
    }


def _longest(tokenizer: Tokenizer, segmenter: LongestMatch) -> dict[str, Value]:
    """Describe longest match, llama.cpp's ``rwkv``."""
    if tokenizer.normalizer is not None or not isinstance(tokenizer.pretokenizer, Whole):
        raise FormatError("llama.cpp matches the longest token in the text as it is, uncut")
    known = set(segmenter.tokens)
    missing = next((byte for byte in range(256) if bytes([byte]) not in known), None)
    if missing is not None:
        raise FormatError(
            f"no token for byte 0x{missing:02X}: llama.cpp needs all single bytes"
        )
    return {"model": "rwkv", **_spell(tokenizer, segmenter.tokens, escape)}


def escape(token: bytes) -> str:
    r"""Spell a token as llama.cpp's rwkv tokenizer reads it: E2 is ``\xe2``, a tab ``\t``."""
    return repr(token)[2:-1]


def _sentencepiece(model: SentencePieceModel) -> dict[str, Value]:
    """Describe a SentencePiece model, llama.cpp's ``llama`` or ``t5``."""
    rules = model.normalization
    is_bpe = model.model_type == ModelType.BPE
    for refused, reason in (
        (model.treat_whitespace_as_suffix, "pieces that end in spaces"),
        (not rules.escape_whitespaces, "spaces that are not written ▁"),
        (is_bpe and not model.byte_fallback, "BPE without byte fallback"),
        (is_bpe and bool(rules.charsmap), "BPE with text normalization"),
        (is_bpe and rules.remove_extra_whitespaces, "BPE that removes spaces"),
        (not is_bpe and model.byte_fallback, "Unigram with byte fallback"),
        (
            rules.remove_extra_whitespaces and not rules.add_dummy_prefix,
            "removing spaces without a space in front",
        ),
    ):
        if refused:
            raise FormatError(f"llama.cpp has no SentencePiece tokenizer for {reason}")
    described: dict[str, Value] = {
        "model": "llama" if is_bpe else "t5",
        "tokens": [piece.text.encode() for piece in model.pieces],
        "scores": np.array([piece.score for piece in model.pieces], dtype=np.float32),
        "token_type": np.array([piece.type for piece in model.pieces], dtype=np.int32),
        "add_space_prefix": rules.add_dummy_prefix,
        "remove_extra_whitespaces": rules.remove_extra_whitespaces,
    }
    if rules.charsmap:
        described["precompiled_charsmap"] = np.frombuffer(rules.charsmap, dtype=np.uint8)
    return described
