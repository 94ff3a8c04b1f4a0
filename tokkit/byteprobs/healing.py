"""What tokens do by themselves, for comparison: with or without healing the prompt's end."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Unpack

import numpy as np
from numpy.typing import NDArray

from tokkit.byteprobs.sampling import Finish, Generation, Sampling, SamplingOptions
from tokkit.byteprobs.surface import text_of
from tokkit.errors import ImpossibleError, VocabularyError
from tokkit.lm.model import LanguageModel
from tokkit.tokenizer import Tokenizer
from tokkit.utf8 import unfinished

_MARKERS = ("☺".encode(), b"\x07", b"\n", b"|")
"""Texts that tokens hardly ever reach across, to encode something after."""


def encode_inside(tokenizer: Tokenizer, text: bytes) -> list[int]:
    """Return the ids of a text that is the continuation of another.

    Without the space that many tokenizers put before a text: the text is encoded after a
    character that no token has together with others, as Code Llama does.

    Raises:
        VocabularyError: If there is no such character.
    """
    if not _leads(tokenizer):
        return _encode(tokenizer, text)
    for marker in _MARKERS:
        alone, ids = _encode(tokenizer, marker), _encode(tokenizer, marker + text)
        if ids[: len(alone)] == alone:
            return ids[len(alone) :]
    raise VocabularyError(
        "the tokenizer puts a space before every text and joins it with what follows; "
        "use --order spm or plain"
    )


def _leads(tokenizer: Tokenizer) -> bool:
    """Tell whether a tokenizer puts a space before texts."""
    spelled = (tokenizer.vocab.tokens[each] for each in _encode(tokenizer, b"a"))
    return b"".join(spelled).startswith(b" ")


def _encode(tokenizer: Tokenizer, text: bytes) -> list[int]:
    ids: list[int] = tokenizer.encode(text, parse_specials=False).tolist()
    return ids


def continue_tokens(
    model: LanguageModel,
    context: Sequence[int],
    text: bytes,
    *,
    lead: bool = True,
    ends: Collection[int] = (),
    backup: int = 0,
    **options: Unpack[SamplingOptions],
) -> Generation:
    """Go on with a text token by token, with what the tokenizer makes of it as the prompt.

    Temperature, ``top_k`` and ``top_p`` are about tokens. `Generation.logprob` is that of the
    tokens chosen, a last one that was cut included. With `backup`, the last tokens of the
    prompt are taken away, and tokens are chosen among those that spell the same bytes or go on
    after them, until these bytes are spelled again.

    Args:
        model: The model.
        context: The ids before the text.
        text: What there is of the text.
        lead: Whether it is the beginning of a text, before which tokenizers may put a space.
        ends: The ids that end the text; none: the model's.
        backup: How many tokens of the text are chosen anew: 1 is token healing.
        **options: See `tokkit.byteprobs.sampling.Sampling`.

    Raises:
        ImpossibleError: If no token goes on after what was taken away.
        ModelError: If the prompt is longer than the model's context.
    """
    sampling = Sampling(**options)
    tokenizer, before = model.tokenizer, model.usage.copy()
    ids = _encode(tokenizer, text) if lead else encode_inside(tokenizer, text)
    kept = ids[: max(len(ids) - backup, 0)]
    removed = b"".join(tokenizer.vocab.tokens[each] for each in ids[len(kept) :])
    writer = _TokenWriter(model, [*context, *kept], removed, frozenset(ends) or model.ends)
    writer.write(sampling)
    data, finish = writer.data[len(removed) :], writer.finish
    if lead and not text and _leads(tokenizer):
        data = data.removeprefix(b" ")
    if len(data) > sampling.max_bytes:
        data, finish = data[: sampling.max_bytes], "length"
    if sampling.utf8:
        data = data[: len(data) - len(unfinished(unfinished(text) + data[-3:]))]
    shown = (unfinished(text) + data).decode("utf-8", "replace")
    return Generation(data, shown, writer.logprob, finish, model.usage.since(before))


@dataclass
class _TokenWriter:
    """A text being written token by token.

    Attributes:
        model: The model.
        context: The prompt.
        required: What the text has to begin with.
        ends: The ids that end it.
        data: What was written, `required` included, without a stop string.
        logprob: Of the tokens chosen.
        finish: Why it is over.
    """

    model: LanguageModel
    context: list[int]
    required: bytes
    ends: frozenset[int]
    data: bytes = b""
    logprob: float = 0.0
    finish: Finish = "length"
    _tokens: tuple[bytes, ...] = field(init=False)
    _free: NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        self._tokens = text_of(self.model.tokenizer, self.model.vocab_size, self.ends)
        self._free = np.array([bool(token) for token in self._tokens])
        self._free[list(self.ends)] = True

    def write(self, sampling: Sampling) -> None:
        """Write until the end, a stop string or the limits of the text and of the model."""
        chooser, limit = sampling.chooser(), len(self.required) + sampling.max_bytes
        tree, node, length = self.model.tree(self.context), 0, len(self.context)
        while len(self.data) < limit:
            row = self.model.evaluate([tree])[0][-1]
            token = chooser.choose(np.where(self._allowed(), row, -np.inf))
            self.logprob += float(row[token])
            if token in self.ends:
                self.finish = "end"
                return
            self.data += self._tokens[token]
            if self._stopped(sampling.stops) or self._is_full(length):
                return
            node, length = tree.add(node, token), length + 1
            tree.keep([node])

    def _is_full(self, length: int) -> bool:
        return self.model.context is not None and length >= self.model.context

    def _allowed(self) -> NDArray[np.bool_]:
        """Return which tokens may come next."""
        rest = self.required[len(self.data) :]
        if not rest:
            return self._free
        fits = [
            token.startswith(rest) or (token != b"" and rest.startswith(token))
            for token in self._tokens
        ]
        allowed = np.array(fits)
        if not allowed.any():
            raise ImpossibleError(f"no token goes on with the bytes {rest[:20]!r}")
        return allowed

    def _stopped(self, stops: Sequence[bytes]) -> bool:
        """Cut the text before a stop string, if there is one in what is new."""
        new = len(self.required)
        found = [(self.data.find(stop, new), len(stop)) for stop in stops]
        places = [(start + size, start) for start, size in found if start >= 0]
        if places:
            self.data = self.data[: min(places)[1]]
            self.finish = "stop"
        return bool(places)
