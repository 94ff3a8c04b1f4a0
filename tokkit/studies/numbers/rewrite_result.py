"""What a rewrite did, for people and for programs."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokkit.studies.numbers.rewrite_check import Checked
from tokkit.studies.numbers.rewrite_pattern import Grouping
from tokkit.studies.numbers.rewrite_steps import Change
from tokkit.studies.numbers.rewrite_tokens import Coverage

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True)
class Rewritten:
    """What `rewrite_numbers` did.

    Attributes:
        output: The folder.
        source: What was rewritten.
        grouping: How it cuts numbers now.
        changes: What was changed of its pre-tokenizer.
        coverage: How many groups of each length are one token.
        added: How many tokens were added for others.
        vocab_size: How many ids there are now.
        examples: Numbers, and the tokens they are now.
        checked: What was compared with the tokenizer as it was.
        trouble: What goes wrong beside the model it belongs to; empty if nothing does.
        inexact: What a ``tokenizer.json`` cannot say of the original; empty if nothing.
    """

    output: Path
    source: str
    grouping: Grouping
    changes: list[Change]
    coverage: list[Coverage]
    added: int
    vocab_size: int
    examples: Mapping[str, list[str]]
    checked: Checked
    trouble: str = ""
    inexact: str = ""

    def as_json(self) -> dict[str, Any]:
        """All of it, as JSON."""
        return {
            "output": str(self.output),
            "tokenizer": self.source,
            "digits": self.grouping.name,
            "vocab_size": self.vocab_size,
            "added_tokens": self.added,
            "changes": [asdict(change) for change in self.changes],
            "coverage": [each.as_json() for each in self.coverage],
            "examples": dict(self.examples),
            "checked": asdict(self.checked),
            "notes": self.notes,
        }

    @property
    def notes(self) -> list[str]:
        """What a user should know, in words."""
        last = self.coverage[-1]
        said = [each for each in (self.trouble, self.inexact) if each]
        if last.tokens < last.of:
            said.append(
                f"{last.tokens:,} of {last.of:,} groups of {last.digits} digits are one token; "
                "the others are cut further"
            )
        if self.added:
            said.append(
                f"{self.added:,} tokens are new: a model needs {self.vocab_size:,} rows of "
                "embeddings, which `tokkit transplant` can make"
            )
        return said

    def __rich__(self) -> "RenderableType":
        from rich.console import Group
        from rich.text import Text

        facts = {
            "output": str(self.output),
            "digits": self.grouping.name,
            "vocab size": f"{self.vocab_size:,}",
            **{repr(text): "|".join(tokens) for text, tokens in self.examples.items()},
            "checked": ", ".join(
                f"{count} {name.replace('_', ' ')}"
                for name, count in asdict(self.checked).items()
            ),
        }
        width = max(map(len, facts))
        lines = [f"{name:<{width}}  {value}" for name, value in facts.items()]
        for change in self.changes:
            lines.append(f"numbers in the {change.step} step:")
            lines.append(f"  before  {change.before or '(there was no such step)'}")
            lines.append(f"  now     {change.after}")
        return Group(Text("\n".join(lines)), self._coverage_table())

    def _coverage_table(self) -> "RenderableType":
        from rich.box import SIMPLE_HEAD
        from rich.table import Table

        table = Table(title="groups that are one token", title_justify="left", box=SIMPLE_HEAD)
        has_spaced = self.coverage[0].spaced is not None
        for name in ("digits", "groups", "tokens", "share"):
            table.add_column(name, justify="right")
        if has_spaced:
            table.add_column("after a space", justify="right")
        for each in self.coverage:
            row = [str(each.digits), f"{each.of:,}", f"{each.tokens:,}"]
            row.append(f"{each.tokens / each.of:.1%}")
            table.add_row(*row, *([f"{each.spaced:,}"] if has_spaced else []))
        return table
