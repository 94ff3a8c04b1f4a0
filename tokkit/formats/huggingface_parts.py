"""The parts of a ``tokenizer.json`` around its model: what tokkit does for each of them."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tokkit import pretokenize
from tokkit.alphabet import from_byte_fallback, from_byte_level
from tokkit.foreign import Foreign, Metaspace, PrefixSpace
from tokkit.normalize import (
    Chain,
    ForeignNormalizer,
    Normalizer,
    Prepend,
    Replace,
    foreign_component,
)
from tokkit.patterns import Pattern, recognise
from tokkit.pretokenize import Pretokenizer, Scanner, Whole
from tokkit.segment.bpe import Units
from tokkit.tokenizer import FirstSpace

Settings = Mapping[str, Any]

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
"""What the byte-level pre-tokenizer cuts by, if it does."""
_KEEP_ASCII = {"NFC", "NFD", "NFKC", "NFKD", "StripAccents"}
_LISTS = {"normalizers", "pretokenizers", "decoders"}


@dataclass(frozen=True)
class Cutting:
    """How a tokenizer cuts text.

    Attributes:
        pretokenizer: Cuts text into pieces.
        first_pretokenizer: Cuts the beginning of a text, where that is cut differently.
        units: Whether the pieces are to be read as bytes or as characters.
        pattern: What is cut by, where that is one pattern.
    """

    pretokenizer: Pretokenizer
    first_pretokenizer: Pretokenizer | None
    units: Units
    pattern: Pattern | None


def steps(settings: Settings | None) -> list[Settings]:
    """List the steps of a normalizer, pre-tokenizer or decoder, sequences in sequences too."""
    if settings is None:
        return []
    if settings["type"] != "Sequence":
        return [settings]
    inner = next(settings[name] for name in _LISTS if name in settings)
    return [step for each in inner for step in steps(each)]


def read_normalizer(settings: Settings | None, whole: bool = False) -> Normalizer | None:
    """Build the normalizer that does what `settings` say.

    Args:
        settings: The normalizer's JSON, as the library itself writes it.
        whole: Whether it has to be one `ForeignNormalizer`.
    """
    parts: list[Normalizer] = []
    waiting: list[Settings] = []
    for step in steps(settings):
        native = None if whole else _native_normalizer(step)
        if native is None:
            waiting.append(step)
            continue
        parts += _foreign_normalizer(waiting)
        waiting = []
        parts.append(native)
    parts += _foreign_normalizer(waiting)
    if len(parts) > 1:
        return Chain(tuple(parts))
    return parts[0] if parts else None


def _native_normalizer(step: Settings) -> Normalizer | None:
    """Build a normalizer of tokkit's own for one step; None if there is none."""
    if step["type"] == "Replace" and step["pattern"].get("String"):
        return Replace(step["pattern"]["String"].encode(), step["content"].encode())
    if step["type"] == "Prepend":
        return Prepend(step["prepend"].encode())
    return None


def _foreign_normalizer(waiting: Sequence[Settings]) -> list[Normalizer]:
    """Hand steps over to the library, all at once."""
    if not waiting:
        return []
    settings = (
        waiting[0] if len(waiting) == 1 else {"type": "Sequence", "normalizers": list(waiting)}
    )
    keeps_ascii = all(step["type"] in _KEEP_ASCII for step in waiting)
    return [ForeignNormalizer(json.dumps(settings), keeps_ascii)]


def read_pretokenizer(settings: Settings | None) -> Cutting:
    """Build the pre-tokenizer that does what `settings` say.

    A byte-level step at the end is not taken: the pieces are then to be read as bytes.

    Args:
        settings: The pre-tokenizer's JSON, as the library itself writes it.
    """
    todo = steps(settings)
    units: Units = "characters"
    if todo and todo[-1]["type"] == "ByteLevel":
        units = "bytes"
        todo = [*todo[:-1], *_before_bytes(todo[-1])]
    if any(step["type"] == "ByteLevel" for step in todo):
        units = "characters"
        todo = steps(settings)
    first = None
    if any(step.get("prepend_scheme") == "first" for step in todo):
        first = _cut_by(todo)
        todo = [
            {**step, "prepend_scheme": "never"} if step["type"] == "Metaspace" else step
            for step in todo
        ]
    cutter = _cut_by(todo)
    pattern = cutter.pattern if isinstance(cutter, Scanner) else None
    return Cutting(cutter, first, units, pattern)


def _before_bytes(step: Settings) -> list[Settings]:
    """Spell out what a byte-level step does before it turns to bytes."""
    spelled: list[Settings] = []
    if step["add_prefix_space"]:
        spelled.append({"type": "PrefixSpace"})
    if step["use_regex"]:
        pattern = {"Regex": GPT2}
        spelled.append(
            {"type": "Split", "pattern": pattern, "behavior": "Isolated", "invert": False}
        )
    return spelled


def _cut_by(todo: Sequence[Settings]) -> Pretokenizer:
    """Put tokkit's own pre-tokenizers, and the library's for the rest, one after the other."""
    parts: list[Pretokenizer] = []
    waiting: list[Settings] = []
    on_its_own = len(todo) == 1 or all(step.get("prepend_scheme") != "first" for step in todo)
    for step in todo:
        native = _native_pretokenizer(step, is_first=not parts and not waiting)
        if native is None or not on_its_own:
            waiting.append(step)
            continue
        parts += _foreign_pretokenizer(waiting)
        waiting = []
        parts.append(native)
    parts += _foreign_pretokenizer(waiting)
    if len(parts) > 1:
        return pretokenize.Sequence(tuple(parts))
    return parts[0] if parts else Whole()


def _native_pretokenizer(step: Settings, is_first: bool) -> Pretokenizer | None:
    """Build a pre-tokenizer of tokkit's own for one step; None if there is none."""
    if step["type"] == "PrefixSpace":
        return PrefixSpace()
    if step["type"] == "Digits":
        return pretokenize.isolate_numeric(step["individual_digits"])
    if step["type"] == "Metaspace" and is_first:
        prepend = step["prepend_scheme"] in ("always", "first")
        return Metaspace(step["replacement"].encode(), prepend, step["split"])
    if step["type"] == "Split" and "Regex" in step["pattern"]:
        pattern = recognise(step["pattern"]["Regex"], "oniguruma")
        if pattern is not None and _is_isolated(step):
            return pretokenize.for_pattern(pattern)
    return None


def _is_isolated(step: Settings) -> bool:
    """Tell whether a split keeps everything, each match and what lies between as a piece."""
    return bool(step["behavior"] == "Isolated")


def _foreign_pretokenizer(waiting: Sequence[Settings]) -> list[Pretokenizer]:
    """Hand steps over to the library, all at once."""
    if not waiting:
        return []
    settings: Settings = (
        waiting[0]
        if len(waiting) == 1
        else {"type": "Sequence", "pretokenizers": list(waiting)}
    )
    needs = ""
    if settings["type"] == "Split" and settings["behavior"] != "Removed":
        needs = settings["pattern"].get("String", "")
    return [Foreign(json.dumps(settings), needs.encode())]


@dataclass(frozen=True)
class Reading:
    """How tokens are read back as bytes.

    Attributes:
        token_bytes: The bytes of a token of the model.
        added_bytes: The bytes of an added token that is not special.
        first_space: What happens to a space at the very beginning.
    """

    token_bytes: Callable[[str], bytes]
    added_bytes: Callable[[str], bytes]
    first_space: FirstSpace


def read_decoder(settings: Settings | None) -> Reading:
    """Find out what tokens mean.

    Args:
        settings: The decoder's JSON, as the library itself writes it.
    """
    todo = steps(settings)
    names = [step["type"] for step in todo]
    if "ByteLevel" in names:
        return Reading(_byte_level, str.encode, "keep")
    if "WordPiece" in names:
        word = todo[names.index("WordPiece")]
        return Reading(
            lambda token: _word_piece(token, word),
            lambda token: _word_piece(token, word),
            "strip one",
        )
    if "Metaspace" in names:
        meta = todo[names.index("Metaspace")]

        def read(token: str) -> bytes:
            return token.replace(meta["replacement"], " ").encode()

        return Reading(read, read, "keep" if meta["prepend_scheme"] == "never" else "strip all")

    def read_steps(token: str) -> bytes:
        return _by_steps(token, todo)

    strips = names[-1:] == ["Strip"] and todo[-1]["start"] > 0 and "Fuse" in names
    return Reading(read_steps, read_steps, "strip one" if strips else "keep")


def implied_decoder(parts: Settings, model: Settings) -> Settings | None:
    """Return the decoder that belongs to the other parts, for files without one.

    Args:
        parts: The JSON of the pre-tokenizer and the normalizer, as the library writes it.
        model: The model's JSON.
    """
    cutters, rewriters = steps(parts["pre_tokenizer"]), steps(parts["normalizer"])
    if any(step["type"] == "ByteLevel" for step in [*cutters, *rewriters]):
        return {"type": "ByteLevel"}
    if "max_input_chars_per_word" in model:
        prefix = model["continuing_subword_prefix"]
        return {"type": "WordPiece", "prefix": prefix, "cleanup": False}
    spaces = [step["replacement"] for step in cutters if step["type"] == "Metaspace"]
    spaces += [
        step["content"]
        for step in rewriters
        if step["type"] == "Replace" and step["pattern"].get("String") == " "
    ]
    back = [{"type": "Replace", "pattern": {"String": text}, "content": " "} for text in spaces]
    return {"type": "Sequence", "decoders": [*back, {"type": "ByteFallback"}]}


def unmarked(reading: Reading, model: Settings) -> Reading:
    """Read the marks of byte-pair models too: ``a</w>`` is ``b"a "``, ``##a`` is ``b"a"``."""
    prefix = model.get("continuing_subword_prefix") if "merges" in model else None
    suffix = model.get("end_of_word_suffix")
    if not (prefix or suffix):
        return reading

    def read(token: str) -> bytes:
        token = token.removeprefix(prefix or "")
        if suffix and token.endswith(suffix):
            return reading.token_bytes(token.removesuffix(suffix)) + b" "
        return reading.token_bytes(token)

    return Reading(read, reading.added_bytes, reading.first_space)


def _byte_level(token: str) -> bytes:
    """Read the byte-level alphabet, or what is not written in it as it stands."""
    data = from_byte_level(token)
    return token.encode() if data is None else data


def _word_piece(token: str, settings: Settings) -> bytes:
    """Read a word piece: ``##x`` is ``b"x"``, ``x`` is ``b" x"``."""
    if settings["prefix"] and token.startswith(settings["prefix"]):
        return token.removeprefix(settings["prefix"]).encode()
    # The decoder's own idea of a token inside a text, punctuation closed up if it does that.
    decoder = foreign_component(decoder=settings).decoder
    text: str = decoder.decode(["x", token])
    return text.removeprefix("x").encode()


def _by_steps(token: str, todo: Sequence[Settings]) -> bytes:
    """Read a token by the steps of a decoder up to where tokens are joined."""
    for step in todo:
        if step["type"] == "Replace" and "String" in step["pattern"]:
            token = token.replace(step["pattern"]["String"], step["content"])
        elif step["type"] == "ByteFallback":
            byte = from_byte_fallback(token)
            if byte is not None:
                return bytes([byte])
        elif step["type"] == "BPEDecoder":
            token = token.replace(step["suffix"], " ")
        elif step["type"] == "Fuse":
            break
    return token.encode()
