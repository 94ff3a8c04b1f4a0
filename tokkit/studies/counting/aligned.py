"""Strings that a tokenizer cuts into tokens of equally many letters, where they stand.

What a string is cut into depends on what is before and after it: most tokenizers put the space
before a word into its first token. So a string counts only if the tokenizer cuts it so inside
the whole prompt, and that is what is tried at each step: strings grow by one token at a time,
and one that is cut otherwise goes back a step, until nothing is left to try.

That no beginning of a string may be cut otherwise costs no strings with byte-pair encoding, the
longest match or the likeliest segmentation, where a beginning of a segmentation is the
segmentation of the beginning. It may cost some where whole words are looked up first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tokkit.errors import UsageError
from tokkit.studies.counting.drawing import draw_shares
from tokkit.tokenizer import Tokenizer

_TRIES = 2000
"""How many steps one string may take."""
_LEAST = 64
"""How many strings are looked for at once, at least."""
_IDLE_ROUNDS = 3
"""How often all that is found may be known already, before there seems to be no more."""

Around = tuple[str, str]
"""What a prompt says before a string, and after it."""


def draw_aligned(
    tokenizer: Tokenizer,
    letters: str,
    lengths: Sequence[int],
    per_token: int,
    number: int,
    *,
    around: Sequence[Around],
    generator: np.random.Generator,
    focus: str = "",
) -> list[str]:
    """Draw different strings that are cut into tokens of exactly `per_token` letters.

    Args:
        tokenizer: What cuts.
        letters: What strings are made of.
        lengths: How many letters a string may have: multiples of `per_token`.
        per_token: How many of them each token holds. A token may hold white space beside.
        number: How many strings.
        around: The prompts in which that has to hold, at least one.
        generator: What draws.
        focus: Letters whose numbers are balanced, as in
            `tokkit.studies.counting.drawing.draw_strings`, as far as the tokens allow.

    Raises:
        UsageError: If so many are not found.
    """
    units = letter_tokens(tokenizer, letters, per_token)
    cuts = _Cuts(tokenizer, around, per_token)
    found: dict[str, None] = {}
    idle = 0 if units else _IDLE_ROUNDS
    while len(found) < number and idle < _IDLE_ROUNDS:
        known, rest = len(found), max(number - len(found), _LEAST)
        shares = draw_shares(letters, rest, generator=generator, focus=focus)
        weights = np.log(np.maximum(shares, 1e-300)) @ _letter_counts(units, letters).T
        sizes = (generator.choice(lengths, rest) // per_token).tolist()
        searches = [
            _Search(units, weight, size, generator)
            for weight, size in zip(weights, sizes, strict=True)
        ]
        _search_all(searches, cuts)
        found |= dict.fromkeys(search.text for search in searches if search.complete)
        idle = idle + 1 if len(found) == known else 0
    if len(found) < number:
        raise UsageError(_refuse(letters, per_token, len(found), number, len(units)))
    return list(found)[:number]


def letter_tokens(tokenizer: Tokenizer, letters: str, per_token: int) -> list[str]:
    """Return what tokens are made of so many of the letters, white space before them aside.

    Example: of the tokens ``"ab"``, ``" ab"``, ``"aba"`` and ``"abc"``, two letters of
    ``"ab"`` are in the first two; both give ``"ab"``.
    """
    wanted, alphabet = set(), set(letters)
    for token in tokenizer.vocab.tokens:
        if per_token <= len(token) <= 4 * per_token + 1:
            text = token.decode("utf-8", "ignore").strip()
            if len(text) == per_token and alphabet.issuperset(text):
                wanted.add(text)
    return sorted(wanted)


def token_ends(
    tokenizer: Tokenizer, around: Around, texts: Sequence[str]
) -> Iterator[NDArray[np.int64]]:
    """Yield where tokens end inside each text when it stands in a prompt, in bytes of the text.

    Of a tokenizer that rewrites a text, they are bytes of what it makes of it.

    Args:
        tokenizer: What cuts.
        around: The rest of the prompt.
        texts: What stands in it.

    Raises:
        UsageError: If the tokenizer rewrites texts differently in prompts and by themselves, so
            that tokens have no place in them.
    """
    before, after = around
    batch = tokenizer.encode_batch([f"{before}{text}{after}" for text in texts])
    for text, ids in zip(texts, batch, strict=True):
        pieces = [tokenizer.vocab.tokens[each] for each in ids.tolist()]
        size, behind = _sizes(tokenizer, b"".join(pieces), text, after)
        # From the end of the string; what ends at its own end or outside is left out.
        back = np.cumsum([len(piece) for piece in reversed(pieces)]) - behind
        yield size - back[(back > 0) & (back < size)][::-1]


def _sizes(tokenizer: Tokenizer, prompt: bytes, text: str, after: str) -> tuple[int, int]:
    """Return how many bytes of what tokens spell are of the text, and of what is after it."""
    if prompt.endswith(f"{text}{after}".encode()):
        return len(text.encode()), len(after.encode())
    # Some write all white space as spaces, or all letters small.
    rewritten, rest = _spelled(tokenizer, text).lstrip(), _spelled(tokenizer, after)
    if prompt.endswith(rewritten + rest):
        return len(rewritten), len(rest)
    raise UsageError(
        "this tokenizer rewrites text before it cuts it, so that its tokens hold no letters of "
        "a string: choose another one"
    )


def _spelled(tokenizer: Tokenizer, text: str) -> bytes:
    """Return what the tokens of a text spell."""
    tokens = tokenizer.vocab.tokens
    return b"".join(tokens[each] for each in tokenizer.encode(text).tolist())


def _letter_counts(units: Sequence[str], letters: str) -> NDArray[np.float64]:
    """Count each letter in each unit, ``float64[units, letters]``."""
    return np.array([[unit.count(letter) for letter in letters] for unit in units], dtype=float)


def _refuse(letters: str, per_token: int, found: int, number: int, units: int) -> str:
    what = f"strings of {letters!r} in tokens of {per_token} letter{'s' * (per_token > 1)} each"
    if not units:
        return (
            f"there can be no {what}: the tokenizer has no such token, so choose other letters"
        )
    if not found:
        return (
            f"no {what} were found: where its {units} such tokens meet, the tokenizer makes "
            "others of them, so choose other letters, or more of them"
        )
    return (
        f"only {found} {what} were found of {number}: ask for fewer, for longer ones, or for "
        "more letters"
    )


@dataclass
class _Search:
    """The way to one string: what it begins with, and what is still untried after that."""

    units: Sequence[str]
    weights: NDArray[np.float64]
    size: int
    generator: np.random.Generator
    pieces: list[str] = field(default_factory=list)
    tries: int = 0

    def __post_init__(self) -> None:
        self._untried = [self._order()]

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    @property
    def complete(self) -> bool:
        return len(self.pieces) == self.size

    def propose(self) -> str | None:
        """Return what may come next; None if there is no way on."""
        while self._untried and not self._untried[-1]:
            self._untried.pop()
            if self.pieces:
                self.pieces.pop()
        self.tries += 1
        return self._untried[-1].pop() if self._untried and self.tries <= _TRIES else None

    def go_on(self, unit: str) -> None:
        """Take what may come next."""
        self.pieces.append(unit)
        self._untried.append(self._order())

    def _order(self) -> list[str]:
        """Draw the units without replacement, by weight; the first one drawn is last.

        Greatest of logarithmic weights with Gumbel noise (Yellott, J. Math. Psychol. 15, 1977).
        """
        noise = self.generator.gumbel(size=len(self.units))
        return [self.units[place] for place in np.argsort(self.weights + noise, kind="stable")]


def _search_all(searches: Sequence[_Search], cuts: "_Cuts") -> None:
    """Go on with all searches, one step of each at a time, until each has ended."""
    active = list(searches)
    while active:
        proposed = [(search, search.propose()) for search in active]
        going = [(search, unit) for search, unit in proposed if unit is not None]
        texts = [search.text + unit for search, unit in going]
        last = [len(search.pieces) + 1 == search.size for search, _ in going]
        for (search, unit), right in zip(going, cuts.right(texts, last), strict=True):
            if right:
                search.go_on(unit)
        active = [search for search, _ in going if not search.complete]


@dataclass
class _Cuts:
    """Tells whether texts are cut into tokens of equally many letters."""

    tokenizer: Tokenizer
    around: Sequence[Around]
    per_token: int

    def right(self, texts: Sequence[str], complete: Sequence[bool]) -> list[bool]:
        """Tell of each text, in the first prompt; in all prompts if it is complete."""
        right = self._right(self.around[0], texts)
        whole = [place for place, each in enumerate(complete) if each and right[place]]
        for around in self.around[1:]:
            found = self._right(around, [texts[place] for place in whole])
            for place, each in zip(whole, found, strict=True):
                right[place] &= each
        return right

    def _right(self, around: Around, texts: Sequence[str]) -> list[bool]:
        """Tell of each text in one prompt."""
        ends = token_ends(self.tokenizer, around, texts)
        return [
            np.array_equal(each, self._wanted(text))
            for text, each in zip(texts, ends, strict=True)
        ]

    def _wanted(self, text: str) -> NDArray[np.int64]:
        """Return where tokens have to end inside a text, in bytes."""
        steps = range(self.per_token, len(text), self.per_token)
        return np.array([len(text[:step].encode()) for step in steps], dtype=np.int64)
