"""A text as tokenizers cut it, token by token."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tokkit.errors import TokkitError
from tokkit.tokenizer import Tokenizer
from tokkit.visible import spell_bytes

if TYPE_CHECKING:
    import pandas as pd

COLOURS = ("#0b3d5c", "#5c3a00", "#0b4f3a", "#5a2350", "#4a4a00")
"""Backgrounds, each next to any other, that white letters can be read on."""


@dataclass(frozen=True)
class Token:
    """One token of a text.

    Attributes:
        token_id: Its id.
        data: Its bytes; of a special token, the text it is written with.
        start: Where it begins in the text, in bytes; None if the tokenizer rewrites the text.
        end: Where it ends.
        special: Whether it is a special token.
    """

    token_id: int
    data: bytes
    start: int | None
    end: int | None
    special: bool

    def as_json(self) -> dict[str, Any]:
        """Everything, as JSON."""
        return {
            "id": self.token_id,
            "text": spell_bytes(self.data),
            "hex": self.data.hex(),
            "start": self.start,
            "end": self.end,
            "special": self.special,
        }


@dataclass(frozen=True)
class View:
    """A text, cut.

    Attributes:
        text: Its bytes.
        tokens: Its tokens, by what each tokenizer is called.
        ids: Whether ids are shown too.
    """

    text: bytes
    tokens: Mapping[str, Sequence[Token]]
    ids: bool = False

    @property
    def frames(self) -> "dict[str, pd.DataFrame]":
        """The tables by name: ``tokens`` has one row per token, as in JSON."""
        import pandas as pd

        columns = ["tokenizer", "id", "text", "hex", "start", "end", "special"]
        rows = (
            {"tokenizer": name, **token.as_json()}
            for name, tokens in self.tokens.items()
            for token in tokens
        )
        return {"tokens": pd.DataFrame(rows, columns=columns)}

    def as_json(self) -> dict[str, Any]:
        """Everything, as JSON."""
        return {
            "text": self.text.decode("utf-8", "replace"),
            "bytes": len(self.text),
            "tokenizers": {
                name: [token.as_json() for token in tokens]
                for name, tokens in self.tokens.items()
            },
        }

    def __rich__(self) -> Any:
        from rich.console import Group
        from rich.text import Text

        parts: list[Text] = []
        for name, tokens in self.tokens.items():
            per_token = len(self.text) / max(len(tokens), 1)
            head = f"{name}: {len(tokens):,} tokens, {per_token:.2f} bytes per token"
            parts += [Text(head, style="bold"), self._line(tokens), Text()]
        return Group(*parts[:-1])

    def _line(self, tokens: Sequence[Token]) -> Any:
        """Show tokens next to each other, in turning colours; without colours, between bars."""
        from rich.text import Text

        line = Text()
        for number, token in enumerate(tokens):
            if number:
                line.append("│", style="dim")
            style = f"white on {COLOURS[number % len(COLOURS)]}"
            line.append(
                spell_bytes(token.data), style=f"{style} bold" if token.special else style
            )
            if self.ids:
                line.append(f" {token.token_id}", style="dim")
            if token.data.endswith(b"\n"):
                line.append("\n")
        return line


def view(
    text: bytes,
    tokenizers: Mapping[str, Tokenizer],
    *,
    parse_specials: bool = False,
    ids: bool = False,
) -> View:
    """Cut a text with several tokenizers.

    Args:
        text: Any bytes.
        tokenizers: What to cut it with, by what they are called.
        parse_specials: Whether special tokens written in it are their ids.
        ids: Whether to show ids too.
    """
    cut = {name: _tokens(text, each, parse_specials) for name, each in tokenizers.items()}
    return View(text, cut, ids)


def _tokens(text: bytes, tokenizer: Tokenizer, parse_specials: bool) -> list[Token]:
    ids = tokenizer.encode(text, parse_specials=parse_specials).tolist()
    try:
        spans = tokenizer.spans(text, parse_specials=parse_specials).tolist()
    except TokkitError:  # it rewrites the text
        spans = [[None, None]] * len(ids)
    special = {token_id: name.encode() for name, token_id in tokenizer.vocab.specials.items()}
    return [
        Token(
            token_id,
            special.get(token_id, tokenizer.vocab.tokens[token_id]),
            start,
            end,
            token_id in special,
        )
        for token_id, (start, end) in zip(ids, spans, strict=True)
    ]
