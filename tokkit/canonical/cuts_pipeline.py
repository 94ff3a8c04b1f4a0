"""From raw text to pieces, everything a tokenizer does before it segments.

Internal text is text as tokens spell it: with the space that a tokenizer puts before a text,
and without whatever marks stand for spaces in its files. A text is *faithful* if what comes out
of the tokenizer's steps spells just the text that went in.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, is_dataclass, replace
from functools import partial
from itertools import pairwise

import numpy as np

from tokkit import pretokenize
from tokkit.alphabet import SPACE_MARK, from_byte_level
from tokkit.errors import PatternError, TokkitError
from tokkit.foreign import Metaspace, PrefixSpace
from tokkit.normalize import Chain, Normalizer, Prepend, Replace
from tokkit.pretokenize import Pieces, Pretokenizer, Whole
from tokkit.segment.wordpiece import WordPiece
from tokkit.tokenizer import Tokenizer

Step = Normalizer | Pretokenizer
Reading = Callable[[bytes], bytes]
"""From a piece as a segmenter spells it to internal text."""

_SAMPLES = 2000


@dataclass(frozen=True)
class Pipeline:
    """What happens to a text before it is segmented.

    Attributes:
        normalizer: Rewrites it.
        pretokenizer: Cuts it.
        reading: What the pieces mean.
        before: What internal text begins with that raw text does not.
        after: What internal text ends with that raw text does not.
        unwanted: What the steps put before a text that internal text does not begin with.
    """

    normalizer: Normalizer | None
    pretokenizer: Pretokenizer
    reading: Reading
    before: bytes = b""
    after: bytes = b""
    unwanted: bytes = b""
    _known: dict[bytes, tuple[int, ...] | None] = field(default_factory=dict, repr=False)

    def normalized(self, raw: bytes) -> bytes:
        """Return what is cut instead of a raw text."""
        return self.normalizer.normalize(raw) if self.normalizer else raw

    def pieces(self, raw: bytes) -> list[bytes]:
        """Return the pieces of a raw text, as internal text.

        Example: with a Metaspace, ``b"a b"`` may be ``[b" a", b" b"]``.
        """
        data = self.normalizer.normalize(raw) if self.normalizer else raw
        return [
            self.reading(each) for each in self.pretokenizer.split(Pieces.of(data)).as_bytes()
        ]

    def cuts(self, text: bytes) -> tuple[int, ...] | None:
        """Return where the pieces of an internal text begin; None if it is not faithful."""
        if text not in self._known:
            self._known[text] = self._cut(text)
        return self._known[text]

    def _cut(self, text: bytes) -> tuple[int, ...] | None:
        """Cut a text that was not cut yet."""
        if not text:
            return ()
        if len(text) < len(self.before) + len(self.after) or not (
            text.startswith(self.before) and text.endswith(self.after)
        ):
            return None
        end = len(text) - len(self.after)
        # A prefix that is only put where there is none already is in the raw text then.
        for start in sorted({len(self.before), 0}, reverse=True):
            cuts = self._cut_raw(text[start:end], text)
            if cuts is not None:
                return cuts
        return None

    def _cut_raw(self, raw: bytes, text: bytes) -> tuple[int, ...] | None:
        """Cut a raw text; None if it does not become the internal text in question."""
        try:
            pieces = self.pieces(raw) if raw else []
        except (TokkitError, UnicodeDecodeError):
            return None
        if b"".join(pieces) != self.unwanted + text:
            return None
        places = [-len(self.unwanted)]
        for piece in pieces:
            places.append(places[-1] + len(piece))
        return tuple(sorted({max(place, 0) for place, end in pairwise(places) if end > 0}))


def cuts_of(pipeline: Pipeline, text: bytes) -> tuple[int, ...] | None:
    """Return which characters of an internal text begin pieces; None if it is not faithful.

    Example: if the pieces of ``aéb`` are ``aé`` and ``b``, these are 0 and 2.

    Raises:
        PatternError: If there is a cut inside a character.
    """
    cuts = pipeline.cuts(text)
    if cuts is None:
        return None
    begins = np.frombuffer(text, dtype=np.uint8) & 0xC0 != 0x80
    where = np.array(cuts, dtype=np.int64)
    if not begins[where].all():
        raise PatternError(
            "the pre-tokenizer cuts inside characters, which cannot be followed: "
            f"it does in {text[:40].decode('utf-8', 'ignore')!r}"
        )
    numbers: list[int] = (np.cumsum(begins)[where] - 1).tolist()
    return tuple(numbers)


def build_pipeline(tokenizer: Tokenizer, tokens: Sequence[bytes], lead: bool) -> Pipeline:
    """Put together what a tokenizer does to the first stretch of a text.

    Args:
        tokenizer: The tokenizer.
        tokens: The bytes of each id in internal text.
        lead: Whether the prefix that it puts before a text is wanted.
    """
    first = tokenizer.first_pretokenizer or tokenizer.pretokenizer
    reading = _find_reading(tokenizer, tokens)
    pipeline = Pipeline(tokenizer.normalizer, first, reading)
    before, after = _additions(pipeline)
    if lead or not before:
        return replace(pipeline, before=before, after=after, _known={})
    pipeline = Pipeline(
        _without_prefix(tokenizer.normalizer), _without_space(tokenizer.pretokenizer), reading
    )
    unwanted, after = _additions(pipeline)
    return replace(pipeline, unwanted=unwanted, after=after, _known={})


def _additions(pipeline: Pipeline) -> tuple[bytes, bytes]:
    """Find out what is put before and after a text, by what becomes of some short ones."""
    for probe in (b"x", b"a", b"1", b"."):
        joined = b"".join(pipeline.pieces(probe))
        before, found, after = joined.partition(probe)
        if found:
            return before, after
    return b"", b""


def _without_prefix(normalizer: Normalizer | None) -> Normalizer | None:
    """The normalizer without the steps that put something before a text."""
    if isinstance(normalizer, Prepend):
        return None
    if isinstance(normalizer, Chain):
        steps = [_without_prefix(step) for step in normalizer.steps]
        return Chain(tuple(step for step in steps if step is not None))
    rules = getattr(normalizer, "rules", None)
    if is_dataclass(normalizer) and hasattr(rules, "add_dummy_prefix"):
        changed: Normalizer = replace(normalizer, rules=replace(rules, add_dummy_prefix=False))
        return changed
    return normalizer


def _without_space(pretokenizer: Pretokenizer) -> Pretokenizer:
    """The pre-tokenizer without the steps that put something before a text."""
    if isinstance(pretokenizer, PrefixSpace):
        return Whole()
    if isinstance(pretokenizer, Metaspace):
        return replace(pretokenizer, prepend=False)
    if isinstance(pretokenizer, pretokenize.Sequence):
        return replace(pretokenizer, parts=tuple(map(_without_space, pretokenizer.parts)))
    return pretokenizer


def _find_reading(tokenizer: Tokenizer, tokens: Sequence[bytes]) -> Reading:
    """Choose the reading under which most spellings are what their tokens mean."""
    segmenter = getattr(tokenizer.segmenter, "inner", tokenizer.segmenter)
    spellings: Sequence[bytes] = getattr(segmenter, "spellings", ())
    known = {
        spelling: token for spelling, token in zip(spellings, tokens, strict=False) if token
    }
    known.pop(b"", None)
    suffix = getattr(segmenter, "suffix", b"")
    if suffix:
        known = {key: token for key, token in known.items() if key.endswith(suffix)}
        return lambda piece: known.get(piece + suffix, piece + b" ")
    if isinstance(segmenter, WordPiece):
        spaced = known and all(
            token[:1] == b" " for key, token in known.items() if key[:1].isalnum()
        )
        return lambda piece: known.get(piece, b" " + piece if spaced else piece)
    known = dict(list(known.items())[:: 1 + len(known) // _SAMPLES])
    best: Reading = bytes
    most = sum(spelling == token for spelling, token in known.items())
    for reading in _readings(tokenizer):
        agreed = sum(reading(spelling) == token for spelling, token in known.items())
        if agreed > most:
            best, most = reading, agreed
    return best


def _readings(tokenizer: Tokenizer) -> Iterator[Reading]:
    """The ways in which pieces may be spelled."""
    for mark in sorted(
        {SPACE_MARK, *_marks(tokenizer.normalizer), *_marks(tokenizer.pretokenizer)}
    ):
        yield partial(_read_mark, mark)
    yield _read_byte_level


def _read_mark(mark: bytes, piece: bytes) -> bytes:
    """Read what stands for a space."""
    return piece.replace(mark, b" ")


def _read_byte_level(piece: bytes) -> bytes:
    """Read the byte-level alphabet: ``Ġa`` is ``b" a"``."""
    data = from_byte_level(piece.decode("utf-8", "replace"))
    return piece if data is None else data


def _marks(step: Step | None) -> Iterator[bytes]:
    """What steps write for a space."""
    if isinstance(step, Metaspace):
        yield step.replacement
    if isinstance(step, Replace) and step.old == b" " and step.new:
        yield step.new
    for part in (*getattr(step, "steps", ()), *getattr(step, "parts", ())):
        yield from _marks(part)
