"""What the demo found, as objects that can show themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import RenderableType

    from tokkit.demo.moving import Moved
    from tokkit.demo.prompts import Next


@dataclass(frozen=True)
class Row:
    """How well one tokenizer does on text it did not learn from.

    Attributes:
        name: The tokenizer.
        vocab_size: Its number of tokens; None where there is no limit.
        bytes_per_token: By kind of text, and ``"all"``.
    """

    name: str
    vocab_size: int | None
    bytes_per_token: Mapping[str, float]


@dataclass(frozen=True)
class Demo:
    """What the demo found.

    Attributes:
        output: The folder where everything lies.
        text: Documents and bytes that were learned from and held out.
        rows: One for each tokenizer.
        cuts: A sentence as each of the new tokenizers cuts it.
        moved: The model that ships with tokkit, before and after it is moved onto ``bpe``.
        prompts: What comes after prompts that stop inside a word, with the tokens of ``bpe``.
    """

    output: str
    text: Mapping[str, Mapping[str, int]]
    rows: Sequence[Row]
    cuts: Mapping[str, Sequence[str]]
    moved: Sequence["Moved"]
    prompts: Sequence["Next"]

    def as_json(self) -> dict[str, Any]:
        """Everything, as JSON."""
        return {
            **asdict(self),
            "moved": [each._asdict() for each in self.moved],
            "prompts": [each._asdict() for each in self.prompts],
        }

    def __rich__(self) -> "RenderableType":
        from rich.console import Group
        from rich.text import Text

        learned, held_out = self.text["learned"], self.text["held out"]
        return Group(
            Text(f"Learned from {_describe(learned)}, measured on {_describe(held_out)}.\n"),
            self._table(),
            Text("words: if every word that the pattern cl100k finds were a token of its own"),
            Text("\nOne sentence, cut by each:\n"),
            *(Text(f"{name:>9}  {'│'.join(cut)}") for name, cut in self.cuts.items()),
            self._moved(),
            self._prompts(),
            Text(
                f"\nThe tokenizers, the text and this table lie in {self.output}. Try\n\n"
                f"  echo 'Hello, world' | tokkit encode {self.output}/superbpe\n"
                f"  tokkit train-vocab YOUR-TEXT -o my-tokenizer --algorithm superbpe\n"
                f"  tokkit transplant YOUR-MODEL my-tokenizer -o moved"
            ),
        )

    def _table(self) -> "RenderableType":
        from rich.box import SIMPLE_HEAD
        from rich.table import Table

        title = "Bytes per token on text that was held out (more is better)"
        table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
        table.add_column("tokenizer")
        table.add_column("tokens", justify="right")
        for kind in self.rows[0].bytes_per_token:
            table.add_column(kind, justify="right")
        for row in self.rows:
            size = f"{row.vocab_size:,}" if row.vocab_size else "any"
            figures = (f"{value:.2f}" for value in row.bytes_per_token.values())
            table.add_row(row.name, size, *figures)
        return table

    def _moved(self) -> "RenderableType":
        from rich.box import SIMPLE_HEAD
        from rich.table import Table
        from rich.text import Text

        if not self.moved:
            return Text(
                "\nA model is moved onto the vocabulary bpe where torch is installed:\n"
                "pip install 'tokkit-toolkit[torch]'"
            )
        title = "\nA small model moved onto bpe without training (fewer bits are better)"
        table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
        table.add_column("the model", no_wrap=True)
        for column in ("tokens", "bytes per token", "bits per byte"):
            table.add_column(column, justify="right")
        for each in self.moved:
            table.add_row(
                each.name,
                f"{each.vocab_size:,}",
                f"{each.bytes_per_token:.2f}",
                f"{each.bits_per_byte:.3f}",
            )
        return table

    def _prompts(self) -> "RenderableType":
        from rich.box import SIMPLE_HEAD
        from rich.table import Table

        title = (
            "\nThe next byte where a prompt stops inside a word (bpe, counts of three tokens)"
        )
        table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
        for column in ("prompt", "its tokens", "after these tokens", "in the text"):
            table.add_column(column, no_wrap=True)
        for each in self.prompts:
            by_tokens = f"{each.by_tokens!r} {each.by_tokens_prob:.2f}"
            by_bytes = f"{each.by_bytes!r} {each.by_bytes_prob:.2f}"
            table.add_row(repr(each.prompt), "│".join(each.cut), by_tokens, by_bytes)
        return table


def _describe(part: Mapping[str, int]) -> str:
    """Example: ``"3,210 documents (5.9 MB)"``."""
    return f"{part['documents']:,} documents ({part['bytes'] / 1e6:.2g} MB)"
