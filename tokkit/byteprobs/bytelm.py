"""A language model of tokens seen as one of bytes."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tokkit.byteprobs.engine import Engine
from tokkit.byteprobs.groups import group_alike
from tokkit.byteprobs.results import (
    SEGMENTATIONS,
    ByteLogprobs,
    NextByte,
    Score,
    Segmentation,
)
from tokkit.byteprobs.score import score_texts
from tokkit.byteprobs.stream import Stream
from tokkit.byteprobs.surface import Surface, text_of
from tokkit.canonical.build import build_grammar, find_lead
from tokkit.canonical.free import Free
from tokkit.canonical.protocols import Grammar
from tokkit.errors import ImpossibleError, ModelError, UsageError
from tokkit.lm.model import LanguageModel, Usage
from tokkit.token_table import TokenTable
from tokkit.tokenizer import to_bytes

if TYPE_CHECKING:
    from tokkit.byteprobs.sampling import Generation

_ROWS = 1 << 25
"""How many log probabilities documents that are read together may need, more or less."""
BEAM = 128
"""How many sequences ``all`` follows unless told otherwise: all of those of 7 bytes."""


class ByteLM:
    """The exact probabilities of bytes under a language model of tokens.

    A text has many token sequences that spell it; three definitions say which of them count:

    * ``renorm`` (default): the canonical ones, those the tokenizer produces, and the model is
      restricted to them token by token and renormalised (the locally canonicalised model of
      arXiv 2506.07956). A proper distribution: probabilities of bytes multiply to those of
      texts.
    * ``mask``: the canonical ones with the model's own probabilities (the Byte-Token
      Representation Lemma of arXiv 2410.09303); next-byte distributions are normalised.
    * ``all``: every sequence counts (arXiv 2412.03719). Their number grows exponentially, so
      beyond a few bytes only the `beam` most probable are followed.

    Several threads may use one, each with streams of its own, as far as the model allows that;
    what is known of a tokenizer is shared, and grows with the texts that were met. Pickling
    one pickles its model.

    Example: ``ByteLM("gpt2").next_logprobs("Hello wor")[ord("l")]``.

    Args:
        model: The model, or a folder or hub id to load one from (see `tokkit.lm.HFModel`).
        segmentation: Which definition.
        beam: How many sequences ``all`` follows; None: 128.
        speculate: Whether a stream asks the model about the likeliest continuation beforehand.
            This changes how often the model is called, not what comes out.

    Raises:
        ModelError: If the model cannot be loaded.
        UsageError: If there is no such definition.
    """

    def __init__(
        self,
        model: LanguageModel | str | Path,
        segmentation: Segmentation = "renorm",
        *,
        beam: int | None = None,
        speculate: bool = True,
    ) -> None:
        if isinstance(model, str | Path):
            from tokkit.lm.hf import HFModel

            model = HFModel.load(model)
        if segmentation not in SEGMENTATIONS:
            raise UsageError(f"no segmentation {segmentation!r}: choose renorm, mask or all")
        if beam is not None and beam < 1:
            raise UsageError(f"a beam of {beam} follows nothing: give 1 or more")
        self.model = model
        self.segmentation = segmentation
        tokens = text_of(model.tokenizer, model.vocab_size, model.ends)
        _require_rows(model)
        surface = Surface(model.tokenizer, tokens, find_lead(model.tokenizer, tokens))
        self._engine = Engine(
            model=model,
            surface=surface,
            table=TokenTable(tokens),
            grammar=self._grammar(surface, with_lead=True),
            segmentation=segmentation,
            beam=beam or BEAM,
            speculate=speculate,
            ends=model.ends,
        )
        self._without_lead: Engine | None = None

    def __reduce__(self) -> tuple["Callable[..., ByteLM]", tuple[Any, ...]]:
        """Pickle what it was made of: what is known of the tokenizer is found out again."""
        make = partial(ByteLM, beam=self._engine.beam, speculate=self._engine.speculate)
        return make, (self.model, self.segmentation)

    def _grammar(self, surface: Surface, *, with_lead: bool) -> Grammar:
        """Return what decides which sequences count."""
        if self.segmentation == "all":
            return Free(surface.tokens, surface.lead if with_lead else b"")
        return build_grammar(surface.tokenizer, surface.tokens, lead=with_lead)

    @property
    def usage(self) -> Usage:
        """What the model was asked so far, no matter by whom."""
        return self.model.usage

    @property
    def method(self) -> str:
        """How canonical sequences are told apart; empty for ``all``."""
        return self._engine.grammar.method

    @property
    def exact(self) -> bool:
        """Whether that is exact, rather than by trying what texts could follow."""
        return self._engine.grammar.exact

    def stream(
        self,
        prefix: bytes | str = b"",
        context: Sequence[int] | None = None,
        lead: bool | None = None,
        ends: Collection[int] | None = None,
    ) -> Stream:
        """Begin a text that can be asked what comes next, and grows byte by byte.

        A prefix that the tokenizer never writes as it is, such as capital letters where it
        lowers case, is taken as the tokenizer would write it.

        Args:
            prefix: How it begins.
            context: Ids that come before the text, instead of the model's own start.
            lead: Whether the tokenizer puts before it what it puts before every text; None:
                yes.
            ends: The ids that end the text, instead of the model's own.

        Raises:
            ImpossibleError: If no token sequence in question spells the prefix.
        """
        engine = self._engine_without_lead() if lead is False else self._engine
        if ends is not None:
            engine = replace(engine, ends=frozenset(ends))
        ids = self.model.start if context is None else tuple(context)
        if not ids:
            raise ModelError(f"{self.model.name}: there is nothing before the text: give ids")
        text = to_bytes(prefix)
        try:
            return Stream(engine, text, ids, engine.surface.lead)
        except ImpossibleError:
            normalized = self._normalized(text)
            if normalized == text:
                raise
        return Stream(engine, normalized, ids, engine.surface.lead)

    def _normalized(self, text: bytes) -> bytes:
        """Return what the tokenizer makes of a text; with ``all``, bytes are what they are."""
        return text if self.segmentation == "all" else self._engine.surface.normalized(text)

    def _as_scored(self, text: bytes) -> bytes:
        """Return a text as it is where that is possible, else as the tokenizer makes it."""
        normalized = self._normalized(text)
        if normalized == text:
            return text
        try:
            Stream(self._engine, text, self.model.start, self._engine.surface.lead)
        except ImpossibleError:
            return normalized
        return text

    def _engine_without_lead(self) -> Engine:
        """Return the engine for text that comes after something else."""
        if not self._engine.surface.lead:
            return self._engine
        if self._without_lead is None:
            surface = replace(self._engine.surface, lead=b"")
            grammar = self._grammar(surface, with_lead=False)
            self._without_lead = replace(self._engine, surface=surface, grammar=grammar)
        return self._without_lead

    def next(self, prefix: bytes | str = b"") -> NextByte:
        """Return the distribution of the byte after a prefix, and what there is to say of it.

        Raises:
            ImpossibleError: If no token sequence in question spells the prefix.
        """
        before = self.usage.copy()
        stream = self.stream(prefix)
        leaks = stream.leaks
        return NextByte(
            logprobs=stream.logprobs,
            logp_prefix=stream.logp_prefix,
            segmentation=self.segmentation,
            method=self.method,
            exact=self.exact and not leaks.pruned,
            leaks=leaks,
            usage=self.usage.since(before),
            prefix=to_bytes(prefix),
            bytes_read=len(stream.text),
        )

    def next_logprobs(self, prefix: bytes | str = b"") -> ByteLogprobs:
        """Return log probabilities of the next byte, and of the end, ``float64[257]``.

        Raises:
            ImpossibleError: If no token sequence in question spells the prefix.
        """
        return self.stream(prefix).logprobs

    def next_logprobs_batch(self, prefixes: Sequence[bytes | str]) -> NDArray[np.float64]:
        """Return the same for several prefixes, which the model reads together.

        Returns:
            One row per prefix, ``float64[b, 257]``.
        """
        streams = [self.stream(prefix) for prefix in prefixes]
        trees = [(stream, stream.prepare()) for stream in streams]
        asked = [(stream, tree) for stream, tree in trees if tree is not None]
        rows = self.model.evaluate([tree for _, tree in asked])
        for (stream, _), own in zip(asked, rows, strict=True):
            stream.absorb(own)
        return np.stack([stream.logprobs for stream in streams])

    def score(self, data: bytes | str, *, total_only: bool = False, end: bool = False) -> Score:
        """Return the probability of a document.

        Args:
            data: The document.
            total_only: Whether only the total is wanted, which takes fewer tokens.
            end: Whether the probability that it ends there is wanted too.

        Raises:
            ImpossibleError: If no token sequence in question spells it.
        """
        before = self.usage.copy()
        (score,) = self.score_batch([data], total_only=total_only, end=end)
        return replace(score, usage=self.usage.since(before))

    def score_batch(
        self, documents: Iterable[bytes | str], *, total_only: bool = False, end: bool = False
    ) -> list[Score]:
        """Return `score` of each document; several short ones are read together.

        What it took is not told apart by document: see `usage`.
        """
        texts = [self._as_scored(to_bytes(document)) for document in documents]
        scores: dict[int, Score] = {}
        for group in group_alike(texts, max(_ROWS // self.model.vocab_size, 1)):
            own = [texts[place] for place in group]
            found = score_texts(self._engine, own, total_only=total_only, end=end)
            scores.update(zip(group, found, strict=True))
        return [scores[place] for place in range(len(texts))]

    def sample(self, prompt: bytes | str = b"", **options: Any) -> "Generation":
        """Write on from a prompt, see `tokkit.byteprobs.sampling.generate`."""
        from tokkit.byteprobs.sampling import generate

        return generate(self, prompt, **options)

    def fill(self, prefix: bytes | str, suffix: bytes | str, **options: Any) -> "Generation":
        """Write what is missing between two texts, see `tokkit.byteprobs.fill.fill`."""
        from tokkit.byteprobs.fill import fill

        return fill(self, prefix, suffix, **options)


def _require_rows(model: LanguageModel) -> None:
    """Refuse a model that has no probabilities for tokens its tokenizer produces."""
    tokens = model.tokenizer.vocab.tokens[model.vocab_size :]
    beyond = sum(1 for token in tokens if token)
    if beyond:
        raise ModelError(
            f"{model.name}: {beyond} tokens have ids beyond the model's {model.vocab_size}: "
            "the tokenizer is not this model's"
        )
