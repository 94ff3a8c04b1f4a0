"""Options that say what a counting study asks, declared once, and the plan they make."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, get_args

import typer

from tokkit.errors import UsageError
from tokkit_cli.lists import read_names, read_numbers, read_range

if TYPE_CHECKING:
    import pandas

    from tokkit.studies.counting.plan import Plan
    from tokkit.tokenizer import Tokenizer

PresetName = Literal["zhang2024"]
DrawName = Literal["balanced", "independent"]
TaskName = Literal["count", "sort", "reverse"]
FormName = Literal["raw", "comma", "list", "quotes", "space", "newline"]
StyleName = Literal["direct", "cot", "supervise"]

_STRINGS = "Strings"
Preset = Annotated[
    PresetName | None,
    typer.Option(
        help="The study of arXiv 2410.19730: its strings, prompts and seed.",
        rich_help_panel=_STRINGS,
    ),
]
Letters = Annotated[
    str | None,
    typer.Option(
        metavar="LETTERS", help="What they are made of [ab].", rich_help_panel=_STRINGS
    ),
]
Lengths = Annotated[
    str | None,
    typer.Option(
        metavar="LOW-HIGH", help="How many letters they have [10-20].", rich_help_panel=_STRINGS
    ),
]
Number = Annotated[
    int | None,
    typer.Option(
        "--number",
        "-n",
        min=1,
        help="How many strings, of each number of letters per token if there are several "
        "[100, preset: 1000].",
        rich_help_panel=_STRINGS,
    ),
]
Draw = Annotated[
    DrawName | None,
    typer.Option(
        help="Whether all numbers of a letter are equally frequent, or each letter is drawn on "
        "its own [balanced].",
        rich_help_panel=_STRINGS,
    ),
]
LettersPerToken = Annotated[
    str | None,
    typer.Option(
        metavar="K,K",
        help="Strings such that, written raw, each token of --tokenizer holds just K letters.",
        rich_help_panel=_STRINGS,
    ),
]
Strings = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Take these: JSON lines with id and sample, as published, or one per line.",
        rich_help_panel=_STRINGS,
    ),
]
Seed = Annotated[
    int | None,
    typer.Option(min=0, help="Of all that is drawn [0, preset: 42].", rich_help_panel=_STRINGS),
]

_ASKED = "What is asked of each string"
Tasks = Annotated[
    str | None,
    typer.Option(
        metavar="NAME,NAME", help="count, sort, reverse [count].", rich_help_panel=_ASKED
    ),
]
Targets = Annotated[
    str | None,
    typer.Option(
        metavar="TEXT,TEXT",
        help="Letters or substrings to count [each letter].",
        rich_help_panel=_ASKED,
    ),
]
Formats = Annotated[
    str | None,
    typer.Option(
        metavar="NAME,NAME",
        help="How strings are written: raw, comma (a, b), list (['a', 'b']), quotes "
        '("a", "b"), space, newline [raw,comma,list,space].',
        rich_help_panel=_ASKED,
    ),
]
Styles = Annotated[
    str | None,
    typer.Option(
        metavar="NAME,NAME",
        help="direct (answer at once), cot (think), supervise (think as told) [direct, preset: "
        "supervise].",
        rich_help_panel=_ASKED,
    ),
]
CuttingTokenizer = Annotated[
    str | None,
    typer.Option(
        metavar="TOKENIZER",
        help="The model's: it cuts strings, and counts the tokens that hold them.",
        rich_help_panel=_STRINGS,
    ),
]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the options say; None where nothing was said."""

    preset: PresetName | None = None
    letters: str | None = None
    lengths: str | None = None
    number: int | None = None
    draw: DrawName | None = None
    letters_per_token: str | None = None
    strings: Path | None = None
    tasks: str | None = None
    targets: str | None = None
    formats: str | None = None
    styles: str | None = None

    def plan(self, seed: int | None) -> "Plan":
        """Return what is asked.

        Raises:
            UsageError: If a value cannot be read, or goes with no other.
        """
        from tokkit.studies.counting.plan import PRESETS, Plan

        clash = self.preset and (self.draw or self.letters_per_token)
        if clash or (self.strings and (self.letters or self.lengths or self.number)):
            raise UsageError(
                "a preset or a file of strings says which they are: leave out what draws others"
            )
        return (PRESETS[self.preset] if self.preset else Plan()).change(
            letters=self.letters,
            lengths=self.lengths and read_range(self.lengths, "--lengths"),
            number=self.number,
            draw=self.draw,
            letters_per_token=self.letters_per_token
            and read_numbers(self.letters_per_token, "--letters-per-token", least=1),
            tasks=self.tasks and read_names(self.tasks, "task", get_args(TaskName)),
            targets=self.targets and tuple(self.targets.split(",")),
            forms=self.formats and read_names(self.formats, "format", get_args(FormName)),
            styles=self.styles and read_names(self.styles, "style", get_args(StyleName)),
            seed=seed,
        )

    def rows(self, seed: int | None, tokenizer: "Tokenizer | None") -> "pandas.DataFrame":
        """Return what is asked, one row per request.

        Raises:
            TokkitError: If it cannot be.
        """
        from tokkit.studies.counting.rows import make_rows
        from tokkit.studies.counting.samples import draw_samples, plan_of, read_samples

        plan = self.plan(seed)
        if self.strings is None:
            return make_rows(plan, draw_samples(plan, tokenizer), tokenizer)
        samples = read_samples(self.strings)
        return make_rows(plan_of(samples, plan), samples, tokenizer)

    def refuse(self) -> None:
        """Do nothing if no option was given.

        Raises:
            UsageError: If one was: a file of problems says all that they would.
        """
        given = [each.name for each in fields(self) if getattr(self, each.name) is not None]
        if given:
            option = given[0].replace("_", "-")
            raise UsageError(f"--{option} makes new problems: leave it out, or the file")
