"""Going on with many token sequences at once, each as if it were alone."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Any, Self

import numpy as np
import torch
import transformers

from tokkit.errors import JobError
from tokkit.studies.asking.request import Decoding

# The types of these differ between versions of transformers.
_CONFIG: Any = transformers.GenerationConfig
_PROCESSORS: Any = transformers.LogitsProcessorList
_CRITERIA: Any = transformers.StoppingCriteriaList

SMALL = 1 << 25
"""Models of fewer parameters run on one thread of a CPU."""


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How sequences are continued.

    Attributes:
        tokens: The bytes of each token.
        ends: The ids that end a text.
        stop: Texts that do too; they are left out.
        decoding: How tokens are chosen.
        most: How many tokens are added at most.
    """

    tokens: Sequence[bytes]
    ends: frozenset[int]
    stop: Sequence[bytes]
    decoding: Decoding
    most: int


@dataclass
class Continuation:
    """What one sequence was continued with.

    Attributes:
        ids: The new tokens; neither one that ends texts nor any behind a stop text.
        text: The bytes they stand for, up to the stop text.
        logprobs: The log probability of each, in nats, if asked for.
        top: The likeliest ids in its place and their log probabilities, the likeliest first.
        ended: Whether the model or a stop text ended it; else there was no more room.
    """

    ids: list[int] = field(default_factory=list)
    text: bytes = b""
    logprobs: list[float] = field(default_factory=list)
    top: list[list[tuple[int, float]]] = field(default_factory=list)
    ended: bool = False


class Brake:
    """Stops what is being generated, so that a process can end while a thread of it does that.

    A thread within torch that is still at work when Python ends makes the process abort. While
    something is generated, the brake is entered.
    """

    def __init__(self) -> None:
        self._pulled = Event()
        self._working = Lock()

    def __enter__(self) -> Self:
        self._working.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self._working.release()

    @property
    def pulled(self) -> bool:
        """Whether to stop."""
        return self._pulled.is_set()

    def stop(self) -> None:
        """Stop for good, and wait until nothing is generated any more."""
        self._pulled.set()
        with self._working:
            pass


def continue_all(
    model: Any,
    prompts: Sequence[Sequence[int]],
    seeds: Sequence[int],
    manner: Manner,
    brake: Brake | None = None,
) -> list[Continuation]:
    """Go on with sequences until each has ended or has no more room.

    Shorter ones are padded at their beginnings, which nothing sees. If the memory of the
    accelerator is too small for all of them, each half is done for itself.

    Args:
        model: A causal language model of transformers.
        prompts: The ids of each sequence.
        seeds: Of the draws for each sequence, which depend on nothing else.
        manner: How to go on.
        brake: What may stop it after any token.

    Raises:
        JobError: If there is too little memory for a single sequence, or it was stopped.
    """
    brake = brake or Brake()
    watcher = _Watcher(manner, seeds, brake)
    try:
        with brake, _few_threads(model):
            _generate(model, prompts, watcher)
    except torch.OutOfMemoryError as error:
        if len(prompts) == 1:
            raise JobError(
                f"too little memory for a sequence of {len(prompts[0])} tokens: use --dtype "
                "bfloat16, or --device cpu"
            ) from error
    else:
        if brake.pulled:
            raise JobError("the model was stopped before it had answered")
        return watcher.rows
    torch.cuda.empty_cache()
    half = len(prompts) // 2
    return [
        row
        for part in (slice(half), slice(half, None))
        for row in continue_all(model, prompts[part], seeds[part], manner, brake)
    ]


@contextmanager
def _few_threads(model: Any) -> Iterator[None]:
    """Let a small model run on one thread.

    Several would wait for each other longer than they compute: of 64 answers by a model of
    260,000 parameters on two busy cores, two threads gave 24 in a second, one gave 270.
    """
    before = torch.get_num_threads()
    small = sum(each.numel() for each in model.parameters()) < SMALL
    torch.set_num_threads(1 if small else before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@torch.inference_mode()
def _generate(model: Any, prompts: Sequence[Sequence[int]], watcher: "_Watcher") -> None:
    """Let transformers generate, whose own way to choose is to take the largest logit."""
    width = max(map(len, prompts))
    ids = torch.zeros((len(prompts), width), dtype=torch.int64)
    seen = torch.zeros_like(ids)
    for row, prompt in enumerate(prompts):
        ids[row, width - len(prompt) :] = torch.tensor(prompt)
        seen[row, width - len(prompt) :] = 1
    place = model.get_input_embeddings().weight.device
    model.generate(
        ids.to(place),
        attention_mask=seen.to(place),
        generation_config=_CONFIG(
            max_new_tokens=watcher.manner.most, do_sample=False, pad_token_id=0
        ),
        logits_processor=_PROCESSORS([watcher.choose]),
        stopping_criteria=_CRITERIA([watcher.see]),
    )


class _Watcher:
    """Takes part in generating: draws, writes probabilities down, sees where answers end.

    Attributes:
        manner: How sequences are continued.
        rows: What each was continued with so far.
    """

    def __init__(self, manner: Manner, seeds: Sequence[int], brake: Brake) -> None:
        self.manner = manner
        self._brake = brake
        self.rows = [Continuation() for _ in seeds]
        self._draws = [np.random.default_rng(seed) for seed in seeds]
        self._logprobs: list[float] = []
        self._top: list[list[tuple[int, float]]] = []

    def choose(self, _: Any, logits: Any) -> Any:
        """Return numbers of which the next token has the largest, ``float[b, vocabulary]``.

        To take the largest logit after Gumbel noise is added is to draw from the softmax.
        """
        wanted = logits
        decoding = self.manner.decoding
        if decoding.temperature > 0:
            size = logits.shape[1]
            noise = np.stack([draw.gumbel(size=size) for draw in self._draws])
            wanted = logits / decoding.temperature + torch.from_numpy(noise).to(logits)
        if decoding.top_logprobs:
            rows = torch.log_softmax(logits.float(), dim=-1)
            best, ids = rows.topk(min(decoding.top_logprobs, rows.shape[1]), dim=-1)
            self._logprobs = rows.gather(1, wanted.argmax(-1, keepdim=True))[:, 0].tolist()
            pairs = zip(ids.tolist(), best.tolist(), strict=True)
            self._top = [list(zip(*pair, strict=True)) for pair in pairs]
        return wanted

    def see(self, ids: Any, _: Any, **__: Any) -> Any:
        """Take the new token of each row, and tell which rows are done, ``bool[b]``."""
        for number, token in enumerate(ids[:, -1].tolist()):
            if not self.rows[number].ended:
                self._take(number, token)
        stop = self._brake.pulled
        return torch.tensor([stop or row.ended for row in self.rows], device=ids.device)

    def _take(self, number: int, token: int) -> None:
        """Add a token to a row, and end the row where it has to."""
        row = self.rows[number]
        if token in self.manner.ends:
            row.ended = True
            return
        row.ids.append(token)
        row.text += self._bytes(token)
        if self._top:
            row.logprobs.append(self._logprobs[number])
            row.top.append(self._top[number])
        places = [row.text.find(text) for text in self.manner.stop]
        if found := [place for place in places if place >= 0]:
            self._cut(row, min(found))

    def _cut(self, row: Continuation, size: int) -> None:
        """End a row after so many bytes, and leave out the tokens that begin behind them."""
        starts = np.cumsum([0, *(len(self._bytes(token)) for token in row.ids)])[:-1]
        kept = int(np.count_nonzero(starts < size))
        row.text = row.text[:size]
        del row.ids[kept:], row.logprobs[kept:], row.top[kept:]
        row.ended = True

    def _bytes(self, token: int) -> bytes:
        """Return what a token stands for; models may have more ids than there are tokens."""
        return self.manner.tokens[token] if token < len(self.manner.tokens) else b""
