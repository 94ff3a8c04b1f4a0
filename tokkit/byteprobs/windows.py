"""The parts of a text that a model with a limited context reads, one after the other."""

from collections.abc import Iterator
from dataclasses import dataclass

from tokkit.byteprobs.engine import Engine
from tokkit.byteprobs.layout import Layout, lay_out
from tokkit.errors import ModelError


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


def cut_windows(engine: Engine, text: bytes) -> Iterator[Window]:
    """Lay a text out, as much at once as the model can read.

    Raises:
        ModelError: If it can read too little to go on.
    """
    model, lead = engine.model, engine.surface.lead
    room = None if model.context is None else model.context - len(model.start)
    most = len(text) if room is None else (room + 1) * engine.table.longest + len(lead)
    begins = first = 0
    while True:
        rest = text[begins : begins + most]
        # Further on, the first space is what the tokenizer puts before every text.
        is_led = bool(begins and lead) and rest.startswith(lead) and rest != lead
        offset = 0 if is_led else len(lead)
        layout = lay_out(engine, rest if is_led else lead + rest, room)
        last = min(begins + layout.end - offset, len(text))
        yield Window(begins, first, last, offset, layout)
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
