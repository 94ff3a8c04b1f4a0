"""Byte probabilities by enumeration, from what a foreign library encodes and nothing else.

`Canonical` finds the canonical sequences by encoding texts; `Enumerated` adds up what a model
gives them, exactly as the definitions of ``renorm``, ``mask`` and ``all`` say.
"""

import itertools
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np

Ids = tuple[int, ...]
Encode = Callable[[list[str]], list[list[int]]]
END = 256


class Canonical:
    """The set T of canonical sequences, and which of them are encodings of whole texts.

    Args:
        encode: The foreign library: texts to ids.
        tokens: What each id spells; b"" for ids that no text has.
        alphabet: The characters that texts may go on with; where there are not tokens for all
            bytes, some of each kind that the tokens can spell are added.
        reach: How many characters beyond a sequence are tried: as many as decide its cuts.
        lead: What the tokenizer puts before a text.
        hints: Other texts that a sequence may go on with.
    """

    def __init__(
        self,
        encode: Encode,
        tokens: Sequence[bytes],
        alphabet: Iterable[str],
        reach: int,
        lead: bytes = b"",
        hints: Iterable[str] = (),
    ) -> None:
        self.tokens = tuple(tokens)
        self.lead = lead
        self._encode = encode
        self._bytes = frozenset(b"".join(self.tokens))
        spelled = self._spelled_besides(alphabet) if len(self._bytes) < 128 else []
        self._alphabet = (*alphabet, *some_of_each_kind(spelled, 1))
        self._endings = [
            "".join(letters)
            for length in range(reach + 1)
            for letters in itertools.product(self._alphabet, repeat=length)
        ] + list(hints)
        self._encodings: dict[str, frozenset[Ids]] = {}
        self._sequences: dict[bytes, frozenset[Ids]] = {}

    def spell(self, sequence: Sequence[int]) -> bytes:
        return b"".join(self.tokens[token] for token in sequence)

    def sequences(self, data: bytes) -> frozenset[Ids]:
        """All members of T that spell just `data`."""
        if data not in self._sequences:
            texts = self._texts_from(data)
            self._look_up(texts)
            found = set()
            for text in texts:
                for ids in self._encodings[text]:
                    ends = itertools.accumulate((len(self.tokens[i]) for i in ids), initial=0)
                    found |= {ids[:n] for n, end in enumerate(ends) if end == len(data)}
            self._sequences[data] = frozenset(found)
        return self._sequences[data]

    def __contains__(self, sequence: Ids) -> bool:
        return all(self.tokens[i] for i in sequence) and sequence in self.sequences(
            self.spell(sequence)
        )

    def allowed(self, sequence: Ids, tokens: Iterable[int] | None = None) -> list[int]:
        """The tokens that may follow, of `tokens` or all."""
        among = range(len(self.tokens)) if tokens is None else tokens
        return [token for token in among if self.tokens[token] and (*sequence, token) in self]

    def can_end(self, sequence: Ids) -> bool:
        """Whether the sequence is all of the encoding of a text."""
        text = _decoded(self.spell(sequence))
        if text is None:
            return False
        self._look_up([text])
        return sequence in self._encodings[text]

    def _texts_from(self, data: bytes) -> list[str]:
        """Texts that begin with `data`: its last character made whole, then the endings."""
        whole, rest = cut_whole(data)
        if whole is None:
            return []
        short = [ending for ending in self._endings if len(ending) < 2]
        longer = {_decoded(data + token) for token in self.tokens if len(token) > 1} - {None}
        few = short if len(self._bytes) < 128 else [""]
        texts = [each + ending for each in sorted(longer) for ending in few]
        if not rest:
            return texts + [whole + ending for ending in self._endings]
        characters = [each for each in self._alphabet if each.encode().startswith(rest)]
        texts += [whole + each + ending for each in characters for ending in self._endings]
        possible = [c for c in _characters_from(rest) if self._bytes.issuperset(c.encode())]
        some = some_of_each_kind(possible, 2) if len(possible) > 99 else possible
        return texts + [whole + each + ending for each in some for ending in short]

    def _spelled_besides(self, alphabet: Iterable[str]) -> list[str]:
        """All characters beyond ASCII that the tokens' bytes spell, but for the alphabet."""
        inner = sorted(byte for byte in self._bytes if 0x80 <= byte < 0xC0)
        found = []
        for lead in sorted(byte for byte in self._bytes if byte >= 0xC2):
            length = 2 + (lead >= 0xE0) + (lead >= 0xF0)
            for rest in itertools.product(inner, repeat=length - 1):
                text = _decoded(bytes([lead, *rest]))
                if text is not None and text not in alphabet:
                    found.append(text)
        return found

    def _look_up(self, texts: list[str]) -> None:
        """Encode what the tokens may spell as `texts`: those, and those without the lead."""
        new = [text for text in dict.fromkeys(texts) if text not in self._encodings]
        lead = self.lead.decode()
        sources = [(text, text) for text in new]
        sources += [(text, text[len(lead) :]) for text in new if lead and text.startswith(lead)]
        found: dict[str, set[Ids]] = {text: set() for text in new}
        for (text, _), ids in zip(sources, self._encode([y for _, y in sources]), strict=True):
            if all(self.tokens[i] for i in ids) and self.spell(ids) == text.encode():
                found[text].add(tuple(ids))
        self._encodings |= {text: frozenset(ids) for text, ids in found.items()}


@dataclass
class Next:
    """What may come after a prefix, not normalised: joint probabilities with the prefix.

    Attributes:
        joint: Of the prefix and each byte, and of the text ending; ``float64[257]``.
        prefix: Of the prefix: of all covers.
    """

    joint: np.ndarray
    prefix: float

    @property
    def probs(self) -> np.ndarray:
        return self.joint / self.joint.sum()


class Enumerated:
    """Byte probabilities of a model, by enumerating heads and covers.

    Args:
        canonical: The canonical sequences.
        row: Log probabilities of the next token after a sequence.
        ends: The ids that end a text.
        segmentation: ``renorm``, ``mask`` or ``all``.
    """

    def __init__(
        self,
        canonical: Canonical,
        row: Callable[[Ids], np.ndarray],
        ends: Iterable[int],
        segmentation: str,
    ) -> None:
        self._canonical = canonical
        self._tokens = canonical.tokens
        self._ends = sorted(ends)
        self._segmentation = segmentation
        self._row = lru_cache(maxsize=None)(lambda ids: np.exp(np.float64(row(ids))))
        self._step = lru_cache(maxsize=None)(self._compute_step)

    def next(self, prefix: bytes) -> Next:
        """Enumerate the heads of `prefix` and the tokens after them."""
        lead = self._canonical.lead
        joint, total = self._after(lead + prefix)
        if self._segmentation == "all" and lead and not prefix.startswith(lead):
            # Any sequence counts that decodes to the text: one without the first space too.
            others, more = self._after(prefix, barred=lead)
            joint, total = joint + others, total + more
        elif lead and not prefix:
            # The empty text has no first space.
            joint[END] += self._step(())[1]
        return Next(joint, total if prefix else 1.0)

    def _after(self, data: bytes, barred: bytes = b"") -> tuple[np.ndarray, float]:
        """Add up the covers of `data`, and what comes after it; none begins with `barred`."""
        joint, total = np.zeros(257), 0.0
        for start in range(len(data) + 1):
            for head in self._heads(data[:start]):
                weight = self._weight(head)
                after, end = self._step(head)
                for token, probability in after.items():
                    spelled = self._tokens[token]
                    if not spelled.startswith(data[start:]):
                        continue
                    if not head and barred and spelled.startswith(barred):
                        continue
                    if rest := spelled[len(data) - start :]:
                        joint[rest[0]] += weight * probability
                    total += weight * probability if start < len(data) else 0.0
                if start == len(data):
                    joint[END] += weight * end
        return joint, total

    def logprob(self, data: bytes) -> float:
        """The log probability that a text begins with `data`."""
        return float(np.log(self.next(data).prefix))

    def _heads(self, data: bytes) -> list[Ids]:
        if self._segmentation != "all":
            return sorted(self._canonical.sequences(data))
        return self._cut_anyhow(data)

    def _cut_anyhow(self, data: bytes) -> list[Ids]:
        """Every sequence of tokens that spells `data`."""
        if not data:
            return [()]
        return [
            (*head, token)
            for token, spelled in enumerate(self._tokens)
            if spelled and data.endswith(spelled)
            for head in self._cut_anyhow(data[: len(data) - len(spelled)])
        ]

    def _weight(self, head: Ids) -> float:
        weight = 1.0
        for place, token in enumerate(head):
            weight *= self._step(head[:place])[0][token]
        return weight

    def _compute_step(self, head: Ids) -> tuple[dict[int, float], float]:
        """The probability of each token that counts after `head`, and of the text ending."""
        row = self._row(head)
        if self._segmentation == "all":
            tokens = [token for token, data in enumerate(self._tokens) if data]
            return {token: row[token] for token in tokens}, row[self._ends].sum()
        after = {token: row[token] for token in self._canonical.allowed(head)}
        end = row[self._ends].sum() if self._canonical.can_end(head) else 0.0
        if self._segmentation == "renorm":
            total = sum(after.values()) + end
            after, end = {token: p / total for token, p in after.items()}, end / total
        return after, end


def _decoded(data: bytes) -> str | None:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def cut_whole(data: bytes) -> tuple[str | None, bytes]:
    """Whole characters and the bytes of one that is not; None if `data` begins no UTF-8."""
    for cut in range(4):
        whole = _decoded(data[: len(data) - cut]) if cut <= len(data) else None
        if whole is not None:
            rest = data[len(data) - cut :]
            return (whole, rest) if not rest or _characters_from(rest) else (None, b"")
    return None, b""


@cache
def _characters_from(rest: bytes) -> tuple[str, ...]:
    """All characters whose UTF-8 begins with `rest`, which is not all of it."""
    length = 2 + (rest[0] >= 0xE0) + (rest[0] >= 0xF0)
    endings = itertools.product(range(0x80, 0xC0), repeat=max(length - len(rest), 0))
    found = (_decoded(rest + bytes(ending)) for ending in endings)
    return tuple(each for each in found if each is not None and len(each) == 1)


def some_of_each_kind(characters: Iterable[str], count: int) -> list[str]:
    """The first few of each general category, and of white space."""
    kinds: dict[tuple[str, bool], list[str]] = {}
    for character in characters:
        kind = unicodedata.category(character), character.isspace()
        if len(kinds.setdefault(kind, [])) < count:
            kinds[kind].append(character)
    return [character for found in kinds.values() for character in found]
