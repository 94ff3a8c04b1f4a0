"""Added tokens: texts that are tokens of their own wherever they occur.

They work as in Hugging Face's `tokenizers`: text is cut at the tokens that are looked for in
the original, what lies between them is normalized, and that is cut at the tokens that are
looked for in normalized text. Of several that begin at the same place the longest counts.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from tokkit.normalize import Normalizer

# What the `regex` crate means by \s.
_SPACE = r"\p{White_Space}"


@dataclass(frozen=True)
class Added:
    """One added token, with the attributes Hugging Face gives them.

    Attributes:
        content: The text it is written with.
        token_id: Its id.
        special: Whether it is a control token rather than a piece of text.
        lstrip: Whether white space to its left belongs to it.
        rstrip: Whether white space to its right belongs to it.
        single_word: Whether it counts only where no word character touches it.
        normalized: Whether it is looked for in normalized text rather than in the original.
    """

    content: str
    token_id: int
    special: bool = True
    lstrip: bool = False
    rstrip: bool = False
    single_word: bool = False
    normalized: bool = False


class Segment(NamedTuple):
    """A stretch of text.

    Attributes:
        data: Text to be cut, normalized; or of an added token, with the white space it takes.
        token_id: The id of the added token; -1 for text.
        start: Where `raw` starts in the text that was split, in bytes; -1 if `data` is only a
            part of what `raw` was normalized to.
        raw: What was normalized.
    """

    data: bytes
    token_id: int
    start: int
    raw: bytes


@dataclass(frozen=True)
class AddedTokens:
    """The added tokens of a tokenizer.

    Attributes:
        tokens: The added tokens; of equal contents the last counts.
        parse: Whether special tokens are looked for in text unless the caller says otherwise.
    """

    tokens: tuple[Added, ...] = ()
    parse: bool = True

    def split(
        self, data: bytes, normalizer: Normalizer | None, parse_specials: bool | None = None
    ) -> list[Segment]:
        """Cut `data` at its added tokens and normalize what lies between them.

        Example: with ``<s>``, ``a<s>b`` becomes ``a``, ``<s>`` and ``b``.

        Args:
            data: UTF-8 text.
            normalizer: Applied to the stretches between non-normalized tokens.
            parse_specials: Whether special tokens are looked for; None: what `parse` says.

        Returns:
            The stretches in order, none of them empty text.
        """
        parse = self.parse if parse_specials is None else parse_specials
        segments = []
        for start, end, token_id in self._original.cut(data, parse):
            raw = data[start:end]
            if token_id >= 0:
                segments.append(Segment(raw, token_id, start, raw))
            else:
                segments += self._cut_normalized(raw, start, normalizer, parse)
        return segments

    def _cut_normalized(
        self, raw: bytes, start: int, normalizer: Normalizer | None, parse: bool
    ) -> list[Segment]:
        """Normalize a stretch and cut it at the tokens that are looked for then."""
        data = normalizer.normalize(raw) if normalizer else raw
        cuts = self._matchers(normalizer).cut(data, parse)
        if len(cuts) == 1 and cuts[0][2] < 0:
            return [Segment(data, -1, start, raw)]
        if data != raw:
            return [Segment(data[a:b], token_id, -1, raw) for a, b, token_id in cuts]
        return [Segment(data[a:b], token_id, start + a, data[a:b]) for a, b, token_id in cuts]

    @cached_property
    def _original(self) -> "_Matcher":
        found = {each.content: each for each in self.tokens}
        return _Matcher(
            {text.encode(): each for text, each in found.items() if not each.normalized}
        )

    def _matchers(self, normalizer: Normalizer | None) -> "_Matcher":
        """Return the matcher of normalized tokens; it depends on the normalizer."""
        cache: dict[Normalizer | None, _Matcher] = self._by_normalizer
        if normalizer not in cache:
            found = {each.content: each for each in self.tokens}
            cache[normalizer] = _Matcher(
                {
                    normalizer.normalize(text.encode()) if normalizer else text.encode(): each
                    for text, each in found.items()
                    if each.normalized
                }
            )
        return cache[normalizer]

    @cached_property
    def _by_normalizer(self) -> dict[Normalizer | None, "_Matcher"]:
        return {}

    def __getstate__(self) -> dict[str, Any]:
        return {"tokens": self.tokens, "parse": self.parse}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)


class _Matcher:
    """Finds texts, the longest of those that begin at the same place."""

    def __init__(self, tokens: Mapping[bytes, Added]) -> None:
        self._tokens = {text: added for text, added in tokens.items() if text}
        self._pattern = re.compile(_alternatives(self._tokens)) if self._tokens else None
        self._is_plain = not any(
            each.lstrip or each.rstrip or each.single_word for each in self._tokens.values()
        )

    def cut(self, data: bytes, parse: bool) -> list[tuple[int, int, int]]:
        """Return start, end and id (-1 for text) of the stretches of `data`."""
        if not data:
            return []
        if self._pattern is None or self._pattern.search(data) is None:
            return [(0, len(data), -1)]
        cuts = []
        done = 0
        for match in self._pattern.finditer(data):
            added = self._tokens[match[0]]
            if added.special and not parse:
                continue
            span = match.span() if self._is_plain else _extend(added, data, match.span(), done)
            if span is None:
                continue
            if done < span[0]:
                cuts.append((done, span[0], -1))
            cuts.append((*span, added.token_id))
            done = span[1]
        if done != len(data):
            cuts.append((done, len(data), -1))
        return cuts


def _extend(
    added: Added, data: bytes, span: tuple[int, int], done: int
) -> tuple[int, int] | None:
    """Take the white space that belongs to a token; None if it does not count here.

    Args:
        added: The token.
        data: Where it was found.
        span: Its start and end.
        done: Where the token before it ends.
    """
    start, end = span
    if added.single_word and _touches_word(data, start, end):
        return None
    if added.lstrip:
        start = max(_before_spaces(data, start), done)
    if added.rstrip:
        end = _after_spaces(data, end)
    return start, end


def _alternatives(texts: Iterable[bytes]) -> bytes:
    """Write a regular expression for texts that prefers longer ones.

    Example: ``[b"a", b"ab", b"c"]`` -> ``(?:a(?:b)?|c)``.
    """
    families: dict[bytes, list[bytes]] = {}
    for text in texts:
        families.setdefault(text[:1], []).append(text)
    is_optional = bool(families.pop(b"", None))
    if not families:
        return b""
    choices = []
    for family in families.values():
        shared = _shared_prefix(family)
        rest = _alternatives({text[len(shared) :] for text in family})
        choices.append(re.escape(shared) + rest)
    return b"(?:" + b"|".join(choices) + (b")?" if is_optional else b")")


def _shared_prefix(texts: list[bytes]) -> bytes:
    """Return what all texts begin with: ``[b"abc", b"abd"]`` -> ``b"ab"``."""
    low, high = min(texts), max(texts)
    length = 0
    while length < min(len(low), len(high)) and low[length] == high[length]:
        length += 1
    return low[:length]


def _touches_word(data: bytes, start: int, end: int) -> bool:
    """Tell whether a word character lies right before `start` or right at `end`."""
    before = data[max(start - 4, 0) : start].decode("utf-8", "ignore")
    after = data[end : end + 4].decode("utf-8", "ignore")
    return any(map(_is_word, before[-1:] + after[:1]))


@lru_cache(maxsize=1 << 16)
def _is_word(character: str) -> bool:
    """Tell whether a character belongs to words, in the version of Unicode the library knows.

    The library is asked: one of its pre-tokenizers sets words apart from all else.
    """
    from tokenizers.pre_tokenizers import Whitespace

    text = "a" + character
    return bool(Whitespace().pre_tokenize_str(text)[0][0] == text)


def _before_spaces(data: bytes, end: int) -> int:
    """Return where the white space that ends at `end` begins."""
    import regex

    window = 64
    while True:
        text = data[max(end - window, 0) : end].decode("utf-8", "ignore")
        spaces = len(text) - len(regex.sub(rf"{_SPACE}+\Z", "", text))
        if spaces < len(text) or window >= end:
            return end - len(text[len(text) - spaces :].encode())
        window *= 4


def _after_spaces(data: bytes, start: int) -> int:
    """Return where the white space that begins at `start` ends."""
    import regex

    window = 64
    while True:
        text = data[start : start + window].decode("utf-8", "ignore")
        found = regex.match(rf"{_SPACE}*", text)
        spaces = found.end() if found else 0
        if spaces < len(text) or start + window >= len(data):
            return start + len(text[:spaces].encode())
        window *= 4
