"""Scoring documents: total, byte by byte, and in windows where the model's context ends."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tokkit.byteprobs.cover import NEG_INF
from tokkit.byteprobs.engine import Engine
from tokkit.byteprobs.layout import Placed
from tokkit.byteprobs.results import END, ByteLogprobs, Leaks, Score
from tokkit.byteprobs.scoring import Asking, Sums, sum_heads, with_ancestors
from tokkit.byteprobs.stream import Stream, explain
from tokkit.byteprobs.windows import Window, cut_windows
from tokkit.canonical.free import Free
from tokkit.errors import ImpossibleError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def score_texts(
    engine: Engine, texts: Sequence[bytes], *, total_only: bool = False, end: bool = False
) -> list[Score]:
    """Return the probabilities of texts that the model reads together.

    A text longer than the model's context is read in windows. Each begins in the middle (by
    tokens) of what the window before it read, at the border of a token and a character, as if
    a text began there, and is asked about the bytes that the one before did not reach.

    Args:
        engine: The model and the definition.
        texts: The texts, as the tokenizer normalizes them.
        total_only: Whether only totals are wanted, which takes fewer tokens.
        end: Whether the probabilities that the texts end there are wanted too.

    Raises:
        ImpossibleError: If no token sequence in question spells a text.
    """
    read = _step_through if isinstance(engine.grammar, Free) else _score_windows
    readings = [read(engine, text, total_only, end) for text in texts]
    scores: dict[int, Score] = {}
    waiting = {place: next(reading) for place, reading in enumerate(readings)}
    while waiting:
        rows = engine.model.evaluate(list(waiting.values()))
        for place, own in zip(list(waiting), rows, strict=True):
            try:
                waiting[place] = readings[place].send(own)
            except StopIteration as finished:
                scores[place] = finished.value
                del waiting[place]
    return [scores[place] for place in range(len(texts))]


def _score_windows(engine: Engine, text: bytes, total_only: bool, end: bool) -> Asking[Score]:
    """Score with a grammar that leaves few sequences: window by window, each at once."""
    parts: list[NDArray[np.float64]] = []
    sums: list[Sums] = []
    logprob, logprob_end, token_logprob = 0.0, None, 0.0
    for window in cut_windows(engine, text):
        wanted = _wanted(engine, text, window, total_only, end)
        path = _own_path(engine, window)
        found = yield from sum_heads(engine, window.layout, wanted=wanted, path=path)
        reached, normed = _in_text(found, window)
        _check(engine, text, window, reached, total_only)
        logprob += float(reached[-1] - reached[0])
        if not total_only:
            parts.append(reached[1:] - normed[:-1])
        token_logprob += _path_logprob(engine, path, window, found)
        sums.append(found)
    if end:
        own = sums[-1].end if text or not engine.surface.lead else sums[-1].empty_end
        logprob_end = float(own - normed[-1])
    return Score(
        n_bytes=len(text),
        logprob=logprob,
        logprob_end=logprob_end,
        byte_logprobs=None if total_only else np.concatenate([np.zeros(0), *parts]),
        n_tokens=len(engine.surface.tokenizer.encode(text, parse_specials=False)),
        token_logprob=token_logprob,
        windows=len(sums),
        segmentation=engine.segmentation,
        method=engine.grammar.method,
        exact=engine.grammar.exact,
        leaks=_average(sums),
    )


def _wanted(
    engine: Engine, text: bytes, window: Window, total_only: bool, end: bool
) -> list[Placed]:
    """Return the heads of a window that the model has to be asked about."""
    layout = window.layout
    everything = [placed for place in layout.heads for placed in place]
    if total_only and window.first == 0 and window.last == len(text):
        wanted = layout.reaching(engine)
    elif engine.segmentation == "mask":
        wanted = everything
    else:
        wanted = [placed for placed in everything if placed.goes_on]
    if end and window.last == len(text):
        wanted = [*wanted, *layout.heads[-1]]
    return with_ancestors(layout, [*wanted, *layout.heads[0]])


def _own_path(engine: Engine, window: Window) -> list[int]:
    """Return the encoding of the text from where a window begins."""
    rest = window.layout.text.tobytes()[len(engine.surface.lead) :]
    ids: list[int] = engine.surface.tokenizer.encode(rest, parse_specials=False).tolist()
    return ids


def _path_logprob(engine: Engine, path: Sequence[int], window: Window, sums: Sums) -> float:
    """Add up the text's own tokens that end among the bytes a window says something about.

    NaN if the model was not asked about one of them.
    """
    ends = np.cumsum([len(engine.table.tokens[token]) for token in path], dtype=np.int64)
    ends += window.begins - window.offset
    first = window.first if window.first else -1
    own = np.flatnonzero((ends > first) & (ends <= window.last))
    if own.size and own[-1] >= len(sums.path):
        return float("nan")
    return float(sum(sums.path[place] for place in own.tolist()))


def _in_text(sums: Sums, window: Window) -> tuple[ByteLogprobs, ByteLogprobs]:
    """Return what was reached, and what may come next, at the places of a window's bytes."""
    shift = window.offset - window.begins
    places = slice(window.first + shift, window.last + shift + 1)
    reached = sums.reached[places].copy()
    normed = (reached if sums.outcomes is None else sums.outcomes[places]).copy()
    if window.first == 0:
        # Every text begins with nothing, and whether it is empty is decided there.
        reached[0] = 0.0
        if sums.outcomes is None:
            normed[0] = 0.0
        elif window.offset:
            normed[0] = np.logaddexp(normed[0], sums.empty_end)
    return reached, normed


def _check(
    engine: Engine, text: bytes, window: Window, reached: ByteLogprobs, total_only: bool
) -> None:
    """Raise unless the text has a probability."""
    if reached[-1] > NEG_INF:
        return
    if total_only:  # Not all that reaches a place before the end was added up.
        Stream(engine, text, engine.model.start, engine.surface.lead)
        raise ImpossibleError("the model gives the text no probability at all")
    place = int(np.argmax(reached == NEG_INF)) - 1
    raise ImpossibleError(explain(text[: window.first + place + 1], is_free=False))


def _average(sums: Sequence[Sums]) -> Leaks:
    """Average what the model gave to other outcomes over the tokens of the text."""
    noncanonical = [value for each in sums for value in each.noncanonical]
    special = [value for each in sums for value in each.special]
    if not special:
        return Leaks()
    return Leaks(float(np.mean(noncanonical)), float(np.mean(special)))


def _step_through(engine: Engine, text: bytes, total_only: bool, end: bool) -> Asking[Score]:
    """Score with a grammar that leaves many sequences: byte by byte."""
    stream = Stream(engine, b"", engine.model.start, engine.surface.lead)
    logprobs = np.zeros(len(text))
    for place, byte in enumerate(text):
        yield from _ask(stream)
        logprobs[place] = stream.logprobs[byte]
        stream.push(byte)
    yield from _ask(stream)
    path = engine.surface.tokenizer.encode(text, parse_specials=False).tolist()
    token_logprob = yield from _chain_logprob(engine, path)
    return Score(
        n_bytes=len(text),
        logprob=stream.logp_prefix,
        logprob_end=float(stream.logprobs[END]) if end else None,
        byte_logprobs=None if total_only else logprobs,
        n_tokens=len(path),
        token_logprob=token_logprob,
        windows=stream.windows,
        segmentation=engine.segmentation,
        method=engine.grammar.method,
        exact=not stream.leaks.pruned,
        leaks=stream.leaks,
    )


def _ask(stream: Stream) -> Asking[None]:
    """Have all weighed that a stream needs to say what comes next."""
    tree = stream.prepare()
    if tree is not None:
        stream.absorb((yield tree))


def _chain_logprob(engine: Engine, path: Sequence[int]) -> Asking[float]:
    """Return the log probability of a token sequence; NaN if the model cannot read it."""
    model = engine.model
    is_longer = model.context is not None and len(path) + len(model.start) > model.context
    if is_longer or any(token >= model.vocab_size for token in path):
        return float("nan")
    tree = model.tree(model.start)
    node = 0
    for token in path[:-1]:
        node = tree.add(node, token)
    rows = yield tree
    return float(sum(row[token] for row, token in zip(rows, path, strict=False)))
