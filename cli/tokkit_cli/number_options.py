"""Options of ``tokkit numbers generate``, and how what they say is read."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from tokkit_cli.tokenizers import TOKENIZER_HELP

AnswerName = Literal["any", "match", "mismatch"]
PresetName = Literal["singh2024"]

Preset = Annotated[
    PresetName | None,
    typer.Option(help="A published study, exactly: arXiv 2402.14903."),
]
Experiment = Annotated[
    list[str],
    typer.Option(
        metavar="NAME",
        help="Of the preset: this table only, such as comma-effects; repeatable.",
    ),
]
RowsFile = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="A .csv, .jsonl or .parquet file [default: JSON lines on standard output].",
    ),
]

_PROBLEMS = "Problems"
ProblemCount = Annotated[
    int, typer.Option(min=1, help="Of each operation.", rich_help_panel=_PROBLEMS)
]
Operation = Annotated[
    list[str],
    typer.Option(
        metavar="NAME",
        help="add (+), subtract (-) or multiply (*); repeatable.",
        rich_help_panel=_PROBLEMS,
    ),
]
Digits = Annotated[
    str,
    typer.Option(
        metavar="LENGTHS",
        help="Digits of the operands, in turn: 3, 1-4 (all pairs), 3x5, 3x5=6 (answers of "
        "6), or several with commas.",
        rich_help_panel=_PROBLEMS,
    ),
]
AnswerLength = Annotated[
    AnswerName,
    typer.Option(
        help="Whether answers have as many digits as one of the operands.",
        rich_help_panel=_PROBLEMS,
    ),
]
Carries = Annotated[
    str | None,
    typer.Option(
        metavar="N|N-M",
        help="How many columns carry, or borrow.",
        rich_help_panel=_PROBLEMS,
    ),
]
Chain = Annotated[
    str | None,
    typer.Option(
        metavar="N|N-M",
        help="How many columns in a row carry at most.",
        rich_help_panel=_PROBLEMS,
    ),
]
Negative = Annotated[
    bool,
    typer.Option("--negative", help="Differences may be negative.", rich_help_panel=_PROBLEMS),
]
OperandTokens = Annotated[
    int | None,
    typer.Option(min=1, help="How many tokens each operand has.", rich_help_panel=_PROBLEMS),
]
AnswerTokens = Annotated[
    int | None,
    typer.Option(min=1, help="How many the answer has.", rich_help_panel=_PROBLEMS),
]
CountingTokenizer = Annotated[
    str | None,
    typer.Option(
        metavar="TOKENIZER",
        help=f"What counts tokens. {TOKENIZER_HELP}",
        rich_help_panel=_PROBLEMS,
    ),
]

_PROMPTS = "Prompts"
FormatNames = Annotated[
    list[str],
    typer.Option(
        "--format",
        metavar="NAME",
        help="nosep, comma_r2l (also l2r; space, dec, hashtag, dollar, foo), sep:TEXT_r2l, "
        "spaces, reversed, padded; or QUERY/REPEAT/ANSWER; repeatable.",
        rich_help_panel=_PROMPTS,
    ),
]
ChunkSizes = Annotated[
    str,
    typer.Option(
        metavar="N,N", help="Digits of a group, of each format.", rich_help_panel=_PROMPTS
    ),
]
Shots = Annotated[
    str,
    typer.Option(metavar="N,N", help="Examples before the problem.", rich_help_panel=_PROMPTS),
]
Spaces = Annotated[
    int,
    typer.Option(min=0, help="Around the operation and before =.", rich_help_panel=_PROMPTS),
]
TrailingSpaces = Annotated[int, typer.Option(min=0, help="After =.", rich_help_panel=_PROMPTS)]
SystemPrompt = Annotated[
    str | None,
    typer.Option(
        metavar="TEXT",
        help="What the model is told to be; '' for nothing [default: You are a helpful "
        "assistant. With --plain nothing].",
        rich_help_panel=_PROMPTS,
    ),
]
Preamble = Annotated[
    str,
    typer.Option(metavar="TEXT", help="What the user says first.", rich_help_panel=_PROMPTS),
]
Plain = Annotated[
    bool,
    typer.Option("--plain", help="Texts to continue, not chats.", rich_help_panel=_PROMPTS),
]
