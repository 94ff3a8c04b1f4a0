"""Which tokens some text gives: with a text that does, or a proof that none can."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tokkit.analysis.audit.proofs import prove
from tokkit.canonical.build import build_grammar
from tokkit.canonical.uses import find_use
from tokkit.kernels._jit import Ids
from tokkit.pretokenize import Pieces
from tokkit.progress import Progress, silent
from tokkit.tokenizer import Tokenizer, rewrites
from tokkit.utf8 import is_utf8
from tokkit.vocab import flatten

Status = Literal["reachable", "unreachable", "unknown"]

CAUSES: Mapping[str, str] = {
    "not UTF-8": "no text has these bytes",
    "spelled otherwise": "another token has the same bytes and comes first",
    "merges": "merging makes other tokens of its bytes",
    "scores": "other tokens with its bytes score more together",
    "normalized": "the normalizer leaves none of a character of it",
    "cut": "the pre-tokenizer always cuts inside",
    "before": "whatever can stand before it becomes another token with it",
    "after": "whatever has to follow it becomes another token with it",
}
"""Why no text gives a token."""

_AROUND = ("", "a", " ", "\n", ".", "1", "é", "漢", "\t", "(", "-", "'", "A")
"""What is put before and after a token that its own bytes do not give: 169 texts."""
_MOST_SEARCHED = 20_000
"""For how many tokens the grammar is asked."""
_SURROGATES = range(0xD800, 0xE000)


@dataclass
class Reachability:
    """What was found of each token that has bytes.

    Attributes:
        reached: Tokens that some text gives; ``bool[V]``.
        by_itself: Tokens that their own bytes give as a text of their own; ``bool[V]``.
        witnesses: A text for each of the others that is reached.
        causes: Why no text gives a token, a key of `CAUSES`, where that is proven.
        exact: Whether what decides about the rest is as the tokenizer is defined.
    """

    reached: NDArray[np.bool_]
    by_itself: NDArray[np.bool_]
    witnesses: dict[int, bytes] = field(default_factory=dict)
    causes: dict[int, str] = field(default_factory=dict)
    exact: bool = True

    def status(self, token: int) -> Status:
        """Return what is known of a token."""
        if self.reached[token]:
            return "reachable"
        return "unreachable" if token in self.causes else "unknown"


def reach(tokenizer: Tokenizer, progress: Progress = silent) -> Reachability:
    """Find out which tokens some text, well-formed UTF-8, gives.

    First a token's own bytes are tried, then these among others, then every character there
    is; then the machine that knows all canonical sequences (`tokkit.canonical`) is searched.
    Every text that is found is checked by encoding it.

    Args:
        tokenizer: The tokenizer.
        progress: Told ``("searching texts", tokens done, tokens in question)``.
    """
    search = _Search(tokenizer)
    search.own_bytes()
    search.among_others()
    search.characters()
    search.plain_proofs()
    search.grammar(progress)
    return search.found


class _Search:
    """The search, step by step; each looks only at what is still open."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._tokens = tokenizer.vocab.tokens
        size = len(self._tokens)
        self.found = Reachability(np.zeros(size, np.bool_), np.zeros(size, np.bool_))

    def own_bytes(self) -> None:
        """Give each token that is text to the tokenizer."""
        for token, _, ids in self._encoded(b"", b"", strip=False):
            if token in ids:
                self.found.by_itself[token] = self.found.reached[token] = True

    def among_others(self) -> None:
        """Put characters before and after tokens, without the space they begin with."""
        for before, after in product(_AROUND, repeat=2):
            for token, text, ids in self._encoded(before.encode(), after.encode(), strip=True):
                if token in ids:
                    self._witness(token, text)

    def characters(self) -> None:
        """Cut every character there is, which shows what characters are put together from."""
        if not any(map(_is_part, (self._tokens[token] for token in self._open()))):
            return
        for first in range(0, 0x110000, 0x10000):
            characters = [
                chr(code).encode()
                for code in range(first, first + 0x10000)
                if code not in _SURROGATES and (self._is_plain() or _is_sampled(code))
            ]
            ids, ends = self._cut_all(characters)
            places = np.searchsorted(ends, np.arange(ids.size), side="right")
            fresh, firsts = np.unique(ids, return_index=True)
            for token, place in zip(fresh.tolist(), places[firsts].tolist(), strict=True):
                if not self.found.reached[token]:
                    self._witness(token, characters[place])

    def plain_proofs(self) -> None:
        """Prove what needs no search."""
        self.found.causes.update(prove(self._tokenizer, self._open()))

    def grammar(self, progress: Progress) -> None:
        """Ask the machine that knows which sequences are canonical."""
        left = [token for token in self._open() if token not in self.found.causes]
        if not left:
            return
        grammar = build_grammar(self._tokenizer, self._tokens)
        self.found.exact = grammar.exact
        for number, token in enumerate(left[:_MOST_SEARCHED]):
            progress("searching texts", number, len(left))
            use = find_use(grammar, token)
            if use.impossible:
                self.found.causes[token] = use.impossible
            elif use.sequence:
                self._try_texts(token, use.sequence)

    def _try_texts(self, token: int, sequence: Sequence[int]) -> None:
        """Accept a text that a sequence stands for if its encoding has the token."""
        spelled = b"".join(self._tokens[each] for each in sequence)
        for text in (self._tokenizer.decode(sequence), spelled):
            if not self.found.reached[token]:
                self._witness(token, text)

    def _open(self) -> list[int]:
        """Return the tokens that no text is known for."""
        reached = self.found.reached
        return [token for token, data in enumerate(self._tokens) if data and not reached[token]]

    def _encoded(
        self, before: bytes, after: bytes, *, strip: bool
    ) -> Iterator[tuple[int, bytes, list[int]]]:
        """Encode the open tokens that are text among other text: token, text and ids."""
        texts = [
            (token, before + (data.removeprefix(b" ") if strip else data) + after)
            for token in self._open()
            if is_utf8(data := self._tokens[token])
        ]
        batch = [text for _, text in texts]
        encoded = self._tokenizer.encode_batch(batch, parse_specials=False)
        for (token, text), ids in zip(texts, encoded, strict=True):
            yield token, text, ids.tolist()

    def _is_plain(self) -> bool:
        """Tell whether texts are just cut and segmented, so that many at once are quick."""
        tokenizer = self._tokenizer
        return tokenizer.normalizer is None and not (
            rewrites(tokenizer.pretokenizer)
            or tokenizer.first_pretokenizer
            or any(not added.special for added in tokenizer.added.tokens)
        )

    def _cut_all(self, texts: Sequence[bytes]) -> tuple[Ids, NDArray[np.int64]]:
        """Return the ids of texts end to end, and where those of each text end."""
        if self._is_plain():
            whole = Pieces(*flatten(texts))
            pieces = self._tokenizer.pretokenizer.split(whole)
            ids, id_ends = self._tokenizer.segmenter.segment(pieces)
            counts = np.searchsorted(pieces.ends, whole.ends, side="right")
            return ids, np.append(0, id_ends)[counts]
        encoded = self._tokenizer.encode_batch(texts, parse_specials=False)
        ends = np.cumsum(np.fromiter(map(len, encoded), np.int64, len(encoded)))
        return np.concatenate([np.zeros(0, np.int32), *encoded]), ends

    def _witness(self, token: int, text: bytes) -> None:
        """Note a text, if it is one and really gives the token."""
        if is_utf8(text) and token in self._tokenizer.encode(text, parse_specials=False):
            self.found.reached[token] = True
            self.found.witnesses[token] = text


def _is_sampled(code: int) -> bool:
    """Choose the characters that are tried where trying is slow."""
    return code < 0x3400 or code % 37 == 0


def _is_part(data: bytes) -> bool:
    """Tell whether a token has part of a character."""
    return not is_utf8(data)
