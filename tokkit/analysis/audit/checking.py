"""The checks of faithfulness, each on the same texts."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from tokkit.analysis.audit.checks import Check, Failure
from tokkit.analysis.audit.libraries import library_of
from tokkit.analysis.audit.stress import BYTES, TEXTS
from tokkit.errors import TokkitError
from tokkit.formats.check import AWKWARD, awkward_texts
from tokkit.kernels._jit import Ids
from tokkit.tokenizer import Tokenizer

_CHUNK = 16
"""Characters of a chunk."""
_CUTS = 24
"""At how many places, at most, a text is cut in two."""
_BAR = "│".encode()


class _Trial(NamedTuple):
    """One trial: a text of some part of the stress set, what became of it, and if it held."""

    part: str
    text: bytes
    found: bytes
    held: bool


class Checking:
    """The checks of one tokenizer. Special tokens written in texts are text."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._tokens = tokenizer.vocab.tokens
        self._texts = [(part, text.encode()) for part, each in TEXTS.items() for text in each]
        self._ids = [self._encode(text) for _, text in self._texts]

    def all(self) -> tuple[Check, ...]:
        """Make every check, the required ones first."""
        return (
            self.round_trip(),
            self.same_ids(),
            self.offsets(),
            self.batch(),
            self.library(),
            self.other_bytes(),
            self.one_by_one(),
            *self.concatenation(),
            self.chunks(),
            self.lines(),
        )

    def round_trip(self) -> Check:
        """Decode what was encoded."""
        trials = []
        for part, text, ids in self._each():
            back = self._tokenizer.decode(ids)
            trials.append(_Trial(part, text, back, back == text))
        return _check("round trip", "decode(encode(text)) is the text", True, trials)

    def other_bytes(self) -> Check:
        """Encode and decode what is no UTF-8."""
        trials = []
        for text in BYTES:
            back = self._tokenizer.decode(self._encode(text))
            trials.append(_Trial("not UTF-8", text, back, back == text))
        return _check("bytes", "bytes that are no UTF-8 come back as well", False, trials)

    def same_ids(self) -> Check:
        """Encode what was decoded."""
        trials = []
        for part, text, ids in self._each():
            again = self._encode(self._tokenizer.decode(ids))
            held = np.array_equal(again, ids)
            trials.append(_Trial(part, text, self._spell(again), held))
        definition = "encode(decode(ids)) are the ids, of those that texts have"
        return _check("ids", definition, True, trials)

    def offsets(self) -> Check:
        """Compare each token with what lies at its place."""
        trials, rewritten = [], 0
        for part, text, ids in self._each():
            try:
                spans = self._tokenizer.spans(text, parse_specials=False).tolist()
            except TokkitError:
                rewritten += 1
                continue
            if not len(ids):
                rewritten += 1
                continue
            edges = [0, *(end for _, end in spans)]
            tiled = [start for start, _ in spans] == edges[:-1] and edges[-1] == len(text)
            pieces = [text[start:end] for start, end in spans]
            held = tiled and self._are_tokens(pieces, ids.tolist())
            trials.append(_Trial(part, text, _BAR.join(pieces), held))
        definition = "the places of tokens lie end to end over the text, and have their bytes"
        note = f"rewritten, so that no token has a place: {rewritten} texts"
        return _check("offsets", definition, True, trials, note if rewritten else "")

    def batch(self) -> Check:
        """Encode all texts at once."""
        texts = [text for _, text in self._texts]
        batch = self._tokenizer.encode_batch(texts, parse_specials=False)
        trials = [
            _Trial(part, text, self._spell(found), np.array_equal(found, ids))
            for (part, text, ids), found in zip(self._each(), batch, strict=True)
        ]
        definition = "texts encoded together have the ids of each by itself"
        return _check("batch", definition, True, trials)

    def library(self) -> Check:
        """Compare with another implementation, as both are by default."""
        name, definition = "library", "the ids are those of the library the file was made for"
        other = library_of(self._tokenizer)
        if other.encode is None:
            return Check(name, definition, True, 0, 0, note=other.reason)
        awkward = [("awkward", text) for text in awkward_texts(self._tokenizer)]
        trials = []
        for part, text in [*self._strings(), *awkward]:
            ours, theirs = self._tokenizer.encode(text).tolist(), list(other.encode(text))
            trials.append(_Trial(part, text.encode(), self._spell(theirs), ours == theirs))
        return _check(name, definition, True, trials, f"compared with {other.name}")

    def one_by_one(self) -> Check:
        """Decode token by token, as answers are streamed."""
        decode = self._tokenizer.decode
        trials = []
        for part, text, ids in self._each():
            found = b"".join(decode([token]) for token in ids.tolist())
            trials.append(_Trial(part, text, found, found == decode(ids)))
        definition = "tokens decoded one by one give the bytes of all together"
        return _check("streamed decoding", definition, False, trials)

    def concatenation(self) -> tuple[Check, Check, Check]:
        """Cut texts in two, and compare the tokens of the parts with those of the whole."""
        counts: list[_Trial] = []
        earlier: list[_Trial] = []
        kept = ends = 0
        for part, text, whole in self._each():
            spelled = self._spell(whole)
            for cut in _cuts(text):
                first, second = self._encode(text[:cut]), self._encode(text[cut:])
                shown = text[:cut] + _BAR + text[cut:]
                same = len(first) + len(second) == len(whole)
                counts.append(_Trial(part, shown, spelled, same))
                begins = np.array_equal(whole[: len(first)], first)
                earlier.append(_Trial(part, shown, spelled, begins))
                own = self._ends(first)
                kept, ends = kept + len(own & self._ends(whole)), ends + len(own)
        cut_in_two = "of texts cut in two"
        return (
            _check("concatenation", f"|T(a+b)| = |T(a)| + |T(b)|, {cut_in_two}", False, counts),
            _check("earlier tokens", f"T(a+b) begins with T(a), {cut_in_two}", False, earlier),
            Check(
                "boundaries", "where tokens of T(a) end, one of T(a+b) ends", False, kept, ends
            ),
        )

    def chunks(self) -> Check:
        """Encode texts a few characters at a time."""
        definition = f"texts encoded {_CHUNK} characters at a time have the ids of the whole"
        return self._in_parts("chunks", definition, _chunks)

    def lines(self) -> Check:
        """Encode texts line by line."""
        definition = "texts encoded line by line have the ids of the whole"
        return self._in_parts("lines", definition, _lines)

    def _in_parts(
        self, name: str, definition: str, cut: Callable[[str], Sequence[str]]
    ) -> Check:
        trials = []
        for part, text in [*self._strings(), *(("awkward", text) for text in AWKWARD)]:
            parts = [each.encode() for each in cut(text)]
            if len(parts) > 1:
                found = [token for each in parts for token in self._encode(each).tolist()]
                held = found == self._encode(text.encode()).tolist()
                trials.append(_Trial(part, text.encode(), self._spell(found), held))
        return _check(name, definition, False, trials)

    def _encode(self, text: bytes) -> Ids:
        return self._tokenizer.encode(text, parse_specials=False)

    def _each(self) -> Iterator[tuple[str, bytes, Ids]]:
        """Go through the texts: part, text and ids."""
        for (part, text), ids in zip(self._texts, self._ids, strict=True):
            yield part, text, ids

    def _strings(self) -> list[tuple[str, str]]:
        """Return the texts as strings."""
        return [(part, text.decode()) for part, text in self._texts]

    def _are_tokens(self, pieces: Sequence[bytes], ids: Sequence[int]) -> bool:
        """Tell whether pieces are the tokens; the first may lack a space that was put there."""
        tokens = [self._tokens[token] for token in ids]
        if tokens and pieces and tokens[0] != pieces[0]:
            tokens[0] = tokens[0].removeprefix(b" ")
        return tokens == list(pieces)

    def _ends(self, ids: Ids) -> set[int]:
        """Return where tokens end, in bytes of all tokens."""
        lengths = [len(self._tokens[token]) for token in ids.tolist()]
        return set(np.cumsum(lengths).tolist())

    def _spell(self, ids: Iterable[int]) -> bytes:
        """Write tokens with a bar between, those without bytes as their ids."""
        return _BAR.join(self._tokens[int(token)] or b"<%d>" % token for token in ids)


def _check(
    name: str, definition: str, required: bool, trials: Sequence[_Trial], note: str = ""
) -> Check:
    """Count trials."""
    failures = [Failure(each.part, each.text, each.found) for each in trials if not each.held]
    passed = len(trials) - len(failures)
    return Check(name, definition, required, passed, len(trials), tuple(failures), note)


def _chunks(text: str) -> list[str]:
    return [text[start : start + _CHUNK] for start in range(0, len(text), _CHUNK)]


def _lines(text: str) -> list[str]:
    return [line for line in re.split(r"(?<=\n)", text) if line]


def _cuts(text: bytes) -> list[int]:
    """Choose places between the characters of a text, evenly, in bytes."""
    places = [place for place in range(1, len(text)) if text[place] & 0xC0 != 0x80]
    step = -(-len(places) // _CUTS) or 1
    return places[::step]
