"""How bytes and their probabilities look to people."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

    from tokkit.byteprobs.naive import TokenPrediction
    from tokkit.byteprobs.results import ByteLogprobs

END = 256
BAR = 16


def quote(data: bytes, most: int = 60) -> str:
    """Write a text in quotes, its end if it is long: ``'…upon a ti'``."""
    from tokkit.visible import spell_bytes

    text = spell_bytes(data).replace("␠", " ")
    return f"'…{text[-most:]}'" if len(text) > most else f"'{text}'"


def opening(data: bytes, most: int) -> str:
    """Write the beginning of a text in quotes: ``'Once upon a…'``."""
    from tokkit.visible import spell_bytes

    if len(data) <= most:
        return quote(data)
    return f"'{spell_bytes(data[:most].decode('utf-8', 'ignore').encode()).replace('␠', ' ')}…'"


def bar(share: float) -> str:
    """Draw a probability: ``"████"``; a sliver if it is not 0."""
    eighths = min(round(share * BAR * 8), BAR * 8)
    if not eighths:
        return "▏" if share > 0 else ""
    return "█" * int(eighths // 8) + " ▏▎▍▌▋▊▉"[int(eighths % 8)].strip()


def probability(share: float) -> str:
    """Write a probability: ``"0.9712"``, ``"3.1e-06"``, ``"0"``."""
    if share == 0:
        return "0"
    return f"{share:.4f}" if share >= 5e-5 else f"{share:.1e}"


@dataclass(frozen=True)
class NextPage:
    """The next byte, as a page.

    Attributes:
        prefix: The text before it.
        logprobs: Log probabilities of the 257 outcomes.
        heading: What was computed, in a line.
        footnotes: What else there is to say.
        document: Everything, as JSON.
        top: How many outcomes to show.
        tokens: What the model of tokens predicts, to show beside.
    """

    prefix: bytes
    logprobs: "ByteLogprobs"
    heading: str
    footnotes: Sequence[str]
    document: Mapping[str, object]
    top: int
    tokens: "TokenPrediction | None" = None

    def as_json(self) -> Mapping[str, object]:
        """Everything, as JSON."""
        if self.tokens is None:
            return self.document
        return {**self.document, "tokens": self.tokens.as_json(self.top)}

    def __rich__(self) -> Any:
        from rich.console import Group
        from rich.text import Text

        parts: list[Any] = [Text(self.heading), _byte_table(self)]
        if self.tokens is not None:
            parts.append(_token_table(self.tokens, self.top))
        return Group(*parts, *map(Text, self.footnotes))


def _byte_table(page: NextPage) -> "Table":
    """One row for each of the likeliest outcomes, the end, and all others together."""
    import numpy as np

    from tokkit.byteprobs.spelling import spell

    probs = np.exp(page.logprobs)
    naive = None if page.tokens is None else page.tokens.byte_probs
    columns = ("byte", "", "probability", "log p", *(["from tokens"] * (naive is not None)), "")
    table = _table(columns, right=("byte", "probability", "log p", "from tokens"))
    for outcome in (shown := _likeliest(probs, naive, page.top)):
        table.add_row(
            "" if outcome == END else f"{outcome:02X}",
            spell(outcome, page.prefix),
            probability(probs[outcome]),
            f"{page.logprobs[outcome]:.3f}",
            *([] if naive is None else [probability(naive[outcome])]),
            bar(probs[outcome]),
        )
    rest = np.setdiff1d(np.arange(END + 1), shown)
    if len(rest):
        others = [] if naive is None else [probability(naive[rest].sum())]
        name = f"{len(rest)} others"
        table.add_row("", name, probability(probs[rest].sum()), "", *others, "")
    return table


def _likeliest(probs: Any, naive: Any, top: int) -> list[int]:
    """The likeliest `top` outcomes by either account, and the end, likeliest first."""
    import numpy as np

    weight = probs if naive is None else np.maximum(probs, naive)
    order = [int(each) for each in np.argsort(-weight, kind="stable")[:top]]
    order = sorted(order, key=lambda outcome: -probs[outcome])
    return order if END in order else [*order, END]


def _token_table(tokens: "TokenPrediction", top: int) -> "Table":
    """The prompt's own tokens, and the likeliest ones after them."""
    from tokkit.visible import spell_bytes

    cut = "│".join(map(spell_bytes, tokens.pieces)) or "(nothing)"
    table = _table(("id", "token", "probability", ""), right=("id", "probability"))
    table.title = f"What the tokens say: after {cut[-200:]}"
    for token, name, share in tokens.likeliest(top):
        shown = name if isinstance(name, str) else spell_bytes(name)
        table.add_row(str(token), shown, probability(share), bar(share))
    return table


def _table(columns: Iterable[str], right: Iterable[str]) -> "Table":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, title_justify="left", title_style="")
    for name in columns:
        table.add_column(name, justify="right" if name in right else "left", no_wrap=True)
    return table
