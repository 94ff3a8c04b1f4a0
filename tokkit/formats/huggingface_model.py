"""The model of a ``tokenizer.json``: byte-pair encoding, unigram, word pieces, whole words."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tokkit.alphabet import BYTE_LEVEL, from_byte_level, to_byte_fallback
from tokkit.errors import FormatError
from tokkit.segment import Segmenter
from tokkit.segment.bpe import BPE, Units
from tokkit.segment.unigram import Unigram
from tokkit.segment.wordpiece import WordPiece

Settings = Mapping[str, Any]


def model_kind(model: Settings) -> str:
    """Return the type of a model; old files do not name it."""
    if "type" in model:
        return str(model["type"])
    if "merges" in model:
        return "BPE"
    if "continuing_subword_prefix" in model:
        return "WordPiece"
    return "WordLevel" if isinstance(model.get("vocab"), Mapping) else "Unigram"


def model_tokens(model: Settings) -> dict[str, int]:
    """Return the id of each token of a model; of equal tokens the last counts.

    Raises:
        FormatError: If the model has no vocabulary, or two tokens share an id.
    """
    vocab = model.get("vocab")
    if isinstance(vocab, Mapping):
        ids = {str(token): int(token_id) for token, token_id in vocab.items()}
        if len(set(ids.values())) < len(ids) or min(ids.values(), default=0) < 0:
            raise FormatError("two tokens of its vocabulary have the same id")
        return ids
    if isinstance(vocab, Sequence):
        return {str(entry[0]): token_id for token_id, entry in enumerate(vocab)}
    raise FormatError("its model has no vocabulary")


def read_model(model: Settings, ids: Mapping[str, int], units: Units) -> Segmenter:
    """Build the segmenter that does what a model says.

    Args:
        model: The model's JSON.
        ids: The id of each token, see `model_tokens`.
        units: Whether pieces are bytes, or characters as the tokens are spelled with.

    Raises:
        FormatError: If the model is of an unknown kind or not consistent, or asks for what
            tokkit does not do.
    """
    readers: Mapping[str, Callable[[Settings, Mapping[str, int], Units], Segmenter]] = {
        "BPE": _read_bpe,
        "Unigram": _read_unigram,
        "WordPiece": _read_wordpiece,
        "WordLevel": _read_wordlevel,
    }
    kind = model_kind(model)
    if kind not in readers:
        raise FormatError(f"its model is {kind!r}, and tokkit knows {', '.join(readers)}")
    return readers[kind](model, ids, units)


def _spell(ids: Mapping[str, int], units: Units) -> list[bytes]:
    """Spell every id with what pieces are made of; b"" where they cannot spell it."""
    spellings = [b""] * (1 + max(ids.values(), default=-1))
    for token, token_id in ids.items():
        data = from_byte_level(token) if units == "bytes" else token.encode()
        spellings[token_id] = data or b""
    return spellings


def _fallback(ids: Mapping[str, int], model: Settings, units: Units) -> list[int] | None:
    """Return the ids of the byte tokens, -1 where there is none; None if none can be needed."""
    is_complete = units == "bytes" and all(character in ids for character in BYTE_LEVEL)
    if is_complete or not model.get("byte_fallback"):
        return None
    return [ids.get(to_byte_fallback(byte), -1) for byte in range(256)]


def _read_bpe(model: Settings, ids: Mapping[str, int], units: Units) -> BPE:
    if model.get("dropout"):
        raise FormatError(f"it drops merges at random (dropout {model['dropout']})")
    prefix = model.get("continuing_subword_prefix") or ""
    suffix = model.get("end_of_word_suffix") or ""
    unknown = model.get("unk_token")
    fallback = _fallback(ids, model, units)
    if fallback is not None and (prefix or suffix or units == "bytes"):
        raise FormatError("it has byte fallback beside a prefix, a suffix or a byte alphabet")
    if unknown is not None and unknown not in ids:
        raise FormatError(f"its unknown token {unknown!r} is not in its vocabulary")
    return BPE(
        _spell(ids, units),
        _read_merges(model, ids, len(prefix)),
        units=units,
        ignore_merges=bool(model.get("ignore_merges")),
        byte_fallback=fallback,
        unk_id=None if unknown is None else ids[unknown],
        fuse_unk=bool(model.get("fuse_unk")),
        prefix=prefix.encode(),
        suffix=_spell_part(suffix, units),
    )


def _spell_part(text: str, units: Units) -> bytes:
    """Spell a suffix with what pieces are made of."""
    data = from_byte_level(text) if units == "bytes" else text.encode()
    if data is None:
        raise FormatError(f"its suffix {text!r} is not written in the byte-level alphabet")
    return data


def _read_merges(model: Settings, ids: Mapping[str, int], shared: int) -> np.ndarray:
    """Return the merges as ids, ``int32[m, 3]``; `shared` is the length of the prefix."""
    merges = model.get("merges")
    if not isinstance(merges, Sequence):
        raise FormatError("its model has no merges")
    if merges and isinstance(merges[0], str):
        lines = [merge for merge in merges if not merge.startswith("#version")]
        merges = [line.split(" ") for line in lines]
    flat: list[int] = []
    try:
        for left, right in merges:
            flat += (ids[left], ids[right], ids[left + right[shared:]])
    except KeyError as error:
        raise FormatError(
            f"merge {len(flat) // 3} needs {error.args[0]!r}, which is not in its vocabulary"
        ) from None
    except ValueError:
        raise FormatError(f"merge {len(flat) // 3} has not just two parts") from None
    return np.array(flat, dtype=np.int32).reshape(-1, 3)


def _read_unigram(model: Settings, ids: Mapping[str, int], units: Units) -> Unigram:
    scores = [float(entry[1]) for entry in model["vocab"]]
    unknown = model.get("unk_id")
    if unknown is not None and not 0 <= unknown < len(scores):
        raise FormatError(f"its unknown id {unknown} is outside its vocabulary")
    if model.get("alpha"):
        raise FormatError("it samples segmentations at random (alpha)")
    fallback = _fallback(ids, model, units)
    if fallback is not None and units == "bytes":
        raise FormatError("it has byte fallback beside a byte alphabet")
    spellings = _spell(ids, units)
    spellings += [b""] * (len(scores) - len(spellings))
    return Unigram(spellings, scores, unk_id=unknown, byte_fallback=fallback, units=units)


def _read_wordpiece(model: Settings, ids: Mapping[str, int], units: Units) -> WordPiece:
    if units == "bytes":
        raise FormatError("it has word pieces over a byte alphabet")
    return WordPiece(
        _spell(ids, units),
        unk_id=ids.get(model.get("unk_token", "[UNK]")),
        prefix=model.get("continuing_subword_prefix", "##").encode(),
        max_characters=int(model.get("max_input_chars_per_word", 100)),
    )


def _read_wordlevel(model: Settings, ids: Mapping[str, int], units: Units) -> WordPiece:
    unknown = ids.get(model.get("unk_token", "<unk>"))
    return WordPiece(_spell(ids, units), unk_id=unknown, whole_words=True)
