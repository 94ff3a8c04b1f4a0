"""Whether text comes back as it was, and what depends on how it is put together."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tokkit.analysis.audit.characters import SCALARS, Characters, check_characters
from tokkit.analysis.audit.checking import Checking
from tokkit.analysis.audit.checks import Check
from tokkit.progress import Progress, silent
from tokkit.tokenizer import Tokenizer

if TYPE_CHECKING:
    import pandas as pd

_MOST_RANGES = 1000


@dataclass(frozen=True)
class Faithfulness:
    """What a tokenizer keeps.

    Attributes:
        name: What it is called.
        checks: Every check, the required ones first.
        characters: Which characters are lost.
    """

    name: str
    checks: tuple[Check, ...]
    characters: Characters

    @property
    def faithful(self) -> bool:
        """Whether every required check held wherever it was tried."""
        return all(each.passed == each.tried for each in self.checks if each.required)

    def frame(self) -> "pd.DataFrame":
        """Return one row per check.

        Columns: ``check``, ``definition``, ``required``, ``passed``, ``tried``, ``rate``,
        ``note`` and ``examples``.
        """
        import pandas as pd

        rows = [
            {
                "check": each.name,
                "definition": each.definition,
                "required": each.required,
                "passed": each.passed,
                "tried": each.tried,
                "rate": each.passed / each.tried if each.tried else float("nan"),
                "note": each.note,
                "examples": "; ".join(each.examples()),
            }
            for each in self.checks
        ]
        return pd.DataFrame(rows)

    def lost_frame(self) -> "pd.DataFrame":
        """Return one row per range of lost characters; see `Characters.rows`."""
        import pandas as pd

        columns = ["first", "last", "characters", "outcome", "example"]
        return pd.DataFrame(self.characters.rows(), columns=columns)

    def as_json(self) -> dict[str, Any]:
        """Every check, and which characters are lost (the first 1,000 ranges)."""
        return {
            "faithful": self.faithful,
            "checks": [each.as_json() for each in self.checks],
            "characters": {
                "tried": SCALARS,
                "kept": self.characters.kept,
                "lost_by_outcome": self.characters.outcomes(),
                "lost_ranges": len(self.characters.lost),
                "lost": self.characters.rows()[:_MOST_RANGES],
            },
        }

    def __rich__(self) -> Any:
        from rich.text import Text

        from tokkit.analysis.showing import table

        shown = table(f"{self.name}: what is kept of text", "", "held", "of", "where not")
        for column in (shown.columns[0], shown.columns[3]):
            column.justify, column.no_wrap, column.overflow = "left", False, "fold"
        for each in self.checks:
            label = Text.assemble((each.name, "bold"), f": {each.definition}")
            held = (f"{each.passed:,}", f"{each.tried:,}") if each.tried else ("–", "–")
            shown_failures = each.examples()[: None if each.required else 1]
            where = Text("; ".join(filter(None, [each.note, *shown_failures])))
            shown.add_row(label, *held, where)
            if each is [check for check in self.checks if check.required][-1]:
                shown.add_section()
        return shown


def faithfulness(
    tokenizer: Tokenizer, *, name: str = "tokenizer", progress: Progress = silent
) -> Faithfulness:
    """Check what a tokenizer keeps of text; special tokens written in it are text.

    Args:
        tokenizer: The tokenizer.
        name: What it is called.
        progress: Told ``("all characters", characters done, characters)``.
    """
    characters = check_characters(tokenizer, progress)
    trip, *others = Checking(tokenizer).all()
    checks = (trip, _of_characters(characters), *others)
    return Faithfulness(name, checks, characters)


def _of_characters(found: Characters) -> Check:
    """Sum up what became of all characters."""
    note = ", ".join(f"{count:,} {outcome}" for outcome, count in found.outcomes().items())
    if found.lost:
        first = found.lost[0]
        note += f"; the first is U+{first.first:04X}"
    definition = "every Unicode scalar value comes back, alone or among its neighbours"
    return Check("characters", definition, True, found.kept, SCALARS, note=note)
