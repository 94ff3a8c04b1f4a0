"""Options of the commands that ask models and write studies, declared once."""

from pathlib import Path
from typing import Annotated, Literal

import typer

TableName = Literal["csv", "jsonl", "parquet"]

_ASKING = "Asking"
Backend = Annotated[
    str,
    typer.Option(
        "--backend",
        "-b",
        metavar="SPEC",
        help="Who answers: hf:PATH, openai:URL, batch:openai:DIR, batch:anthropic:DIR, "
        "replay:FILE, sim:NAME[:RATE].",
        rich_help_panel=_ASKING,
    ),
]
ModelName = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="NAME",
        help="What the server or the batch provider calls the model; it has the price too.",
        rich_help_panel=_ASKING,
    ),
]
Cache = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Where answers are kept [default: answers.sqlite in the output folder].",
        rich_help_panel=_ASKING,
    ),
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="NAME=COLUMN",
        help="replay: what the file calls its answers, as in response=output; also key, "
        "prompt, messages, num1 and num2; repeatable.",
        rich_help_panel=_ASKING,
    ),
]
Limit = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="Ask the first N only.", rich_help_panel=_ASKING),
]
Seed = Annotated[
    int,
    typer.Option(
        min=0, help="Of simulated answers, and of all else drawn.", rich_help_panel=_ASKING
    ),
]

MaxTokens = Annotated[
    int,
    typer.Option(
        min=1,
        help="The most tokens of an answer, where the rows do not say.",
        rich_help_panel=_ASKING,
    ),
]
Temperature = Annotated[
    float,
    typer.Option(min=0.0, help="0 takes the likeliest token.", rich_help_panel=_ASKING),
]
TopLogprobs = Annotated[
    int,
    typer.Option(
        min=0,
        metavar="K",
        help="Record log probabilities, with K alternatives to each token.",
        rich_help_panel=_ASKING,
    ),
]

_PACE = "Pace"
Rpm = Annotated[
    float | None,
    typer.Option("--rpm", min=0.001, help="Most requests per minute.", rich_help_panel=_PACE),
]
Tpm = Annotated[
    float | None,
    typer.Option("--tpm", min=1, help="Most tokens per minute.", rich_help_panel=_PACE),
]
Workers = Annotated[
    int,
    typer.Option(min=1, help="openai: requests under way at once.", rich_help_panel=_PACE),
]
KeyVariable = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="openai: the environment variable with the key, if there has to be one.",
        rich_help_panel=_ASKING,
    ),
]
Timeout = Annotated[
    float,
    typer.Option(min=0.001, metavar="SECONDS", help="For one request.", rich_help_panel=_PACE),
]
Tries = Annotated[
    int,
    typer.Option(
        min=1,
        help="For one request, the first one included; refusals while others are answered do "
        "not count.",
        rich_help_panel=_PACE,
    ),
]

_MONEY = "Money"
Budget = Annotated[
    float | None,
    typer.Option(
        min=0.0,
        metavar="DOLLARS",
        help="Stop before more is spent in this run.",
        rich_help_panel=_MONEY,
    ),
]
Prices = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="A TOML table of prices, which goes before the one tokkit ships.",
        rich_help_panel=_MONEY,
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="Say what would be asked and what it would cost; ask nothing.",
        rich_help_panel=_MONEY,
    ),
]
_MODEL = "Model"
CostTokenizer = Annotated[
    str | None,
    typer.Option(
        "--tokenizer",
        metavar="TOKENIZER",
        help="The model's tokenizer, which counts tokens exactly; hf: use it in place of the "
        "one in the model's folder.",
        rich_help_panel=_MODEL,
    ),
]
Plain = Annotated[
    bool,
    typer.Option(
        "--plain",
        help="hf: write chats as plain text even if there is a chat template.",
        rich_help_panel=_MODEL,
    ),
]
BatchSize = Annotated[
    int | None,
    typer.Option(
        min=1, help="hf: requests in one forward pass [default: 64].", rich_help_panel=_MODEL
    ),
]

_WRITING = "What is written"
StudyFolder = Annotated[
    Path,
    typer.Option(
        "--output", "-o", metavar="DIR", help="The folder to write.", rich_help_panel=_WRITING
    ),
]
Table = Annotated[
    TableName,
    typer.Option("--table", help="What the rows are written as.", rich_help_panel=_WRITING),
]
Figure = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Draw what was found: .png, .svg or .json (Vega-Lite)."),
]
