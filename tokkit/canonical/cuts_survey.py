"""Which characters a tokenizer may tell apart that is more than a scanner.

Steps that tokkit itself does say which characters they look at. Others are asked: which
characters they change, and which they cut otherwise than their like. What is taken for granted
then: that ASCII characters stand for themselves, that other characters are the same to a step
if they have the same general category and are treated alike beside a letter, a number, a mark
and a space, and that what happens to a character by itself happens to it beside others. So
accents which NFC would join to the letter before count as never joined.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tokkit.canonical.cuts_classes import CharacterClasses, scanner_keys
from tokkit.canonical.cuts_pipeline import Pipeline, Step, cuts_of
from tokkit.foreign import Metaspace, PrefixSpace
from tokkit.normalize import Chain, Prepend, Replace
from tokkit.pretokenize import Scanner, Whole
from tokkit.unicode import SIZE, SURROGATES

_NATIVE = (Scanner, Whole, Metaspace, PrefixSpace, Replace, Prepend)
_SEPARATORS = "䷀\ue000|"
"""Characters that hardly any normalizer makes out of others."""
_PATTERNS = ("q{0}q{0}1{0}", "!{0}! {0}{0}")
_CHUNK = 256
_SPARSE = range(0x3400, 0xF900)
"""Here, and beyond 16 bits, one of `_STRIDE` characters is looked at unless a token has it."""
_STRIDE = 16
_ORDINARY = b"  a  b\n\n c\t\td 1.,'! "


def is_native(step: Step | None) -> bool:
    """Tell whether it is known which characters a step of a tokenizer looks at."""
    if step is None or isinstance(step, _NATIVE):
        return True
    if hasattr(step, "rules"):
        return not step.rules.charsmap
    parts = (*getattr(step, "steps", ()), *getattr(step, "parts", ()))
    return hasattr(step, "cuts") or (bool(parts) and all(map(is_native, parts)))


def is_plain(pipeline: Pipeline) -> bool:
    """Tell whether texts are cut by scanners alone, some characters being refused at most."""
    steps = set(map(type, _steps(pipeline.pretokenizer)))
    added = pipeline.before + pipeline.after + pipeline.unwanted
    if added or pipeline.reading(_ORDINARY) != _ORDINARY or not steps <= {Scanner, Whole}:
        return False
    normalizer = pipeline.normalizer
    if isinstance(normalizer, Replace | Chain):
        return False
    return normalizer is None or normalizer.normalize(_ORDINARY) == _ORDINARY


def survey(
    pipeline: Pipeline, tokens: Sequence[bytes]
) -> tuple[CharacterClasses, NDArray[np.bool_]]:
    """Tell apart all characters that may matter; there may be more classes than `MOST`.

    Args:
        pipeline: What the tokenizer does.
        tokens: Its tokens: their characters are looked at one by one.

    Returns:
        The classes, and the characters that the normalizer changes, ``bool[0x110000]``; no
        class has one of those for its representative, unless it has no other.
    """
    keys = _native_keys(pipeline)
    changed = np.zeros(SIZE, dtype=np.bool_)
    if not is_native(pipeline.normalizer):
        changed[_changed(pipeline)] = True
    if not is_native(pipeline.pretokenizer):
        keys[:128] = np.arange(128) | 1 << 32
        keys[128:] |= (categories()[128:].astype(np.int64) + 1) << 32
        keys = _Look(pipeline).split(keys, _of_tokens(tokens) & ~changed, changed)
    refused = changed.copy()
    refused[SURROGATES.start : SURROGATES.stop] = True
    kept = np.flatnonzero(~refused)
    _, first, table = np.unique(keys[kept], return_index=True, return_inverse=True)
    whole = np.zeros(SIZE, dtype=np.int64)
    whole[kept] = table.reshape(-1)
    representatives = tuple(chr(place).encode() for place in kept[first].tolist())
    return CharacterClasses(whole, representatives), changed


def _native_keys(pipeline: Pipeline) -> NDArray[np.int64]:
    """Number what the steps that tokkit does itself may tell apart, ``int64[0x110000]``."""
    keys = np.zeros(SIZE, dtype=np.int64)
    steps = list(_steps(pipeline.normalizer, pipeline.pretokenizer))
    for step in steps:
        if isinstance(step, Scanner):
            _, number = np.unique(keys << 32 | scanner_keys(step), return_inverse=True)
            keys = number.reshape(-1)
    for number, character in enumerate(sorted({*"".join(map(_literals, steps))}), 1):
        keys[ord(character)] |= number << 16
    return keys


def _steps(*steps: Step | None) -> Iterator[Step | None]:
    """All steps that have no steps of their own."""
    for step in steps:
        parts = (*getattr(step, "steps", ()), *getattr(step, "parts", ()))
        if parts:
            yield from _steps(*parts)
        else:
            yield step


def _literals(step: Step | None) -> str:
    """The characters that a step looks for by themselves."""
    texts = [getattr(step, name, b"") for name in ("replacement", "old", "new", "prefix")]
    protected = "".join(getattr(step, "protected", ()))
    if isinstance(step, Scanner | Whole | None):
        return ""
    return " ▁" + protected * (len(set(protected)) < 100) + b"".join(texts).decode()


@lru_cache(maxsize=1)
def categories() -> NDArray[np.uint8]:
    """The general category of every code point as a number, ``uint8[0x110000]``."""
    names = [unicodedata.category(chr(code)) for code in range(SIZE)]
    return np.unique(names, return_inverse=True)[1].astype(np.uint8).reshape(-1)


@lru_cache(maxsize=1)
def _assigned() -> NDArray[np.int64]:
    """The code points that are characters, but for a space."""
    one_of_each = [categories()[ord(character)] for character in ("\u0378", "\ue000", "\ud800")]
    found = np.flatnonzero(~np.isin(categories(), one_of_each))
    characters: NDArray[np.int64] = found[found != ord(" ")]
    return characters


def _changed(pipeline: Pipeline) -> NDArray[np.int64]:
    """Find the code points that a normalizer does not leave as they are.

    One around which it puts spaces, as BERT's does around ideographs, is left as it is: it can
    stand where there are spaces anyway.
    """

    def rewritten(text: str) -> str:
        return pipeline.reading(pipeline.normalized(text.encode())).decode("utf-8", "replace")

    for separator in _SEPARATORS:
        asked = _assigned()[_assigned() != ord(separator)]
        text = separator.join(["q", *map(chr, asked.tolist()), "q"])
        result = rewritten(text).split(separator)
        if len(result) == asked.size + 2:
            pairs = zip(asked.tolist(), result[1:-1], strict=True)
            return np.array(
                [code for code, now in pairs if now.strip(" ") != chr(code)], dtype=np.int64
            )
    found = [
        code for code in _assigned().tolist() if chr(code) not in rewritten(f"q{chr(code)}q")
    ]
    return np.array(found, dtype=np.int64)


def _of_tokens(tokens: Sequence[bytes]) -> NDArray[np.bool_]:
    """Mark the code points that occur in tokens."""
    marked = np.zeros(SIZE, dtype=np.bool_)
    text = "".join(sorted({*b"\n".join(tokens).decode("utf-8", "ignore")}))
    marked[np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)] = True
    return marked


class _Look:
    """Compares how characters are cut."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self.seen: dict[tuple[str, int], list[tuple[int, ...] | None]] = {}

    def split(
        self,
        keys: NDArray[np.int64],
        wanted: NDArray[np.bool_],
        changed: NDArray[np.bool_],
    ) -> NDArray[np.int64]:
        """Give characters of the same key different ones if they are cut differently.

        Args:
            keys: A number for each code point.
            wanted: Which have to be looked at.
            changed: Which need not be.
        """
        every = np.arange(SIZE)
        dense = (every < _SPARSE.start) | ((every >= _SPARSE.stop) & (every < 0x10000))
        codes = np.flatnonzero((wanted | dense | (every % _STRIDE == 0)) & (every >= 128))
        codes = codes[np.isin(codes, _assigned()) & ~changed[codes]]
        number = np.zeros(SIZE, dtype=np.int64)
        for key in np.unique(keys[codes]).tolist():
            own = codes[keys[codes] == key]
            kinds: list[str] = []
            found = np.zeros(own.size, dtype=np.int64)
            for start in range(0, own.size, _CHUNK):
                end = min(start + _CHUNK, own.size)
                self._assign(own, start, end, kinds, found)
            everywhere = np.flatnonzero(keys == key)
            before = np.maximum(np.searchsorted(own, everywhere, side="right") - 1, 0)
            number[everywhere] = found[before]
        return keys << 16 | number

    def _assign(
        self,
        codes: NDArray[np.int64],
        start: int,
        end: int,
        kinds: list[str],
        found: NDArray[np.int64],
    ) -> None:
        """Number the kinds of some characters; `kinds` has one of each so far."""
        text = "".join(map(chr, codes[start:end].tolist()))
        cuts = self._cuts(text)
        for number, kind in enumerate(kinds):
            if self._alike(kind, len(text)) == cuts and self._samples_alike(kind, text, cuts):
                found[start:end] = number
                return
        if len(text) == 1:
            found[start:end] = len(kinds)
            kinds.append(text)
            return
        middle = (start + end) // 2
        self._assign(codes, start, middle, kinds, found)
        self._assign(codes, middle, end, kinds, found)

    def _samples_alike(self, kind: str, text: str, cuts: list[tuple[int, ...] | None]) -> bool:
        """Look at some characters by themselves, where one that is changed hides the others."""
        if len(text) == 1 or any(cut is not None for cut in cuts):
            return True
        samples = {text[0], text[len(text) // 2], text[-1]}
        return all(self._cuts(each) == self._alike(kind, 1) for each in samples)

    def _alike(self, kind: str, count: int) -> list[tuple[int, ...] | None]:
        """The cuts of a text of one character again and again."""
        if (kind, count) not in self.seen:
            self.seen[kind, count] = self._cuts(kind * count)
        return self.seen[kind, count]

    def _cuts(self, text: str) -> list[tuple[int, ...] | None]:
        """Where texts with these characters are cut, in characters."""
        pipeline = self.pipeline
        found: list[tuple[int, ...] | None] = []
        for pattern in _PATTERNS:
            whole = (
                pipeline.before + "".join(map(pattern.format, text)).encode() + pipeline.after
            )
            found.append(cuts_of(pipeline, whole))
        return found
