"""A tokenizer as the JSON of a ``tokenizer.json``."""

import base64
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from tokkit import normalize, pretokenize
from tokkit.added import Added
from tokkit.alphabet import to_byte_fallback, to_byte_level
from tokkit.errors import FormatError
from tokkit.foreign import Foreign, Metaspace, PrefixSpace
from tokkit.formats.byte_level import merges_reach_all
from tokkit.formats.sentencepiece_normalizer import SentencePieceNormalizer
from tokkit.formats.set_apart import SetApart, SpaceRuns
from tokkit.formats.trie_regex import trie_regex
from tokkit.normalize import Chain, ForeignNormalizer, Normalizer, Prepend
from tokkit.patterns import PATTERNS
from tokkit.pretokenize import Pretokenizer, Regex, Scanner, Whole
from tokkit.segment.bpe import BPE
from tokkit.segment.longest import LongestMatch
from tokkit.segment.unigram import UNKNOWN_PENALTY, Unigram
from tokkit.segment.wordpiece import WordPiece
from tokkit.tokenizer import Tokenizer

Json = dict[str, Any]

_SPACE = "▁"


def to_json(tokenizer: Tokenizer) -> Json:
    """Say what a tokenizer does in the terms of Hugging Face's `tokenizers`.

    Raises:
        FormatError: If that cannot be said in these terms.
    """
    is_bytes = _reads_bytes(tokenizer)
    model = _model(tokenizer)
    vocab = model["vocab"]
    ids = vocab if isinstance(vocab, Mapping) else {e[0]: i for i, e in enumerate(vocab)}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": _added(tokenizer.added.tokens, ids),
        "normalizer": _sequence("normalizers", _normalizer(tokenizer.normalizer)),
        "pre_tokenizer": _pretokenizer(tokenizer, is_bytes),
        "post_processor": None,
        "decoder": _decoder(tokenizer, is_bytes),
        "model": model,
    }


def _reads_bytes(tokenizer: Tokenizer) -> bool:
    """Tell whether pieces are read as bytes, which takes the byte-level alphabet."""
    segmenter = tokenizer.segmenter
    return isinstance(segmenter, LongestMatch) or (
        isinstance(segmenter, BPE | Unigram) and segmenter.units == "bytes"
    )


def _spells_bytes(tokenizer: Tokenizer) -> bool:
    """Tell whether a step of the library's turns text into the byte-level alphabet."""
    cutters = _cutters(tokenizer.pretokenizer, "always")
    steps = [*cutters, *_normalizer(tokenizer.normalizer)]
    return any(step["type"] == "ByteLevel" for step in steps)


def _sequence(name: str, parts: Sequence[Json]) -> Json | None:
    """Put parts one after the other: none, the only one, or a sequence."""
    if len(parts) > 1:
        return {"type": "Sequence", name: list(parts)}
    return parts[0] if parts else None


def _added(tokens: Sequence[Added], ids: Mapping[str, int]) -> list[Json]:
    """List the added tokens in the order of their ids.

    The library gives an added token its id in the model's vocabulary, whatever the file says;
    that is why `_model` puts them all into it.
    """
    for token in tokens:
        if ids.get(token.content) != token.token_id:
            raise FormatError(
                f"the added token {token.content!r} is to be {token.token_id}, but its text is "
                f"that of token {ids.get(token.content)}"
            )
    order = sorted(tokens, key=lambda token: token.token_id)
    names = ("content", "single_word", "lstrip", "rstrip", "normalized", "special")
    return [
        {"id": token.token_id, **{name: asdict(token)[name] for name in names}}
        for token in order
    ]


def _split(regex: str, behavior: str = "Isolated") -> Json:
    pattern = {"Regex": regex}
    return {"type": "Split", "pattern": pattern, "behavior": behavior, "invert": False}


def _byte_level(prefix: bool = False) -> Json:
    return {
        "type": "ByteLevel",
        "add_prefix_space": prefix,
        "trim_offsets": True,
        "use_regex": False,
    }


def _replace(old: str, new: str, is_regex: bool = False) -> Json:
    pattern = {"Regex" if is_regex else "String": old}
    return {"type": "Replace", "pattern": pattern, "content": new}


_GPT2 = _split(PATTERNS["gpt2"].for_engine("oniguruma"))


def _pretokenizer(tokenizer: Tokenizer, is_bytes: bool) -> Json | None:
    """Say how text is cut."""
    if tokenizer.first_pretokenizer is not None:
        if not isinstance(tokenizer.first_pretokenizer, Metaspace | Foreign):
            raise FormatError("it cuts the beginning of a text in a way of its own")
        return _sequence("pretokenizers", _cutters(tokenizer.first_pretokenizer, "first"))
    parts = _cutters(tokenizer.pretokenizer, "always")
    if isinstance(tokenizer.segmenter, SetApart):
        parts.append(_set_apart(tokenizer.segmenter))
    if isinstance(tokenizer.segmenter, LongestMatch):
        tokens = [token for token in tokenizer.segmenter.tokens if token]
        parts += [_byte_level(), _split(trie_regex(tokens))]
    elif is_bytes and parts and parts[-1]["type"] == "PrefixSpace":
        parts[-1] = _byte_level(prefix=True)
    elif is_bytes and parts[-2:] == [{"type": "PrefixSpace"}, _GPT2]:
        parts[-2:] = [{**_byte_level(prefix=True), "use_regex": True}]
    elif is_bytes:
        parts.append(_byte_level())
    if any(part["type"] == "PrefixSpace" for part in parts):
        raise FormatError("it puts spaces before pieces and cuts them further")
    return _sequence("pretokenizers", parts)


def _set_apart(segmenter: SetApart) -> Json:
    """Cut at the texts that are tokens wherever they occur.

    Cut off, such a text is looked up whole, which the model must not do to anything else: so
    merges have to reach all other tokens, and what spells a byte token is cut in two.
    """
    inner = segmenter.inner
    if not isinstance(inner, BPE) or not merges_reach_all(inner):
        raise FormatError("it has user-defined pieces, and others that merges do not reach")
    if any(b"<0" in spelling for spelling in inner.spellings):
        raise FormatError("it has user-defined pieces, and one that begins like <0x41>")
    longest_first = sorted(segmenter.tokens, key=len, reverse=True)
    texts = [re.escape(text.decode()) for text in longest_first]
    return _split("|".join([*texts, "(?<=<)(?=0x[0-9A-F]{2}>)"]))


def _cutters(cutter: Pretokenizer, scheme: str) -> list[Json]:
    """Say what one pre-tokenizer of tokkit's does, step by step."""
    if isinstance(cutter, pretokenize.Sequence):
        return [step for part in cutter.parts for step in _cutters(part, scheme)]
    for individual in (False, True):
        if cutter == pretokenize.isolate_numeric(individual):
            return [{"type": "Digits", "individual_digits": individual}]
    if isinstance(cutter, Scanner | Regex):
        return [_split(cutter.pattern.for_engine("oniguruma"))]
    if isinstance(cutter, Foreign):
        settings = json.loads(cutter.settings)
        return list(settings.get("pretokenizers", [settings]))
    if isinstance(cutter, Metaspace):
        return [
            {
                "type": "Metaspace",
                "replacement": cutter.replacement.decode(),
                "prepend_scheme": scheme if cutter.prepend else "never",
                "split": cutter.cut,
            }
        ]
    if isinstance(cutter, PrefixSpace):
        return [{"type": "PrefixSpace"}]
    # What cuts only where nothing merges across need not be said.
    if isinstance(cutter, Whole | SpaceRuns):
        return []
    raise FormatError(f"it cuts text by {type(cutter).__name__}, which has no counterpart")


def _normalizer(normalizer: Normalizer | None) -> list[Json]:
    """Say what a normalizer of tokkit's does, step by step."""
    if normalizer is None:
        return []
    if isinstance(normalizer, Chain):
        return [step for part in normalizer.steps for step in _normalizer(part)]
    if isinstance(normalizer, ForeignNormalizer):
        settings = json.loads(normalizer.settings)
        return list(settings.get("normalizers", [settings]))
    if isinstance(normalizer, normalize.Replace):
        return [_replace(normalizer.old.decode(), normalizer.new.decode())]
    if isinstance(normalizer, Prepend):
        return [{"type": "Prepend", "prepend": normalizer.prefix.decode()}]
    if isinstance(normalizer, SentencePieceNormalizer):
        return _sentencepiece_rules(normalizer)
    raise FormatError(f"it rewrites text by {type(normalizer).__name__}, without counterpart")


def _sentencepiece_rules(normalizer: SentencePieceNormalizer) -> list[Json]:
    """Say what SentencePiece does to text, step by step."""
    rules = normalizer.rules
    if normalizer.suffix:
        raise FormatError("it puts spaces after words, not before")
    if rules.charsmap and normalizer.protected:
        raise FormatError(
            f"it normalizes all text but its user-defined piece {normalizer.protected[0]!r}"
        )
    if any(" " in text for text in normalizer.protected):
        raise FormatError("it does not take the spaces in a user-defined piece for spaces")
    parts: list[Json] = []
    if rules.charsmap:
        encoded = base64.b64encode(rules.charsmap).decode()
        parts.append({"type": "Precompiled", "precompiled_charsmap": encoded})
    if rules.remove_extra_whitespaces:
        # Only spaces: the library's own Strip takes any white space.
        parts.append(_replace(r"\A +| +\z", "", is_regex=True))
        parts.append(_replace(" {2,}", " ", is_regex=True))
    space = _SPACE if rules.escape_whitespaces else " "
    if rules.add_dummy_prefix:
        parts.append({"type": "Prepend", "prepend": space})
    if rules.escape_whitespaces:
        parts.append(_replace(" ", _SPACE))
    return parts


def _decoder(tokenizer: Tokenizer, is_bytes: bool) -> Json:
    """Say how ids become text."""
    segmenter = tokenizer.segmenter
    if is_bytes or _spells_bytes(tokenizer):
        return {**_byte_level(), "use_regex": True}
    if isinstance(segmenter, WordPiece):
        ids = {spelling: i for i, spelling in enumerate(segmenter.spellings)}
        closes_up = tokenizer.vocab.tokens[ids[b"."]] == b"." if b"." in ids else False
        prefix = segmenter.prefix.decode()
        return {"type": "WordPiece", "prefix": prefix, "cleanup": closes_up}
    if isinstance(segmenter, BPE) and segmenter.suffix:
        return {"type": "BPEDecoder", "suffix": segmenter.suffix.decode()}
    if tokenizer.first_space == "strip all":
        spaces = {"type": "Metaspace", "replacement": _SPACE, "prepend_scheme": "always"}
        parts = [{**spaces, "split": True}, {"type": "ByteFallback"}, {"type": "Fuse"}]
        return {"type": "Sequence", "decoders": parts}
    steps: list[Json] = [_replace(_SPACE, " "), {"type": "ByteFallback"}, {"type": "Fuse"}]
    if tokenizer.first_space != "keep":
        steps.append({"type": "Strip", "content": " ", "start": 1, "stop": 0})
    return {"type": "Sequence", "decoders": steps}


def _model(tokenizer: Tokenizer) -> Json:
    """Say how pieces become ids, with all added tokens in the vocabulary."""
    segmenter: Any = tokenizer.segmenter
    segmenter = getattr(segmenter, "inner", segmenter)
    writers: Mapping[type, Callable[[Tokenizer, Any], Json]] = {
        BPE: _bpe,
        LongestMatch: _longest,
        Unigram: _unigram,
        WordPiece: _wordpiece,
    }
    if type(segmenter) not in writers:
        raise FormatError(f"it segments by {type(segmenter).__name__}, without counterpart")
    return writers[type(segmenter)](tokenizer, segmenter)


def _spell(
    tokenizer: Tokenizer, spellings: Sequence[bytes], is_bytes: bool, fallback: Sequence[int]
) -> dict[str, int]:
    """Spell every id: tokens as pieces are, byte tokens, special and added tokens."""
    texts: dict[int, str] = {}
    for token_id, spelling in enumerate(spellings[: len(tokenizer.vocab)]):
        if spelling:
            texts[token_id] = to_byte_level(spelling) if is_bytes else spelling.decode()
    texts |= {token_id: to_byte_fallback(byte) for byte, token_id in enumerate(fallback)}
    texts |= {token_id: text for text, token_id in tokenizer.vocab.specials.items()}
    texts |= {added.token_id: added.content for added in tokenizer.added.tokens}
    ids: dict[str, int] = {}
    for token_id, text in sorted(texts.items()):
        if ids.setdefault(text, token_id) != token_id:
            raise FormatError(f"tokens {ids[text]} and {token_id} are both written {text!r}")
    return ids


def _unknown(tokenizer: Tokenizer, unk_id: int | None) -> str | None:
    """Return the text of the unknown token."""
    texts = {token_id: text for text, token_id in tokenizer.vocab.specials.items()}
    if unk_id is not None and unk_id not in texts:
        raise FormatError(f"its unknown token, {unk_id}, has no text")
    return None if unk_id is None else texts[unk_id]


def _bpe(tokenizer: Tokenizer, segmenter: BPE) -> Json:
    is_bytes = segmenter.units == "bytes"
    fallback = [token_id for token_id in segmenter.byte_fallback or ()]
    if -1 in fallback:
        raise FormatError("it falls back to bytes, but has not all of them")
    order = segmenter.merges[segmenter.ranks.argsort(kind="stable")]
    if order.size and order.max() >= segmenter.size:
        raise FormatError("it merges characters that are no tokens themselves")
    spellings = list(segmenter.spellings)
    if isinstance(tokenizer.segmenter, SetApart):
        for text, token_id in tokenizer.segmenter.tokens.items():
            spellings[token_id] = text
    ids = _spell(tokenizer, spellings, is_bytes, fallback)
    texts = {token_id: text for text, token_id in ids.items()}
    return {
        "type": "BPE",
        "dropout": None,
        "unk_token": _unknown(tokenizer, segmenter.unk_id),
        "continuing_subword_prefix": segmenter.prefix.decode() or None,
        "end_of_word_suffix": segmenter.suffix.decode() or None,
        "fuse_unk": segmenter.fuse_unk,
        "byte_fallback": bool(fallback),
        "ignore_merges": segmenter.ignore_merges or isinstance(tokenizer.segmenter, SetApart),
        "vocab": ids,
        "merges": [[texts[left], texts[right]] for left, right, _ in order.tolist()],
    }


def _longest(tokenizer: Tokenizer, segmenter: LongestMatch) -> Json:
    if segmenter.unknown_id is not None:
        raise FormatError("it has an unknown token, and longest match needs every byte")
    return {
        "type": "BPE",
        "dropout": None,
        "unk_token": None,
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": False,
        "byte_fallback": False,
        "ignore_merges": True,
        "vocab": _spell(tokenizer, segmenter.tokens, is_bytes=True, fallback=()),
        "merges": [],
    }


def _unigram(tokenizer: Tokenizer, segmenter: Unigram) -> Json:
    fallback = segmenter.byte_fallback or ()
    if not segmenter.fuse_unk:
        raise FormatError("it does not take a run of unknown characters as one")
    unknown = float(segmenter.scores.min()) - UNKNOWN_PENALTY
    if not math.isclose(segmenter.unk_score, unknown, rel_tol=1e-6):
        raise FormatError(
            f"its unknown characters score {segmenter.unk_score}, and there {unknown}"
        )
    ids = _spell(tokenizer, segmenter.spellings, segmenter.units == "bytes", fallback)
    texts = {token_id: text for text, token_id in ids.items()}
    size = len(tokenizer.vocab)
    scores = [*segmenter.scores.tolist(), *[0.0] * size]
    # An id without a text still takes its place in the list.
    vocab = [[texts.get(i, f"\ue000unused{i}\ue000"), scores[i]] for i in range(size)]
    return {
        "type": "Unigram",
        "unk_id": segmenter.unk_id,
        "vocab": vocab,
        "byte_fallback": bool(fallback),
    }


def _wordpiece(tokenizer: Tokenizer, segmenter: WordPiece) -> Json:
    ids = _spell(tokenizer, segmenter.spellings, False, ())
    unknown = _unknown(tokenizer, segmenter.unk_id) or "[UNK]"
    if segmenter.whole_words:
        return {"type": "WordLevel", "vocab": ids, "unk_token": unknown}
    return {
        "type": "WordPiece",
        "unk_token": unknown,
        "continuing_subword_prefix": segmenter.prefix.decode(),
        "max_input_chars_per_word": segmenter.max_characters,
        "vocab": ids,
    }
