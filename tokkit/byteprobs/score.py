"""Scoring documents: total, byte by byte, and in windows where the model's context ends."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tokkit.byteprobs.canonical.free import Free
from tokkit.byteprobs.cover import NEG_INF
from tokkit.byteprobs.engine import Engine
from tokkit.byteprobs.layout import Layout, lay_out
from tokkit.byteprobs.results import END, ByteLogprobs, Leaks, Score
from tokkit.byteprobs.scoring import Sums, sum_heads, with_ancestors
from tokkit.byteprobs.stream import Stream, explain
from tokkit.errors import ImpossibleError, ModelError
from tokkit.lm.model import Usage

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Window:
    """A part of a text that the model reads at once.

    Attributes:
        begins: Where it begins in the text.
        first: The first byte it says something about; what is before that is context.
        last: Where that ends.
        offset: Where `begins` is in what is laid out.
        layout: The heads.
    """

    begins: int
    first: int
    last: int
    offset: int
    layout: Layout


def score_text(
    engine: Engine, text: bytes, *, total_only: bool = False, end: bool = False
) -> Score:
    """Return the probability of a text.

    A text longer than the model's context is read in windows. Each begins in the middle (by
    tokens) of what the window before it read, at the border of a token and a character, as if
    a text began there, and is asked about the bytes that the one before did not reach.

    Args:
        engine: The model and the definition.
        text: The text, as the tokenizer normalizes it.
        total_only: Whether only the total is wanted, which takes fewer tokens.
        end: Whether the probability that the text ends there is wanted too.

    Raises:
        ImpossibleError: If no token sequence in question spells the text.
    """
    before = Usage(**vars(engine.model.usage))
    if isinstance(engine.grammar, Free):
        result = _step_through(engine, text, end)
    else:
        result = _score_windows(engine, text, total_only, end)
    used = engine.model.usage
    usage = Usage(used.calls - before.calls, used.tokens - before.tokens)
    return Score(**{**vars(result), "usage": usage})


def _score_windows(engine: Engine, text: bytes, total_only: bool, end: bool) -> Score:
    """Score with a grammar that leaves few sequences: window by window, each at once."""
    parts: list[NDArray[np.float64]] = []
    sums: list[Sums] = []
    logprob, logprob_end = 0.0, None
    token_logprob, n_windows = 0.0, 0
    for window in _windows(engine, text):
        n_windows += 1
        found = _sum_window(engine, text, window, total_only, end)
        reached, normed = _in_text(found, window)
        logprob += float(reached[-1] - reached[0])
        if not total_only:
            parts.append(reached[1:] - normed[:-1])
        token_logprob += _path_logprob(engine, text, window, found)
        sums.append(found)
        _check(text, window, reached, total_only)
    if end:
        final = sums[-1]
        own = final.empty_end if not text else final.end
        logprob_end = float(own - normed[-1])
    return Score(
        n_bytes=len(text),
        logprob=logprob,
        logprob_end=logprob_end,
        byte_logprobs=None if total_only else np.concatenate([np.zeros(0), *parts]),
        n_tokens=len(engine.surface.tokenizer.encode(text, parse_specials=False)),
        token_logprob=token_logprob,
        windows=n_windows,
        segmentation=engine.segmentation,
        method=engine.grammar.method,
        exact=engine.grammar.exact,
        leaks=_average(sums),
    )


def _windows(engine: Engine, text: bytes) -> Iterator[Window]:
    """Lay a text out, as much at once as the model can read."""
    model, lead = engine.model, engine.surface.lead
    room = None if model.context is None else model.context - len(model.start)
    begins = first = 0
    while True:
        rest = text[begins:]
        # Further on, the first space is what the tokenizer puts before every text.
        is_led = bool(begins and lead) and rest.startswith(lead) and rest != lead
        offset = 0 if is_led else len(lead)
        layout = lay_out(engine, rest if is_led or not text else lead + rest, room)
        last = min(begins + layout.end - offset, len(text)) if text else 0
        yield Window(begins, first, last, offset if text else 0, layout)
        if last >= len(text):
            return
        following = begins + _middle(engine, layout, (room or 0) // 2) - offset
        while following < last and text[following] & 0xC0 == 0x80:
            following += 1
        if last <= first or following <= begins:
            raise ModelError(
                f"{model.name}: a context of {model.context} tokens is too short to read on"
            )
        begins, first = following, last


def _middle(engine: Engine, layout: Layout, tokens: int) -> int:
    """Return where the last `tokens` tokens begin of what could be laid out."""
    placed = next(place[0] for place in reversed(layout.heads) if place)
    own = [engine.table.tokens[head.token] for head in placed.head.line() if head.parent]
    return placed.start - sum(map(len, own[:tokens]))


def _sum_window(
    engine: Engine, text: bytes, window: Window, total_only: bool, end: bool
) -> Sums:
    """Ask the model about one window."""
    layout = window.layout
    is_whole = window.first == 0 and window.last == len(text)
    if total_only and is_whole:
        wanted = layout.reaching(engine)
    elif engine.segmentation == "mask":
        wanted = [placed for place in layout.heads for placed in place]
    else:
        wanted = [placed for place in layout.heads for placed in place if placed.goes_on]
    if end and window.last == len(text):
        wanted = [*wanted, *layout.heads[-1]]
    wanted = with_ancestors(layout, [*wanted, *layout.heads[0]])
    return sum_heads(
        engine, layout, engine.model.start, wanted=wanted, path=_own_path(engine, text, window)
    )


def _own_path(engine: Engine, text: bytes, window: Window) -> list[int]:
    """Return the encoding of the text from where a window begins."""
    rest = text[window.begins :]
    lead = engine.surface.lead
    if window.begins and not window.offset:
        rest = rest.removeprefix(lead)
    ids: list[int] = engine.surface.tokenizer.encode(rest, parse_specials=False).tolist()
    return ids


def _path_logprob(engine: Engine, text: bytes, window: Window, sums: Sums) -> float:
    """Add up the text's own tokens that end among the bytes a window says something about.

    NaN if the model was not asked about one of them.
    """
    path = _own_path(engine, text, window)
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


def _check(text: bytes, window: Window, reached: ByteLogprobs, total_only: bool) -> None:
    """Raise unless the text has a probability."""
    if reached[-1] > NEG_INF:
        return
    place = 0 if total_only else int(np.argmax(reached == NEG_INF)) - 1
    if total_only:
        raise ImpossibleError(
            f"no token sequence in question spells {text[:40].decode('utf-8', 'replace')!r}…"
        )
    raise ImpossibleError(explain(text[: window.first + place + 1], is_free=False))


def _average(sums: Sequence[Sums]) -> Leaks:
    """Average what the model gave to other outcomes over the tokens of the text."""
    noncanonical = [value for each in sums for value in each.noncanonical]
    special = [value for each in sums for value in each.special]
    if not special:
        return Leaks()
    return Leaks(float(np.mean(noncanonical)), float(np.mean(special)))


def _step_through(engine: Engine, text: bytes, end: bool) -> Score:
    """Score with a grammar that leaves many sequences: byte by byte."""
    stream = Stream(engine, b"", engine.model.start, engine.surface.lead)
    logprobs = np.zeros(len(text))
    for place, byte in enumerate(text):
        logprobs[place] = stream.logprobs[byte]
        stream.push(byte)
    path = engine.surface.tokenizer.encode(text, parse_specials=False).tolist()
    return Score(
        n_bytes=len(text),
        logprob=float(logprobs.sum()),
        logprob_end=float(stream.logprobs[END]) if end else None,
        byte_logprobs=logprobs,
        n_tokens=len(path),
        token_logprob=_chain_logprob(engine, path),
        windows=stream.windows,
        segmentation=engine.segmentation,
        method=engine.grammar.method,
        exact=not stream.leaks.pruned,
        leaks=stream.leaks,
    )


def _chain_logprob(engine: Engine, path: Sequence[int]) -> float:
    """Return the log probability of a token sequence; NaN if the model cannot read it."""
    model = engine.model
    is_longer = model.context is not None and len(path) + len(model.start) > model.context
    if is_longer or any(token >= model.vocab_size for token in path):
        return float("nan")
    tree = model.tree(model.start)
    node = 0
    for token in path[:-1]:
        node = tree.add(node, token)
    (rows,) = model.evaluate([tree])
    return float(sum(row[token] for row, token in zip(rows, path, strict=False)))
