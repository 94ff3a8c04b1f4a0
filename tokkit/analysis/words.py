"""The distinct words of a corpus, each encoded once."""

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import islice, repeat
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tokkit.analysis.encoding import Encoder
from tokkit.kernels._jit import Ids

MOST_WORDS = 1 << 20
"""Distinct words that are kept; those that come later are no part of measures on words."""
_NUMBER = re.compile("[0-9]+")
_CODE = re.compile(r"[(){}\[\];=<>_\\]|[a-z][A-Z]")

Column = NDArray[np.int32]
"""What each word has of something, and a last zero: the word of index -1, which is none."""


class Words:
    """A table of words that grows as texts come.

    Args:
        encoders: What they are encoded with, by name.
        most: How many distinct words are kept.
    """

    def __init__(self, encoders: Mapping[str, Encoder], most: int = MOST_WORDS) -> None:
        self._encoders = encoders
        self._most = most
        self._places: dict[str, int] = {}
        self._columns: dict[tuple[str, str], Column] = {}
        self._numbers: dict[str, int] = {}
        self._in_numbers: dict[str, list[int]] = {name: [] for name in encoders}

    def __len__(self) -> int:
        return len(self._places)

    def add(self, words: Sequence[str], encode: "EncodeAll") -> Ids:
        """Take note of words in the order of a text.

        Args:
            words: Any, often the same.
            encode: Encodes lists of texts with each of the encoders.

        Returns:
            The index of each, ``int32[n]``, -1 for words that are not kept.
        """
        places, before = self._places, len(self._places)
        if before < self._most:
            for word in dict.fromkeys(words):
                places.setdefault(word, len(places))
            for _ in range(len(places) - self._most):
                places.popitem()
        found = np.fromiter(map(places.get, words, repeat(-1)), np.int32, len(words))
        if len(places) > before:
            new = list(islice(reversed(places), len(places) - before))[::-1]
            self._extend(self._measure(new, encode))
        return found

    def column(self, tokenizer: str, name: str) -> Column:
        """Return what each word has of a measure of `tokkit.analysis.measures`."""
        return self._columns.get((tokenizer, name), np.zeros(1, dtype=np.int32))

    def _extend(self, new: Mapping[tuple[str, str], Sequence[int]]) -> None:
        for key, values in new.items():
            old = self.column(*key)[:-1]
            self._columns[key] = np.concatenate([old, values, [0]]).astype(np.int32)

    def _measure(
        self, words: Sequence[str], encode: "EncodeAll"
    ) -> dict[tuple[str, str], Sequence[int]]:
        """Measure words that are new."""
        data = [word.encode("utf-8", "surrogateescape") for word in words]
        runs = [_NUMBER.findall(word) for word in words]
        is_code = [_CODE.search(word) is not None for word in words]
        found: dict[tuple[str, str], Sequence[int]] = {
            ("", "known_words"): [1] * len(words),
            ("", "digits"): [sum(map(len, each)) for each in runs],
            ("", "numbers"): [len(each) for each in runs],
            ("", "code_bytes"): [
                len(word) if code else 0 for word, code in zip(data, is_code, strict=True)
            ],
        }
        alone, spaced = encode(data, "alone"), encode(data, "spaced")
        self._add_numbers(runs, encode)
        for name in self._encoders:
            of_number = self._in_numbers[name]
            counts = [[of_number[self._numbers[run]] for run in each] for each in runs]
            found[name, "number_tokens"] = [sum(each) for each in counts]
            found[name, "whole_numbers"] = [each.count(1) for each in counts]
            found[name, "code_tokens"] = (alone[name] * is_code).tolist()
            for form, tokens in (("alone", alone[name]), ("spaced", spaced[name])):
                found[name, form] = tokens.tolist()
                found[name, f"continued_{form}"] = np.maximum(tokens - 1, 0).tolist()
                found[name, f"split_{form}"] = (tokens > 1).tolist()
        return found

    def _add_numbers(self, runs: Sequence[Sequence[str]], encode: "EncodeAll") -> None:
        """Encode runs of digits that are new."""
        before = len(self._numbers)
        for each in runs:
            for run in each:
                self._numbers.setdefault(run, len(self._numbers))
        new = [run.encode() for run in islice(self._numbers, before, None)]
        for name, counts in encode(new, "bare").items() if new else ():
            self._in_numbers[name] += counts.tolist()


Form = Literal["alone", "spaced", "bare"]
"""How a text is encoded: by itself, after a space, or without the space put before it."""
EncodeAll = Callable[[Sequence[bytes], Form], Mapping[str, NDArray[np.int64]]]
"""Says how many tokens each text has in a form, by the name of the tokenizer."""
