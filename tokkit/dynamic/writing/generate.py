"""Text from a model and a large vocabulary (arXiv 2411.18553, section 6).

Every step asks the head of the model about its own tokens and an index about new ones; what is
chosen of both is read by its own input row.
"""

import codecs
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from tokkit.byte_spelling import spell
from tokkit.byteprobs.choosing import Chooser
from tokkit.dynamic.writing.choices import Options, drop_unlikely, penalise
from tokkit.dynamic.writing.index import TokenIndex
from tokkit.dynamic.writing.indexing import digest_rows
from tokkit.dynamic.writing.retrieval import Candidates, Retrieval
from tokkit.dynamic.writing.vocabulary import word_cutter
from tokkit.dynamic.writing.written import Finish, Written
from tokkit.errors import ModelError
from tokkit.hypernet.source import SourceRows
from tokkit.lm.hf import HFModel
from tokkit.pretokenize import Pieces
from tokkit.tokenizer import to_bytes

PromptTokens = Literal["own", "all"]
_MOST_WORDS = 8
"""How many pieces in a row are looked up as one token of a prompt, at most."""


class Writer:
    """Writes texts with a model and the tokens of an index.

    Attributes:
        model: The model.
        index: The new tokens; None: there are none.
    """

    def __init__(self, model: HFModel, index: TokenIndex | None = None) -> None:
        self.model = model
        self.index = index
        self._new = {} if index is None else {t: i for i, t in enumerate(index.tokens)}

    @classmethod
    def load(
        cls,
        model: str | Path,
        index: TokenIndex,
        *,
        device: str = "auto",
        dtype: str = "auto",
        tokenizer: str | Path | None = None,
    ) -> "Writer":
        """Load a model, and check that the index was made for its rows.

        Args:
            model: A folder written by ``save_pretrained``, or a Hub id.
            index: The index.
            device: Where to compute.
            dtype: With which precision.
            tokenizer: Where the tokenizer is; None: with the model.

        Raises:
            ModelError: If the model cannot be loaded, or the index is of another one.
        """
        found = digest_rows(SourceRows.read(model, tokenizer))
        if found != index.account.model:
            raise ModelError(
                f"{index.folder}: the index was made for a model with other embeddings than "
                f"{model}: make one for this (tokkit dynamic index)"
            )
        loaded = HFModel.load(model, device=device, dtype=dtype, tokenizer=tokenizer)
        return cls(loaded, index)

    def write(
        self,
        prompt: bytes | str,
        options: Options = Options(),  # noqa: B008 - frozen
        *,
        prompt_tokens: PromptTokens = "own",
        exact: bool = False,
    ) -> Written:
        """Write a text; see `begin`."""
        writing = self.begin(prompt, options, prompt_tokens=prompt_tokens, exact=exact)
        for _ in writing:
            pass
        return writing.result()

    def begin(
        self,
        prompt: bytes | str,
        options: Options = Options(),  # noqa: B008 - frozen
        *,
        prompt_tokens: PromptTokens = "own",
        exact: bool = False,
    ) -> "Writing":
        """Begin a text, which is written as it is iterated over.

        Args:
            prompt: What comes before it, behind the token that begins texts.
            options: How to write.
            prompt_tokens: Whether the prompt is read in the model's own tokens alone, or words
                that are new tokens as these.
            exact: Whether to look at all new tokens too, to see what the index missed.

        Raises:
            ModelError: If the prompt does not fit into the context, or the index is of another
                model.
        """
        text = to_bytes(prompt)
        own = self.model.tokenizer.encode(text, parse_specials=False).tolist()
        ids = [*self.model.start, *(own if prompt_tokens == "own" else self._cut(text))]
        if self.model.context is not None and len(ids) >= self.model.context:
            raise ModelError(
                f"{self.model.name}: a prompt of {len(ids)} tokens leaves no room in the "
                f"context of {self.model.context}: shorten it"
            )
        retrieval = Retrieval(
            self.model, self.index, top_k=options.top_k, boost=options.boost, exact=exact
        )
        return Writing(self, retrieval, ids, options)

    def _cut(self, text: bytes) -> list[int]:
        """Cut a prompt into words that are new tokens, the longest first, and own tokens."""
        pieces = word_cutter(self.model.tokenizer).split(Pieces.of(text)).as_bytes()
        ends, spelled = spell(self.model.tokenizer, pieces)
        bounds = [0, *ends.tolist()]
        found: list[int] = []
        place = 0
        while place < len(pieces):
            stops = range(min(place + _MOST_WORDS, len(pieces)), place, -1)
            joined = {stop: b"".join(pieces[place:stop]) for stop in stops}
            stop = next((stop for stop in stops if joined[stop] in self._new), None)
            if stop is None:
                found += spelled[bounds[place] : bounds[place + 1]].tolist()
            else:
                found.append(self.model.vocab_size + self._new[joined[stop]])
            place = stop or place + 1
        return found

    def spelled(self, token: int) -> bytes:
        """Return the bytes of a token; none if it has none."""
        own = self.model.tokenizer.vocab.tokens
        if self.index is not None and token >= self.model.vocab_size:
            return self.index.tokens[token - self.model.vocab_size]
        return own[token] if token < len(own) else b""


class Writing:
    """A text being written; iterating yields it in whole characters, as they come."""

    def __init__(
        self, writer: Writer, retrieval: Retrieval, prompt: Sequence[int], options: Options
    ) -> None:
        self._writer = writer
        self._retrieval = retrieval
        self._prompt = prompt
        self._options = options
        self._ids: list[int] = []
        self._tokens: list[bytes] = []
        self._finish: Finish = "length"
        self._read_seconds = self._seconds = 0.0

    def __iter__(self) -> Iterator[str]:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        for token in self._steps():
            if text := decoder.decode(token):
                yield text
        if text := decoder.decode(b"", final=True):
            yield text

    def _steps(self) -> Iterator[bytes]:
        """Yield the bytes of one token after the other."""
        options, model = self._options, self._writer.model
        chooser = options.chooser()
        size = 0
        with self._retrieval as retrieval:
            began = time.perf_counter()
            candidates = retrieval.read(self._prompt)
            self._read_seconds = time.perf_counter() - began
            while size < options.max_bytes:
                if len(self._prompt) + len(self._ids) == model.context:
                    self._finish = "context"
                    return
                began = time.perf_counter()
                if self._ids:
                    candidates = retrieval.read(self._ids[-1:])
                chosen = self._choose(candidates, chooser)
                self._seconds += time.perf_counter() - began
                if chosen in model.ends:
                    self._finish = "end"
                    return
                self._ids.append(chosen)
                self._tokens.append(self._writer.spelled(chosen))
                size += len(self._tokens[-1])
                yield self._tokens[-1]

    def _choose(self, candidates: Candidates, chooser: Chooser) -> int:
        """Draw one of the candidates."""
        options = self._options
        seen = np.unique([*self._prompt, *self._ids])
        logits = penalise(candidates, seen, options.repetition_penalty)
        logits = drop_unlikely(logits, options.min_p, options.temperature)
        return int(candidates.ids[chooser.choose(logits)])

    def result(self) -> Written:
        """Return what was written so far."""
        model, retrieval = self._writer.model, self._retrieval
        data = b"".join(self._tokens)
        shares: Mapping[str, float] = {}
        if retrieval.steps:
            shares = {
                "recall": retrieval.found / retrieval.steps,
                "recall_new": retrieval.found_new / retrieval.steps,
            }
        return Written(
            data,
            self._tokens,
            new=sum(each >= retrieval.base for each in self._ids),
            base_tokens=len(model.tokenizer.encode(data, parse_specials=False)),
            prompt_tokens=len(self._prompt),
            finish=self._finish,
            read_seconds=self._read_seconds,
            seconds=self._seconds,
            **shares,
        )
